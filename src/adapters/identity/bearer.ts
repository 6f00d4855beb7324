import type { RequestHead } from '../../core/ports.ts';

/** A token as it was presented. @see https://www.rfc-editor.org/rfc/rfc9449#section-7.1 */
export interface PresentedToken {
  readonly scheme: 'bearer' | 'dpop';
  readonly token: string;
}

/**
 * The bearer token of a request; only the Authorization header is read, and undefined is what two
 * of them are worth: a proxy may have checked the other one.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 */
export function bearerOf(head: RequestHead): string | undefined {
  const presented = presentedToken(head);
  return presented?.scheme === 'bearer' ? presented.token : undefined;
}

/** The same, with or without a proof of possession. */
export function presentedToken(head: RequestHead): PresentedToken | undefined {
  const value = head.header('authorization');
  if (value === undefined || head.headerCount('authorization') > 1) return undefined;
  const [, scheme, token] = /^(bearer|dpop) +([^ ]+) *$/i.exec(value) ?? [];
  if (token === undefined) return undefined;
  return { scheme: scheme?.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', token };
}
