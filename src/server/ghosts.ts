/** Milliseconds that a call which was given up may go on talking, and is not taken for another. */
export const GHOST_MS = 60_000;

/**
 * Calls that were given up while the upstream may still work on them, by their numbers: what it
 * says may be theirs, until it answers them all the same or their time is over.
 */
export class Ghosts {
  readonly #max: number;
  readonly #until = new Map<number, number>();

  /** @param max - the oldest of more than these is forgotten. */
  constructor(max: number) {
    this.#max = max;
  }

  add(number: number, now: number): void {
    this.#until.set(number, now + GHOST_MS);
    const [oldest] = this.#until.keys();
    if (this.#until.size > this.#max && oldest !== undefined) this.#until.delete(oldest);
  }

  /** It was answered late. */
  answered(id: string | undefined): void {
    this.#until.delete(Number(id));
  }

  areAbout(now: number): boolean {
    for (const [number, until] of this.#until) if (until <= now) this.#until.delete(number);
    return this.#until.size > 0;
  }

  clear(): void {
    this.#until.clear();
  }
}
