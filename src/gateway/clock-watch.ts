/**
 * Notices when the machine's clock leaps ahead of the time that has passed: it was set, or the
 * machine slept. Credentials end by that clock, and streams by the time that passes.
 */
import type { Clock } from '../core/ports.ts';

const LOOK_MS = 5000;
/** Milliseconds it may be ahead: more than an adjustment, less than a credential's life. */
const AHEAD_MS_MAX = 60_000;

export class ClockWatch {
  readonly #clock: Clock;
  readonly #wall: () => number;
  readonly #onLeap: (aheadMs: number) => void;
  /** The machine's clock less the time that has passed, at the last look. */
  #difference: number;
  #disarm: () => void = () => {};

  /** @param wall - the machine's clock in milliseconds. */
  constructor(clock: Clock, wall: () => number, onLeap: (aheadMs: number) => void) {
    this.#clock = clock;
    this.#wall = wall;
    this.#onLeap = onLeap;
    this.#difference = wall() - clock.now();
    this.#arm();
  }

  stop(): void {
    this.#disarm();
  }

  #arm(): void {
    this.#disarm = this.#clock.after(LOOK_MS, () => this.#look());
  }

  /** Steps of slow adjustment are small; one that goes back ends nothing. */
  #look(): void {
    const difference = this.#wall() - this.#clock.now();
    const aheadMs = difference - this.#difference;
    this.#difference = difference;
    this.#arm();
    if (aheadMs > AHEAD_MS_MAX) this.#onLeap(aheadMs);
  }
}
