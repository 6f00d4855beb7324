/**
 * What was used once and may not be used again, for as long as it would be taken otherwise. Bounded
 * in all and for each owner; what finds no place is refused, not forgotten.
 */
export interface ReplayCacheOptions {
  /** Milliseconds for which something is remembered. */
  readonly keptMs: number;
  readonly entriesMax: number;
  readonly entriesPerOwnerMax: number;
}

interface Entry {
  readonly owner: string;
  readonly until: number;
}

export class ReplayCache {
  readonly #options: ReplayCacheOptions;
  /** The oldest first: each is kept equally long. */
  readonly #entries = new Map<string, Entry>();
  readonly #counts = new Map<string, number>();

  constructor(options: ReplayCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @param now - milliseconds that never go back. */
  use(owner: string, id: string, now: number): 'first' | 'again' | 'full' {
    this.#forget(now);
    const key = `${owner.length}:${owner}${id}`;
    if (this.#entries.has(key)) return 'again';
    const { keptMs, entriesMax, entriesPerOwnerMax } = this.#options;
    const count = this.#counts.get(owner) ?? 0;
    if (this.#entries.size >= entriesMax || count >= entriesPerOwnerMax) return 'full';
    this.#entries.set(key, { owner, until: now + keptMs });
    this.#counts.set(owner, count + 1);
    return 'first';
  }

  #forget(now: number): void {
    for (const [key, { owner, until }] of this.#entries) {
      if (until > now) return;
      this.#entries.delete(key);
      const count = this.#counts.get(owner) ?? 0;
      if (count <= 1) this.#counts.delete(owner);
      else this.#counts.set(owner, count - 1);
    }
  }
}
