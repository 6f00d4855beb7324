/**
 * Proofs that whoever sends a token holds the key it is bound to. A proof counts for one request:
 * its method, its URL as the config has it, its token, and once.
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-4.3
 */
import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock, RequestHead } from '../../core/ports.ts';
import { ReplayCache } from './replay-cache.ts';
import { TOLERANCE_MS } from './token-facts.ts';

export type ProofOutcome =
  | 'proved'
  | 'invalid'
  /** The proof must hold the nonce that is given with the refusal. */
  | 'nonce-needed'
  /** Too many proofs are remembered to remember another. */
  | 'unavailable';

export interface DpopProofsParts {
  readonly clock: Clock;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
  /** Whether proofs must hold a nonce of ours, so that none can be made in advance. */
  readonly isNonceNeeded: boolean;
}

export interface BoundToken {
  readonly token: string;
  readonly jkt: string;
  readonly tenant: string;
}

export const DPOP_ALGORITHMS: readonly string[] = ['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA'];

/** Milliseconds a proof is taken after it was made. */
const PROOF_MS_MAX = 60_000;
const PROOF_CHARS_MAX = 4096;
const JTI_CHARS_MAX = 256;
/** Milliseconds of which each has a nonce of its own; that of the one before is taken, too. */
const NONCE_MS = 120_000;

export class DpopProofs {
  readonly #parts: DpopProofsParts;
  readonly #secret = randomBytes(32);
  readonly #used = new ReplayCache({
    // A proof is still taken in the last of these milliseconds.
    keptMs: PROOF_MS_MAX + 2 * TOLERANCE_MS + 1,
    // Of which one tenant has three quarters.
    entriesMax: 270_000,
    entriesPerOwnerMax: 50_000,
  });

  constructor(parts: DpopProofsParts) {
    this.#parts = parts;
  }

  /** The nonce to put into the next proof. */
  nonce(): string {
    return this.#nonceOf(this.#window);
  }

  /**
   * @param url - of the request, as clients know it.
   * @param bound - the token, the thumbprint of the key it is bound to, and for whose tenant it is.
   */
  async check(head: RequestHead, url: string, bound: BoundToken): Promise<ProofOutcome> {
    const { token, jkt, tenant } = bound;
    const proof = head.header('dpop');
    if (proof === undefined || head.headerCount('dpop') !== 1) return 'invalid';
    if (proof.length > PROOF_CHARS_MAX) return 'invalid';
    const claims = await this.#signed(proof, jkt);
    if (claims === undefined) return 'invalid';
    const { htm, htu, iat, jti, ath, nonce } = claims;
    if (htm !== head.method || !isSameUrl(htu, url)) return 'invalid';
    if (ath !== hash('sha256', token, 'base64url')) return 'invalid';
    if (typeof jti !== 'string' || jti === '' || jti.length > JTI_CHARS_MAX) return 'invalid';
    const age = typeof iat === 'number' ? this.#parts.now() - iat * 1000 : Infinity;
    if (age > PROOF_MS_MAX + TOLERANCE_MS || age < -TOLERANCE_MS) return 'invalid';
    if (this.#parts.isNonceNeeded && !this.#isNonce(nonce)) return 'nonce-needed';
    const use = this.#used.use({ tenant, owner: jkt }, jti, this.#parts.clock.now());
    if (use === 'full') return 'unavailable';
    return use === 'first' ? 'proved' : 'invalid';
  }

  /** What a proof says that was signed with this very key. */
  async #signed(proof: string, jkt: string): Promise<Record<string, unknown> | undefined> {
    const { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } = await import('jose');
    try {
      const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
        typ: 'dpop+jwt',
        algorithms: [...DPOP_ALGORITHMS],
        currentDate: new Date(this.#parts.now()),
        clockTolerance: TOLERANCE_MS / 1000,
      });
      const { jwk } = protectedHeader;
      const isBound = jwk !== undefined && (await calculateJwkThumbprint(jwk)) === jkt;
      return isBound ? payload : undefined;
    } catch {
      return undefined;
    }
  }

  get #window(): number {
    return Math.floor(this.#parts.clock.now() / NONCE_MS);
  }

  #nonceOf(window: number): string {
    return createHmac('sha256', this.#secret).update(String(window)).digest('base64url');
  }

  #isNonce(value: unknown): boolean {
    if (typeof value !== 'string') return false;
    const given = Buffer.from(value);
    return [this.#window, this.#window - 1].some((window) => {
      const expected = Buffer.from(this.#nonceOf(window));
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
  }
}

/** Without query, fragment and a slash at the end, and however host and scheme are spelled. */
function isSameUrl(given: unknown, expected: string): boolean {
  if (typeof given !== 'string' || !URL.canParse(given)) return false;
  const { origin, pathname } = new URL(given);
  const own = new URL(expected);
  return origin === own.origin && bare(pathname) === bare(own.pathname);
}

/** Requests are served alike at a path with a slash at its end. */
function bare(path: string): string {
  return path.replace(/\/$/, '');
}
