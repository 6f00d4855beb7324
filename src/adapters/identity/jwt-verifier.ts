/**
 * Verifies access tokens that are JWTs. The issuer is one that the operator named, the algorithm
 * one of a fixed list of asymmetric ones for it, and the key one the issuer publishes; nothing else
 * a token says of how to verify it is looked at.
 * @see https://www.rfc-editor.org/rfc/rfc9068#section-4
 * @see https://www.rfc-editor.org/rfc/rfc8725#section-3
 */
import { isDeepStrictEqual } from 'node:util';
import type { CryptoKey, JWSHeaderParameters, JWTPayload, JWTVerifyOptions } from 'jose';
import { IssuerKeys, type IssuerKeysParts } from './issuer-keys.ts';
import {
  bindingOf,
  invalid,
  type TokenFacts,
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

/** What a token was verified by. */
interface Signed {
  readonly header: JWSHeaderParameters;
  readonly key: CryptoKey;
}

export class JwtVerifier implements TokenVerifier {
  readonly #parts: JwtVerifierParts;
  readonly #keys: IssuerKeys;
  readonly #signed = new WeakMap<TokenFacts, Signed>();

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
      return this.#outcome(payload, version, { header, key: found.key });
    } catch (error) {
      return invalid(faultOf(error));
    }
  }

  /** Its signature stays what it was, as long as the issuer has the very key that made it. */
  async again(facts: TokenFacts): Promise<TokenOutcome> {
    const signed = this.#signed.get(facts);
    if (signed === undefined) return invalid('key');
    const found = await this.#keys.keyFor(signed.header);
    if (found.kind !== 'key') return found.kind === 'unknown' ? invalid('key') : UNAVAILABLE;
    const { version } = this.#keys;
    if (!(await isSame(found.key, signed.key))) return invalid('signature');
    const claims = facts.claims as JWTPayload;
    if ((claims.nbf ?? 0) * 1000 > this.#parts.now() + TOLERANCE_MS) return invalid('not-yet');
    return this.#outcome(claims, version, { ...signed, key: found.key });
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

  #outcome(claims: JWTPayload, version: number | undefined, signed: Signed): TokenOutcome {
    const binding = bindingOf(claims);
    if (binding === undefined) return invalid('binding');
    const expiresAt = (claims.exp ?? 0) * 1000;
    const isStanding = (): boolean => this.#keys.version === version;
    const { issuer } = this.#parts;
    const facts = { claims, issuer, expiresAt, binding, isStanding };
    this.#signed.set(facts, signed);
    return { kind: 'facts', facts };
  }
}

/** Each set of keys has objects of its own. */
async function isSame(one: CryptoKey, other: CryptoKey): Promise<boolean> {
  if (one === other) return true;
  const { exportJWK } = await import('jose');
  try {
    return isDeepStrictEqual(await exportJWK(one), await exportJWK(other));
  } catch {
    return false;
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
