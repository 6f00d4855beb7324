/**
 * Tokens that were verified, by the SHA-256 of the whole token, so that no two tokens can be taken
 * for each other. Never beyond a token's end, and bounded; tokens that are being verified are
 * verified once, however many requests carry them.
 */
import { hash } from 'node:crypto';
import type { TokenFacts, TokenOutcome, TokenVerifier } from './token-facts.ts';

export interface VerifiedTokensOptions {
  /** Tokens kept. Default 10000. */
  readonly tokensMax?: number | undefined;
  /** Milliseconds a token is kept. Default: until it ends. */
  readonly keptMsMax?: number | undefined;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
}

interface Kept {
  readonly facts: TokenFacts;
  readonly from: number;
  readonly until: number;
}

const TOKENS_MAX = 10_000;

export class VerifiedTokens {
  readonly #verifier: TokenVerifier;
  readonly #options: VerifiedTokensOptions;
  /** The longest unused first. */
  readonly #kept = new Map<string, Kept>();
  readonly #underWay = new Map<string, Promise<TokenOutcome>>();

  constructor(verifier: TokenVerifier, options: VerifiedTokensOptions) {
    this.#verifier = verifier;
    this.#options = options;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** At once when it is kept; undefined when it must be verified first. */
  kept(digest: string): TokenFacts | undefined {
    const kept = this.#kept.get(digest);
    if (kept === undefined) return undefined;
    const now = this.#options.now();
    this.#kept.delete(digest);
    // A clock that was set back makes what is kept as doubtful as one that was set forward.
    const isOver = now >= kept.until || now < kept.from;
    if (isOver || kept.facts.isStanding?.() === false) return undefined;
    this.#kept.set(digest, kept);
    return kept.facts;
  }

  /** Never rejects. */
  verify(token: string, digest: string): Promise<TokenOutcome> {
    const known = this.#underWay.get(digest);
    if (known !== undefined) return known;
    const verifying = this.#verifier
      .verify(token)
      .then((outcome) => {
        if (outcome.kind === 'facts') this.#keep(digest, outcome.facts);
        return outcome;
      })
      .finally(() => this.#underWay.delete(digest));
    this.#underWay.set(digest, verifying);
    return verifying;
  }

  #keep(digest: string, facts: TokenFacts): void {
    const { now, keptMsMax = Infinity, tokensMax = TOKENS_MAX } = this.#options;
    const from = now();
    const until = Math.min(facts.expiresAt, from + keptMsMax);
    if (until <= from) return;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < tokensMax) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(digest, { facts, from, until });
  }
}

export function tokenDigest(token: string): string {
  return hash('sha256', token, 'base64url');
}
