/**
 * When one instance is started again: after its own backoff, and out of the budget that all
 * instances of its server share.
 */
import type { Randomness } from '../core/ports.ts';
import { Backoff } from './backoff.ts';
import type { RestartBudget } from './restart-budget.ts';

export class Restarts {
  readonly #budget: RestartBudget;
  readonly #backoff: Backoff;
  /** In this run. */
  #hasAnswered = false;

  constructor(budget: RestartBudget, random: Randomness) {
    this.#budget = budget;
    this.#backoff = new Backoff(random);
  }

  /** Deaths in a row without a stable run between them. */
  get failures(): number {
    return this.#backoff.failures;
  }

  /** Milliseconds until the next start; 0 for at once. */
  pauseMs(now: number): number {
    return this.#budget.pauseMs(now);
  }

  /** A run begins. */
  starting(): void {
    this.#hasAnswered = false;
  }

  /** The upstream answered a request. */
  answered(): void {
    if (!this.#hasAnswered) this.#budget.answered();
    this.#hasAnswered = true;
  }

  /** Its handshake is over. */
  ready(now: number): void {
    this.#backoff.started(now);
  }

  /** The run is over. @returns milliseconds to wait before the next. */
  down(now: number): number {
    this.#budget.died(now, this.#hasAnswered);
    return Math.max(this.#backoff.failed(now), this.#budget.pauseMs(now));
  }
}
