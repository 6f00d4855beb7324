/** What may happen so many times a minute: counted from the first, begun anew when it is over. */
const MINUTE_MS = 60_000;

export class MinuteBudget {
  readonly #most: number;
  readonly #onSpent: () => void;
  #since = -MINUTE_MS;
  #taken = 0;

  constructor(most: number, onSpent: () => void) {
    this.#most = most;
    this.#onSpent = onSpent;
  }

  take(): void {
    const now = performance.now();
    if (now - this.#since >= MINUTE_MS) {
      this.#since = now;
      this.#taken = 0;
    }
    this.#taken += 1;
    if (this.#taken > this.#most) this.#onSpent();
  }
}
