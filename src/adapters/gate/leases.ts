/**
 * Points of a limiter, taken a few at a time: most requests find one taken already and need not
 * wait for the next turn. What is taken counts for the second it was taken in and for no other, so
 * nobody is given more than the limiter has, nor refused what it would give.
 */
import type { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

interface Lease {
  /** Taken and not used yet. */
  left: number;
  /** What the limiter has besides. */
  remaining: number;
  until: number;
  /** Whom the limiter has refused need not ask it again before then. */
  fullUntil: number;
}

/** Which part of its points is taken at once. */
const SHARE = 16;

export class Leases {
  readonly #limiter: RateLimiterMemory;
  readonly #chunk: number;
  /** The first to end first: all last equally long. */
  readonly #leases = new Map<string, Lease>();

  constructor(limiter: RateLimiterMemory) {
    this.#limiter = limiter;
    this.#chunk = Math.ceil(limiter.points / SHARE);
  }

  /** Whether a point was at hand, and is used now. */
  use(key: string): boolean {
    const lease = this.#current(key);
    if (lease === undefined || lease.left === 0) return false;
    lease.left -= 1;
    return true;
  }

  /** @returns milliseconds until there are points again; undefined when one was used. */
  async take(key: string): Promise<number | undefined> {
    const lease = this.#current(key) ?? this.#begin(key);
    const points = Math.max(1, Math.min(this.#chunk, lease.remaining));
    lease.remaining -= points;
    try {
      const { msBeforeNext } = await this.#limiter.consume(key, points);
      lease.left += points - 1;
      // The limiter's second began after ours, if only by what it took to ask: before it is over
      // another lease would find nothing of what this one took and did not use.
      lease.until = Date.now() + msBeforeNext;
      return undefined;
    } catch (full) {
      // Whoever asked in the same moment may have taken more than they needed.
      if (this.use(key)) return undefined;
      const { msBeforeNext } = full as RateLimiterRes;
      lease.fullUntil = Date.now() + msBeforeNext;
      return msBeforeNext;
    }
  }

  /**
   * Milliseconds until there are points again; undefined when that is not known at once. A flood
   * that is refused asks the limiter once a second and not each time, which takes a promise.
   */
  fullMs(key: string): number | undefined {
    const left = (this.#current(key)?.fullUntil ?? 0) - Date.now();
    return left > 0 ? left : undefined;
  }

  get size(): number {
    return this.#leases.size;
  }

  #current(key: string): Lease | undefined {
    const lease = this.#leases.get(key);
    return lease !== undefined && Date.now() < lease.until ? lease : undefined;
  }

  #begin(key: string): Lease {
    const now = Date.now();
    for (const [oldest, { until }] of this.#leases) {
      if (until > now) break;
      this.#leases.delete(oldest);
    }
    const { points, duration } = this.#limiter;
    const lease = { left: 0, remaining: points, until: now + duration * 1000, fullUntil: 0 };
    this.#leases.delete(key);
    this.#leases.set(key, lease);
    return lease;
  }
}
