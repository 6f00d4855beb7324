/**
 * Lets a burst through, then a steady rate, and counts what it held back. No timer: time is told.
 */
export class RateGate {
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #lastMs: number | undefined;
  #heldBack = 0;

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#tokens = burst;
  }

  /** @param nowMs - monotonic milliseconds. */
  admits(nowMs: number): boolean {
    const elapsed = nowMs - (this.#lastMs ?? nowMs);
    this.#lastMs = nowMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsed * this.#perMs);
    if (this.#tokens < 1) {
      this.#heldBack += 1;
      return false;
    }
    this.#tokens -= 1;
    return true;
  }

  /** How many were held back since this was last asked. */
  takeHeldBack(): number {
    const count = this.#heldBack;
    this.#heldBack = 0;
    return count;
  }
}
