/** What a verified token says, whoever verified it, and what verifies tokens. */

/** Which key a token is bound to. @see https://www.rfc-editor.org/rfc/rfc7800#section-3.1 */
export interface TokenBinding {
  /**
   * Thumbprint of the key that signs proofs. @see https://www.rfc-editor.org/rfc/rfc9449#section-6
   */
  readonly jkt: string | undefined;
  /** SHA-256 of the client certificate. @see https://www.rfc-editor.org/rfc/rfc8705#section-3.1 */
  readonly x5t: string | undefined;
}

export interface TokenFacts {
  /** Everything the token says. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly issuer: string;
  /** Wall-clock milliseconds. */
  readonly expiresAt: number;
  readonly binding: TokenBinding;
  /** Whether what it was verified by still counts; without it, until it ends. */
  readonly isStanding?: (() => boolean) | undefined;
}

/** What is wrong with a token. */
export type TokenFault =
  | 'malformed'
  | 'issuer'
  | 'algorithm'
  | 'type'
  | 'key'
  | 'signature'
  | 'expired'
  | 'not-yet'
  | 'claims'
  | 'binding'
  | 'inactive'
  | 'known-wrong';

export type TokenOutcome =
  | { readonly kind: 'facts'; readonly facts: TokenFacts }
  /** It is none of the verifier's, or not valid. */
  | { readonly kind: 'invalid'; readonly why: TokenFault }
  /** Whoever could tell cannot be asked. */
  | { readonly kind: 'unavailable' }
  /** Too many from there were none: it was not looked at. */
  | { readonly kind: 'throttled' };

export interface TokenVerifier {
  /** Never rejects. */
  verify(token: string): Promise<TokenOutcome>;
  /**
   * Verifies one that counted, by what it said. Absent where nobody can tell without the token,
   * which is then kept for it. Never rejects.
   */
  again?(facts: TokenFacts): Promise<TokenOutcome>;
}

export function invalid(why: TokenFault): TokenOutcome {
  return { kind: 'invalid', why };
}

export const UNAVAILABLE: TokenOutcome = { kind: 'unavailable' };
export const THROTTLED: TokenOutcome = { kind: 'throttled' };

/** Milliseconds by which the clock of an issuer may differ from ours. */
export const TOLERANCE_MS = 30_000;

/** The member `cnf` of a token; undefined for a token bound in a way we do not know. */
export function bindingOf(claims: Readonly<Record<string, unknown>>): TokenBinding | undefined {
  const { cnf } = claims;
  if (cnf === undefined) return { jkt: undefined, x5t: undefined };
  if (typeof cnf !== 'object' || cnf === null) return undefined;
  const jkt: unknown = Reflect.get(cnf, 'jkt');
  const x5t: unknown = Reflect.get(cnf, 'x5t#S256');
  if (jkt === undefined && x5t === undefined) return undefined;
  if (jkt !== undefined && typeof jkt !== 'string') return undefined;
  if (x5t !== undefined && typeof x5t !== 'string') return undefined;
  return { jkt, x5t };
}
