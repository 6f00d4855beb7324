/**
 * Ends streams no later than the credentials they were opened with. Streams that end in the same
 * second share a bucket, so that a thousand of them cost one look a second.
 */
import type { Clock } from '../core/ports.ts';
import type { Ticker } from './ticker.ts';

const SWEEP_MS = 1000;

/** A stream, as far as its end matters. */
export interface Trusted {
  /** When it ends, on the clock in milliseconds; Infinity for never. */
  readonly trustedUntil: number;
  /** Its credential is over, or about to be. */
  expire(): void;
}

export class TrustDeadlines {
  readonly #clock: Clock;
  readonly #buckets = new Map<number, Set<Trusted>>();
  readonly #arm: (sweep: this) => void;
  #isArmed = false;

  constructor(clock: Clock, ticker: Ticker) {
    this.#clock = clock;
    this.#arm = ticker.queue(SWEEP_MS, (_sweep: this, now) => this.#sweep(now));
  }

  add(stream: Trusted): void {
    if (stream.trustedUntil === Infinity) return;
    const key = bucketOf(stream);
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, new Set([stream]));
    else bucket.add(stream);
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#arm(this);
  }

  delete(stream: Trusted): void {
    if (stream.trustedUntil === Infinity) return;
    const key = bucketOf(stream);
    const bucket = this.#buckets.get(key);
    if (bucket?.delete(stream) === true && bucket.size === 0) this.#buckets.delete(key);
  }

  /** Buckets end a sweep early rather than late: a stream never outlives its credential. */
  #sweep(now: number): number | undefined {
    const due = Math.floor((now + SWEEP_MS) / SWEEP_MS);
    for (const [key, bucket] of this.#buckets) {
      if (key > due) continue;
      this.#buckets.delete(key);
      for (const stream of bucket) stream.expire();
    }
    this.#isArmed = this.#buckets.size > 0;
    return this.#isArmed ? this.#clock.now() : undefined;
  }
}

function bucketOf({ trustedUntil }: Trusted): number {
  return Math.floor(trustedUntil / SWEEP_MS);
}
