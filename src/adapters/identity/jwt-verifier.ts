/**
 * Verifies access tokens that are JWTs. The issuer is one that the operator named, the algorithm
 * one of a fixed list of asymmetric ones for it, and the key one the issuer publishes; nothing else
 * a token says of how to verify it is looked at.
 * @see https://www.rfc-editor.org/rfc/rfc9068#section-4
 * @see https://www.rfc-editor.org/rfc/rfc8725#section-3
 */
import type { JWTPayload, JWTVerifyOptions } from 'jose';
import { IssuerKeys, type IssuerKeysParts } from './issuer-keys.ts';
import {
  bindingOf,
  invalid,
  type TokenFault,
  TOLERANCE_MS,
  type TokenOutcome,
  type TokenVerifier,
  UNAVAILABLE,
} from './token-facts.ts';

export interface JwtVerifierParts extends IssuerKeysParts {
  readonly algorithms: readonly string[];
  /** Values of `typ`, in lower case and without `application/`; a token without it is a `jwt`. */
  readonly types: readonly string[];
  /** Wall-clock milliseconds. */
  readonly now: () => number;
}

export class JwtVerifier implements TokenVerifier {
  readonly #parts: JwtVerifierParts;
  readonly #keys: IssuerKeys;

  constructor(parts: JwtVerifierParts) {
    this.#parts = parts;
    this.#keys = new IssuerKeys(parts);
  }

  async verify(token: string): Promise<TokenOutcome> {
    const jose = await import('jose');
    try {
      const header = jose.decodeProtectedHeader(token);
      const unfit = this.#unfit(header, jose.decodeJwt(token));
      if (unfit !== undefined) return invalid(unfit);
      const found = await this.#keys.keyFor(header);
      if (found.kind !== 'key') return found.kind === 'unknown' ? invalid('key') : UNAVAILABLE;
      const { version } = this.#keys;
      const { payload } = await jose.jwtVerify(token, found.key, this.#options());
      return this.#outcome(payload, version);
    } catch (error) {
      return invalid(faultOf(error));
    }
  }

  /** What is not ours is not worth a key. */
  #unfit(
    { alg, typ }: { alg?: string; typ?: string },
    { iss }: JWTPayload,
  ): TokenFault | undefined {
    const { algorithms, types, issuer } = this.#parts;
    const type = (typ ?? 'jwt').toLowerCase().replace(/^application\//, '');
    if (iss !== issuer) return 'issuer';
    if (!algorithms.includes(alg ?? '')) return 'algorithm';
    return types.includes(type) ? undefined : 'type';
  }

  #options(): JWTVerifyOptions {
    const { issuer, algorithms, now } = this.#parts;
    return {
      issuer,
      algorithms: [...algorithms],
      requiredClaims: ['exp', 'aud'],
      clockTolerance: TOLERANCE_MS / 1000,
      currentDate: new Date(now()),
    };
  }

  #outcome(claims: JWTPayload, version: number | undefined): TokenOutcome {
    const binding = bindingOf(claims);
    if (binding === undefined) return invalid('binding');
    const expiresAt = (claims.exp ?? 0) * 1000;
    const isStanding = (): boolean => this.#keys.version === version;
    const { issuer } = this.#parts;
    return { kind: 'facts', facts: { claims, issuer, expiresAt, binding, isStanding } };
  }
}

/** By the codes of the library, which are part of its contract. */
function faultOf(error: unknown): TokenFault {
  const { code, claim } = error as { readonly code?: string; readonly claim?: string };
  switch (code) {
    case 'ERR_JWT_EXPIRED':
      return 'expired';
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return claim === 'nbf' ? 'not-yet' : 'claims';
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return 'signature';
    default:
      return 'malformed';
  }
}
