/**
 * Calls that came after policies began to look at what tools say, and before the server's tools
 * were read: they wait for that, but not for long.
 */
import type { Clock } from '../core/ports.ts';

/** Then what is not known counts as the specification says. */
const READ_MS_MAX = 3000;

/** Further ones do not wait. */
const WAITING_MAX = 1000;

/** A hint only: whoever spells it in another way does not wait. */
const CALL = 'tools/call';

export class FirstTools {
  readonly #clock: Clock;
  #isKnown = false;
  #disarm: (() => void) | undefined;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isReading(): boolean {
    return this.#disarm !== undefined;
  }

  /** They are being read. Only the first time is waited for. */
  reading(): void {
    if (this.#isKnown || this.#disarm !== undefined) return;
    this.#disarm = this.#clock.after(READ_MS_MAX, () => this.goOn());
  }

  known(): void {
    this.#isKnown = true;
    this.goOn();
  }

  goOn(): void {
    this.#disarm?.();
    this.#disarm = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const then of waiting) then();
  }

  /** @param body - of a request, unread. */
  before(body: string, then: () => void): void {
    const waits = this.isReading && body.includes(CALL);
    if (waits && this.#waiting.length < WAITING_MAX) this.#waiting.push(then);
    else then();
  }
}
