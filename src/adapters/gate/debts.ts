/**
 * Bytes, which are paid for once they are spent: whoever spent more than a second has is in debt,
 * and waits. Small sums are gathered before they are counted.
 */
import type { RateLimiterMemory } from 'rate-limiter-flexible';

/** Seconds that one large answer may cost its account. */
const DEBT_SECONDS_MAX = 60;
/** Which part of its points is gathered. */
const SHARE = 64;
/** Accounts whose small change is kept; the oldest is forgiven, which costs it nothing. */
const GATHERED_MAX = 10_000;

export class Debts {
  readonly #limiter: RateLimiterMemory;
  readonly #gathered = new Map<string, number>();
  /** When each debt ends, in milliseconds of the clock that nobody sets. */
  readonly #until = new Map<string, number>();

  constructor(limiter: RateLimiterMemory) {
    this.#limiter = limiter;
  }

  /** Milliseconds until the debt is paid; 0 for none. */
  waitMs(key: string): number {
    if (this.#until.size === 0) return 0;
    const until = this.#until.get(key);
    if (until === undefined) return 0;
    const left = until - performance.now();
    if (left <= 0) this.#until.delete(key);
    return Math.max(0, left);
  }

  spend(key: string, bytes: number): void {
    const sum = (this.#gathered.get(key) ?? 0) + bytes;
    if (sum * SHARE < this.#limiter.points) {
      this.#gathered.set(key, sum);
      const [oldest] = this.#gathered.keys();
      if (this.#gathered.size > GATHERED_MAX && oldest !== undefined) this.#gathered.delete(oldest);
      return;
    }
    this.#gathered.delete(key);
    void this.#count(key, sum);
  }

  /** Accounts that owe or saved anything, for tests and metrics. */
  get size(): number {
    return this.#until.size + this.#gathered.size;
  }

  async #count(key: string, bytes: number): Promise<void> {
    const { points } = this.#limiter;
    const { consumedPoints } = await this.#limiter.penalty(key, bytes);
    if (consumedPoints <= points) return;
    const seconds = Math.max(1, Math.ceil(consumedPoints / points) - 1);
    this.#owe(key, Math.min(DEBT_SECONDS_MAX, seconds));
  }

  #owe(key: string, seconds: number): void {
    const now = performance.now();
    for (const [each, until] of this.#until) if (until <= now) this.#until.delete(each);
    this.#until.set(key, now + seconds * 1000);
    void this.#limiter.block(key, seconds);
  }
}
