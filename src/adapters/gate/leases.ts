/**
 * Points of a limiter, taken a few at a time: most requests find one taken already and need not
 * wait for the next turn. What is taken counts for the second it was taken in and for no other, so
 * nobody is given more than the limiter has.
 *
 * Whoever asked for more than twice what a second has gets the next second's points one by one as
 * it passes. All of them at its beginning would be a burst each second, and others wait behind it.
 */
import type { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

interface Lease {
  /** Taken and not used yet. */
  left: number;
  /** What the limiter has besides. */
  remaining: number;
  until: number;
  /** Who was refused need not ask again before then. */
  fullUntil: number;
  /** How often somebody asked in vain. */
  missed: number;
  /** Since when points are given evenly; undefined where they are given as they are asked for. */
  readonly pacedFrom: number | undefined;
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
    const early = this.#earlyMs(lease);
    if (early > 0) return miss(lease, early);
    const isPaced = lease.pacedFrom !== undefined;
    const points = isPaced ? 1 : Math.max(1, Math.min(this.#chunk, lease.remaining));
    lease.remaining -= points;
    try {
      const { msBeforeNext } = await this.#limiter.consume(key, points);
      lease.left += points - 1;
      // The limiter's second began after ours, if only by what it took to ask: before it is over
      // another lease would find nothing of what this one took and did not use.
      lease.until = performance.now() + Math.min(msBeforeNext, this.#secondMs);
      return undefined;
    } catch (full) {
      // Whoever asked in the same moment may have taken more than they needed.
      if (this.use(key)) return undefined;
      return miss(lease, Math.min((full as RateLimiterRes).msBeforeNext, this.#secondMs));
    }
  }

  /**
   * Milliseconds until there are points again, for somebody who asked in vain; undefined when that
   * is not known at once. A flood that is refused does not ask the limiter each time, which takes a
   * promise.
   */
  missedMs(key: string): number | undefined {
    const lease = this.#current(key);
    if (lease === undefined) return undefined;
    const left = lease.fullUntil - performance.now();
    return left > 0 ? miss(lease, left) : undefined;
  }

  get size(): number {
    return this.#leases.size;
  }

  #current(key: string): Lease | undefined {
    const lease = this.#leases.get(key);
    return lease !== undefined && performance.now() < lease.until ? lease : undefined;
  }

  /** Milliseconds until the next point of a second that is given evenly. */
  #earlyMs({ pacedFrom, remaining }: Lease): number {
    if (pacedFrom === undefined) return 0;
    const { points } = this.#limiter;
    return pacedFrom + ((points - remaining) * this.#secondMs) / points - performance.now();
  }

  #begin(key: string): Lease {
    const now = performance.now();
    const before = this.#leases.get(key);
    // A second that is over says for another one whether the next is given evenly.
    for (const [oldest, { until }] of this.#leases) {
      if (until + this.#secondMs > now) break;
      this.#leases.delete(oldest);
    }
    const { points } = this.#limiter;
    const isBefore = before !== undefined && before.until + this.#secondMs > now;
    const isPaced = isBefore && before.missed > points;
    this.#leases.delete(key);
    const lease = {
      left: 0,
      remaining: points,
      until: now + this.#secondMs,
      fullUntil: 0,
      missed: 0,
      pacedFrom: isPaced ? now : undefined,
    };
    this.#leases.set(key, lease);
    return lease;
  }

  get #secondMs(): number {
    return this.#limiter.duration * 1000;
  }
}

function miss(lease: Lease, waitMs: number): number {
  lease.missed += 1;
  lease.fullUntil = performance.now() + waitMs;
  return waitMs;
}
