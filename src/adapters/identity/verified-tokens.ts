/**
 * Tokens that were verified, by the SHA-256 of the whole token, so that no two tokens can be taken
 * for each other. The token itself is kept only where its issuer has to be shown it again. Never
 * beyond a token's end, and bounded; tokens that are being verified are verified once, however many
 * requests carry them. Whoever sends many that are none has no more of them verified for a while:
 * it costs us a signature, and the sender nothing.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../../core/ports.ts';
import { FailureBudget } from '../../core/security/failure-budget.ts';
import { SharedCache } from '../../core/shared-cache.ts';
import { AskingPlaces } from './asking-places.ts';
import type { Belonging } from './jwt-belonging.ts';
import {
  invalid,
  THROTTLED,
  type TokenFacts,
  type TokenOutcome,
  type TokenVerifier,
  UNAVAILABLE,
} from './token-facts.ts';
import { TokenMemory } from './token-memory.ts';

export interface VerifiedTokensOptions {
  /** Tokens kept, besides those with something open. Default 10000. */
  readonly tokensMax?: number | undefined;
  /** Whose a token is that counts: of too many its tenant's go. Default: all are of one. */
  readonly tenantOf?: ((facts: TokenFacts) => string) | undefined;
  /** Milliseconds a token is kept. Default: until it ends. */
  readonly keptMsMax?: number | undefined;
  /**
   * Tokens that may prove to be none in a second, of addresses that sent such before; beyond it,
   * those that are not kept are refused unseen. Default 100.
   */
  readonly failuresPerSecondMax?: number | undefined;
  /** Tokens verified at a time where that is a question to others. Default: it is none. */
  readonly askingMax?: number | undefined;
  /** Whether a token has anything open, which has to be looked after. Default: none has. */
  readonly isOpen?: ((token: KnownToken) => boolean) | undefined;
  /** Told of a token that counted, has not ended by itself, and counts no more. */
  readonly onEnded?: ((token: KnownToken) => void) | undefined;
  readonly clock: Pick<Clock, 'now'>;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
}

/** A token that counted when it was verified. */
export interface KnownToken {
  /** Absent where it is verified again without. */
  readonly token: string | undefined;
  readonly digest: string;
  readonly facts: TokenFacts;
}

interface Kept extends KnownToken {
  readonly tenant: string;
  readonly from: number;
  readonly until: number;
  usedAt: number;
  /** It counts no more before it was verified again. */
  isDoubted: boolean;
}

interface Failure {
  readonly address: string;
  readonly at: number;
}

const TOKENS_MAX = 10_000;
const FAILURES_PER_SECOND_MAX = 100;
/** Milliseconds for which a token that was used need not be put in its order again. */
const USED_MS = 1000;
/** Milliseconds for which a token is remembered that is old: what it opens may not be open yet. */
const OPENING_MS = 60_000;
/** How many of the longest unused are looked at for each that is new. */
const LOOKS_MAX = 16;
/**
 * Milliseconds for which a token is left to the way in that knows it, however often it is used: by
 * then that may know it no more, and this one may.
 */
const FOREIGN_MS = 600_000;
const FOREIGN: TokenOutcome = invalid('issuer');
const UNFIT: TokenOutcome = invalid('malformed');
/** Tokens verified at a time: while an issuer's keys are fetched, all wait that name them. */
const UNDER_WAY_MAX = 1000;

export class VerifiedTokens {
  readonly #verifier: TokenVerifier;
  readonly #options: VerifiedTokensOptions;
  /** Whose a token is, is known only with it: it is found by itself. */
  readonly #kept = new Map<string, Kept>();
  /** The same by tenant, the longest unused first. What has something open knows no bound. */
  readonly #order = new SharedCache<Kept>(Infinity);
  readonly #underWay = new Map<string, Promise<TokenOutcome>>();
  readonly #failures: FailureBudget;
  readonly #places: AskingPlaces | undefined;
  /** Outcomes that count as failures, by whom and when. */
  readonly #counted = new WeakMap<TokenOutcome, Failure>();
  /** Those that another way in knows. */
  readonly #foreign = new TokenMemory(FOREIGN_MS);

  constructor(verifier: TokenVerifier, options: VerifiedTokensOptions) {
    this.#verifier = verifier;
    this.#options = options;
    const { failuresPerSecondMax = FAILURES_PER_SECOND_MAX, askingMax } = options;
    this.#failures = new FailureBudget(failuresPerSecondMax);
    this.#places = askingMax === undefined ? undefined : new AskingPlaces(askingMax);
  }

  get size(): number {
    return this.#kept.size;
  }

  /** At once when it is kept; undefined when it must be verified first. */
  kept(digest: string): TokenFacts | undefined {
    const kept = this.#kept.get(digest);
    if (kept === undefined) return undefined;
    const now = this.#options.now();
    if (now >= kept.facts.expiresAt) this.#drop(kept);
    if (!counts(kept, now)) return undefined;
    if (now - kept.usedAt >= USED_MS) this.#used(kept, now);
    return kept.facts;
  }

  /**
   * Those that have to be verified again because what they opened goes on. Forgets what ended, and
   * what is old and opened nothing.
   */
  doubted(isOpen: (token: KnownToken) => boolean): readonly KnownToken[] {
    const now = this.#options.now();
    const found: KnownToken[] = [];
    for (const kept of this.#kept.values()) {
      if (now >= kept.facts.expiresAt) this.#drop(kept);
      else if (counts(kept, now)) continue;
      else if (isOpen(kept)) found.push(kept);
      else if (now >= kept.until + OPENING_MS) this.#drop(kept);
    }
    return found;
  }

  /** Verifies one that counted: nobody's failure, and in nobody's way. It never rejects. */
  async again({ token, digest, facts }: KnownToken): Promise<TokenOutcome> {
    const known = this.#underWay.get(digest);
    if (known !== undefined) return known;
    if (token !== undefined) return this.#verify(token, digest);
    const verifying = this.#verifier.again?.(facts) ?? Promise.resolve(UNAVAILABLE);
    return this.#settle(verifying, undefined, digest);
  }

  /**
   * A promise only where something has to be waited for: a flood of tokens that are looked at no
   * more costs none. It never rejects.
   * @param address - of the peer that sent it.
   * @param belongs - whose it says it is, asked where that matters; only ours are verified.
   */
  verify(
    token: string,
    digest: string,
    address: string,
    belongs: () => Belonging = () => 'ours',
  ): TokenOutcome | Promise<TokenOutcome> {
    const known = this.#underWay.get(digest);
    if (known !== undefined) return known;
    const now = this.#options.clock.now();
    if (this.#foreign.has(digest, now)) return FOREIGN;
    // One that counted is no guess, though what was known of it is old.
    const isGuess = !this.#kept.has(digest);
    const isBusy = this.#underWay.size >= UNDER_WAY_MAX;
    // Before it is read whose it is, which is most of what a flood of guesses would cost.
    if (isBusy || (isGuess && this.#failures.isSpent(address, now))) return THROTTLED;
    const belonging = isGuess ? belongs() : 'ours';
    if (belonging === 'foreign') return FOREIGN;
    if (belonging === 'unfit') return UNFIT;
    if (this.#places === undefined) return this.#verify(token, digest, address);
    const isSuspect = isGuess && this.#failures.isSuspect(address, now);
    const giveBack = this.#places.take(address, isSuspect);
    if (giveBack === undefined) return isSuspect ? THROTTLED : UNAVAILABLE;
    return this.#verify(token, digest, address).finally(giveBack);
  }

  /**
   * What takes back the failure that an outcome was, for whoever finds that another way in knows
   * the token: here it is not looked at again for a while. Undefined where it was none.
   */
  forgiving(outcome: TokenOutcome, digest: string): (() => void) | undefined {
    const counted = this.#counted.get(outcome);
    if (counted === undefined) return undefined;
    return () => {
      if (!this.#counted.delete(outcome)) return;
      this.#failures.forgive(counted.address, counted.at);
      this.#foreign.add(digest, this.#options.clock.now());
    };
  }

  #verify(token: string, digest: string, address?: string): Promise<TokenOutcome> {
    const kept = this.#verifier.again === undefined ? token : undefined;
    return this.#settle(this.#verifier.verify(token), kept, digest, address);
  }

  /** @param token - as it is kept. */
  #settle(
    verified: Promise<TokenOutcome>,
    token: string | undefined,
    digest: string,
    address?: string,
  ): Promise<TokenOutcome> {
    const verifying = verified
      .then((outcome) => {
        const isNone = outcome.kind === 'invalid';
        if (isNone && address !== undefined) this.#failed(outcome, address);
        if (isNone) this.#ended(digest);
        if (outcome.kind === 'facts') this.#keep(token, digest, outcome.facts);
        return outcome;
      })
      .finally(() => this.#underWay.delete(digest));
    this.#underWay.set(digest, verifying);
    return verifying;
  }

  #failed(outcome: TokenOutcome, address: string): void {
    const at = this.#options.clock.now();
    this.#failures.failed(address, at);
    this.#counted.set(outcome, { address, at });
  }

  #ended(digest: string): void {
    const { now, onEnded } = this.#options;
    const kept = this.#kept.get(digest);
    if (kept === undefined) return;
    this.#drop(kept);
    if (now() < kept.facts.expiresAt) onEnded?.(kept);
  }

  #used(kept: Kept, now: number): void {
    kept.usedAt = now;
    this.#order.set(kept.tenant, kept.digest, kept);
  }

  #put(kept: Kept): void {
    this.#kept.set(kept.digest, kept);
    this.#order.set(kept.tenant, kept.digest, kept);
  }

  #drop({ tenant, digest }: Kept): void {
    this.#kept.delete(digest);
    this.#order.delete(tenant, digest);
  }

  #keep(token: string | undefined, digest: string, facts: TokenFacts): void {
    const { now, keptMsMax = Infinity, tenantOf } = this.#options;
    const from = now();
    const until = Math.min(facts.expiresAt, from + keptMsMax);
    const before = this.#kept.get(digest);
    if (before !== undefined) this.#drop(before);
    if (facts.expiresAt <= from) return;
    const tenant = tenantOf?.(facts) ?? '';
    this.#makeRoom(tenant);
    this.#put({ token, digest, facts, tenant, from, until, usedAt: from, isDoubted: false });
  }

  /**
   * The longest unused goes, of whoever's turn it is, unless it has something open: nobody would
   * look after that, and what is open is bounded itself. A few are looked at each time, so that
   * none costs more than another.
   */
  #makeRoom(tenant: string): void {
    const { tokensMax = TOKENS_MAX, isOpen } = this.#options;
    for (let looks = 0; looks < LOOKS_MAX && this.#kept.size >= tokensMax; looks += 1) {
      const oldest = this.#order.nextOut(tenant)?.value;
      if (oldest === undefined) return;
      this.#drop(oldest);
      if (isOpen?.(oldest) === true) this.#put(oldest);
    }
  }
}

/** A clock that was set back makes what is kept as doubtful as one that was set forward. */
function counts(kept: Kept, now: number): boolean {
  const isOver = now >= kept.until || now < kept.from;
  if (isOver || kept.facts.isStanding?.() === false) kept.isDoubted = true;
  return !kept.isDoubted;
}

export function tokenDigest(token: string): string {
  return hash('sha256', token, 'base64url');
}
