/**
 * How long somebody who was asked may say nothing. All that wait share one timer, which is armed
 * only while somebody does.
 */
import type { Clock } from '../../core/ports.ts';

interface Wait {
  readonly until: number;
  readonly giveUp: () => void;
}

export class Patience {
  readonly #clock: Clock;
  readonly #msMax: number;
  /** The longest first. */
  readonly #waits = new Set<Wait>();
  #isArmed = false;

  constructor(clock: Clock, msMax: number) {
    this.#clock = clock;
    this.#msMax = msMax;
  }

  /** Runs `giveUp` once the time is over. @returns what ends the wait before. */
  wait(giveUp: () => void): () => void {
    const wait: Wait = { until: this.#clock.now() + this.#msMax, giveUp };
    this.#waits.add(wait);
    this.#arm(this.#msMax);
    return () => void this.#waits.delete(wait);
  }

  #arm(delayMs: number): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#clock.after(delayMs, () => this.#look());
  }

  #look(): void {
    this.#isArmed = false;
    const now = this.#clock.now();
    for (const wait of this.#waits) {
      if (wait.until > now) {
        this.#arm(wait.until - now);
        return;
      }
      this.#waits.delete(wait);
      wait.giveUp();
    }
  }
}
