/**
 * One timer for every deadline of an endpoint. Duties register a queue; the timer sleeps until the
 * earliest head of them all, and not at all when nothing waits.
 */
import type { Clock } from '../core/ports.ts';
import { Deadlines } from '../core/sessions/deadlines.ts';

interface Duty {
  readonly nextAt: () => number | undefined;
  readonly fire: (now: number) => void;
}

export class Ticker {
  readonly #clock: Clock;
  readonly #duties: Duty[] = [];
  #armedAt = Infinity;
  #disarm: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A queue of deadlines that all lie `delayMs` ahead of their arming.
   * @param fire - see `Deadlines.due`: what it returns re-arms the item.
   */
  queue<Item>(
    delayMs: number,
    fire: (item: Item, now: number) => number | undefined,
  ): (item: Item) => void {
    const deadlines = new Deadlines<Item>(delayMs);
    this.#duties.push({
      nextAt: () => deadlines.nextAt,
      fire: (now) => deadlines.due(now, fire),
    });
    return (item) => {
      const now = this.#clock.now();
      deadlines.arm(item, now);
      if (now + delayMs < this.#armedAt) this.#arm(now + delayMs, now);
    };
  }

  stop(): void {
    this.#disarm?.();
    this.#disarm = undefined;
    this.#armedAt = -Infinity;
  }

  #arm(at: number, now: number): void {
    this.#disarm?.();
    this.#armedAt = at;
    this.#disarm = this.#clock.after(Math.max(0, at - now), () => this.#fire());
  }

  #fire(): void {
    this.#disarm = undefined;
    this.#armedAt = Infinity;
    const now = this.#clock.now();
    for (const duty of this.#duties) duty.fire(now);
    let next = Infinity;
    for (const duty of this.#duties) next = Math.min(next, duty.nextAt() ?? Infinity);
    if (next < this.#armedAt) this.#arm(next, now);
  }
}
