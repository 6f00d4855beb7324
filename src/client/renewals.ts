/**
 * How often a session that its server forgot is opened anew: at once the first time, then with
 * growing pauses, and not without end. Replicas that know only their own sessions forget each.
 */
import type { Randomness } from '../core/ports.ts';
import { ReconnectDelay } from './reconnect-delay.ts';

/** Renewals in a row that led to nothing, after which the server counts as gone. */
const RENEWALS_MAX = 5;
/** A session that stood this long was worth its renewal, even if nobody called. */
const STOOD_MS_MIN = 60_000;

export class Renewals {
  readonly #delay: ReconnectDelay;
  #count = 0;
  #lastAt = -Infinity;

  constructor(random: Randomness) {
    this.#delay = new ReconnectDelay(random);
  }

  /** A call was taken on the session: the next renewal is a first one. */
  succeeded(): void {
    this.#count = 0;
    this.#delay.succeeded();
  }

  /** @returns milliseconds to wait before the next one; undefined when it is one too many. */
  next(now: number): number | undefined {
    if (now - this.#lastAt >= STOOD_MS_MIN) this.succeeded();
    this.#lastAt = now;
    this.#count += 1;
    if (this.#count > RENEWALS_MAX) return undefined;
    return this.#count === 1 ? 0 : this.#delay.next(undefined);
  }
}
