/**
 * How often a server may be started in vain. Beyond it the server is left down for a while, however
 * many sessions ask for it: a start costs a process each time.
 *
 * What a client can cause must not cost others their server. So an end counts only when the process
 * had answered nothing, and any answer of any process clears the count; but where one instance
 * serves everybody, every end of it counts.
 */
import type { Limits } from '../core/limits.ts';

type BudgetLimits = Pick<Limits, 'restartsPerWindowMax' | 'restartWindowMs' | 'restartPauseMs'>;

export class RestartBudget {
  readonly #limits: BudgetLimits;
  readonly #isOfAll: boolean;
  #deaths: number[] = [];
  #pausedUntil = -Infinity;
  /** It was paused, and has not shown since that it works. */
  #isOnProbation = false;

  /** @param isOfAll - whether one instance serves everybody. */
  constructor(limits: BudgetLimits, isOfAll: boolean) {
    this.#limits = limits;
    this.#isOfAll = isOfAll;
  }

  /** An instance ended by itself, or could not be started. */
  died(now: number, hasAnswered: boolean): void {
    if (hasAnswered && !this.#isOfAll) return;
    this.#forget(now);
    this.#deaths.push(now);
    const { restartsPerWindowMax, restartPauseMs } = this.#limits;
    if (!this.#isOnProbation && this.#deaths.length < restartsPerWindowMax) return;
    this.#isOnProbation = true;
    this.#pausedUntil = now + restartPauseMs;
  }

  /** An instance answered for the first time. */
  answered(): void {
    if (!this.#isOfAll) this.reset();
  }

  /** Milliseconds until the next start; 0 for at once. */
  pauseMs(now: number): number {
    return Math.max(0, this.#pausedUntil - now);
  }

  /** Whether it is spent: the server is in a crash loop, as far as is known. */
  isSpent(now: number): boolean {
    this.#forget(now);
    return this.#isOnProbation;
  }

  /** Another chance at once. */
  reset(): void {
    this.#deaths = [];
    this.#pausedUntil = -Infinity;
    this.#isOnProbation = false;
  }

  /** A window without an end shows that it works. */
  #forget(now: number): void {
    const { restartWindowMs } = this.#limits;
    const since = Math.max(this.#deaths.at(-1) ?? -Infinity, this.#pausedUntil);
    if (now - since >= restartWindowMs) this.reset();
    this.#deaths = this.#deaths.filter((at) => now - at < restartWindowMs);
  }
}
