/**
 * How many credentials that prove to be none are looked at: looking costs a signature or a question
 * to an issuer, and whoever sends rubbish pays nothing for it.
 *
 * An address that a failure came from is suspect for a while. What suspects send is looked at no
 * faster than the budget refills, evenly, so that a flood of theirs takes a small and steady part
 * of the machine. Whoever has not failed is looked at meanwhile, and what is good costs nothing.
 */
import { addressKey } from './address-key.ts';

/** Milliseconds for which an address stays suspect after its last failure. */
const SUSPECT_MS = 10_000;
/** Addresses that are suspect; of more, the longest without a failure is forgotten. */
const SUSPECTS_MAX = 10_000;
/** The newest failures of an address, of those that were not taken back. */
const FAILURES_MAX = 16;
/** How many times faster failures of those who are no suspects yet may come. */
const NEWCOMER_SHARE = 10;

export class FailureBudget {
  /** When each failed, its newest failure last. */
  readonly #suspects = new Map<string, number[]>();
  readonly #ofSuspects: Refill;
  readonly #ofAll: Refill;

  /** @param perSecondMax - credentials of suspect addresses that may fail in a second. */
  constructor(perSecondMax: number) {
    this.#ofSuspects = new Refill(perSecondMax);
    this.#ofAll = new Refill(perSecondMax * NEWCOMER_SHARE);
  }

  /**
   * Whether nothing of the address is looked at now.
   * @param now - milliseconds of a clock that only goes forward.
   */
  isSpent(address: string, now: number): boolean {
    if (this.#suspects.size === 0) return false;
    if (this.#ofAll.isSpent(now)) return true;
    return this.isSuspect(address, now) && this.#ofSuspects.isSpent(now);
  }

  /** Whether a failure came from the address lately. */
  isSuspect(address: string, now: number): boolean {
    const failedAt = this.#suspects.get(addressKey(address))?.at(-1) ?? -Infinity;
    return now - failedAt < SUSPECT_MS;
  }

  failed(address: string, now: number): void {
    const key = addressKey(address);
    const times = this.#suspects.get(key) ?? [];
    this.#suspects.delete(key);
    const [oldest] = this.#suspects.keys();
    if (this.#suspects.size >= SUSPECTS_MAX && oldest !== undefined) this.#suspects.delete(oldest);
    times.push(now);
    if (times.length > FAILURES_MAX) times.shift();
    this.#suspects.set(key, times);
    this.#ofSuspects.take(now);
    this.#ofAll.take(now);
  }

  /**
   * Takes a failure back that proved to be none: what was sent is good for somebody else.
   * @param at - when it failed.
   */
  forgive(address: string, at: number): void {
    this.#ofSuspects.giveBack();
    this.#ofAll.giveBack();
    const key = addressKey(address);
    const times = this.#suspects.get(key);
    if (times?.includes(at) !== true) return;
    times.splice(times.indexOf(at), 1);
    if (times.length === 0) this.#suspects.delete(key);
  }
}

/** Points that come back evenly: no more than a second brings are saved, nor owed. */
class Refill {
  readonly #perSecond: number;
  /** In thousandths of points, of which a millisecond brings a whole number. */
  readonly #most: number;
  #left: number;
  #at = -Infinity;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#most = 1000 * perSecond;
    this.#left = this.#most;
  }

  isSpent(now: number): boolean {
    this.#turn(now);
    return this.#left < 1000;
  }

  take(now: number): void {
    this.#turn(now);
    this.#left = Math.max(-this.#most, this.#left - 1000);
  }

  giveBack(): void {
    this.#left = Math.min(this.#most, this.#left + 1000);
  }

  #turn(now: number): void {
    this.#left = Math.min(this.#most, this.#left + (now - this.#at) * this.#perSecond);
    this.#at = now;
  }
}
