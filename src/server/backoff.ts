/**
 * How long to wait before an upstream is started again: at once after a single death, then
 * doubling, with full jitter, so that many children that died together do not start together.
 */
import type { Randomness } from '../core/ports.ts';

const FIRST_MS = 250;
const LONGEST_MS = 30_000;
/** A run this long means the upstream works: the count begins anew. */
const STABLE_MS = 30_000;

export class Backoff {
  failures = 0;
  readonly #random: Randomness;
  #startedAt: number | undefined;

  constructor(random: Randomness) {
    this.#random = random;
  }

  started(now: number): void {
    this.#startedAt = now;
  }

  /** @returns milliseconds to wait before the next start. */
  failed(now: number): number {
    if (this.#startedAt !== undefined && now - this.#startedAt >= STABLE_MS) this.failures = 0;
    this.#startedAt = undefined;
    this.failures += 1;
    if (this.failures === 1) return 0;
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** (this.failures - 2));
    return longest * (0.5 + 0.5 * this.#random.fraction());
  }
}
