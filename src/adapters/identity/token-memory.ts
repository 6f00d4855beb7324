/** Tokens of which one thing is known for a while, by their digests. Of too many the oldest go. */
export class TokenMemory {
  readonly #keptMs: number;
  readonly #until = new Map<string, number>();

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** @param now - milliseconds that never go back. */
  has(digest: string, now: number): boolean {
    return (this.#until.get(digest) ?? -Infinity) > now;
  }

  add(digest: string, now: number): void {
    this.#until.delete(digest);
    const [oldest] = this.#until.keys();
    if (this.#until.size >= TOKENS_MAX && oldest !== undefined) this.#until.delete(oldest);
    this.#until.set(digest, now + this.#keptMs);
  }
}

/**
 * Of all together: whose a token is that is none, nobody knows. What is pushed
 * out early is looked at once more, and how often that may fail is bounded.
 */
const TOKENS_MAX = 10_000;
