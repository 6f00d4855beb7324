import type { RequestHead } from '../../core/ports.ts';

/**
 * The bearer token of a request; only the Authorization header is read, and undefined is what two
 * of them are worth: a proxy may have checked the other one.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 */
export function bearerOf(head: RequestHead): string | undefined {
  const value = head.header('authorization');
  if (value === undefined || head.headerCount('authorization') > 1) return undefined;
  return /^bearer +([^ ]+) *$/i.exec(value)?.[1];
}
