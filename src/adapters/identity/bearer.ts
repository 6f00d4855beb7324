import type { RequestHead } from '../../core/ports.ts';

/** A token as it was presented. @see https://www.rfc-editor.org/rfc/rfc9449#section-7.1 */
export interface PresentedToken {
  readonly scheme: 'bearer' | 'dpop';
  readonly token: string;
}

/**
 * The bearer token of a request; only the Authorization header is read.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 */
export function bearerOf(head: RequestHead): string | undefined {
  const presented = tokenIn(authorizationOf(head));
  return presented?.scheme === 'bearer' ? presented.token : undefined;
}

/** Undefined is what two of them are worth: a proxy may have checked the other one. */
export function authorizationOf(head: RequestHead): string | undefined {
  return head.headerCount('authorization') > 1 ? undefined : head.header('authorization');
}

/** The token of such a header, with or without a proof of possession. */
export function tokenIn(authorization: string | undefined): PresentedToken | undefined {
  const [, scheme, token] = /^(bearer|dpop) +([^ ]+) *$/i.exec(authorization ?? '') ?? [];
  if (token === undefined) return undefined;
  return { scheme: scheme?.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', token };
}
