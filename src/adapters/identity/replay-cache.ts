/**
 * What was used once and may not be used again, for as long as it would be taken otherwise. Bounded
 * in all and for each owner; what finds no place is refused, not forgotten.
 *
 * Owners are as many as somebody makes keys, so a tenant has bounds, too: it has no more than
 * thrice what is free. However many fill their part, some is left to whoever comes next.
 */
export interface ReplayCacheOptions {
  /** Milliseconds for which something is remembered. */
  readonly keptMs: number;
  readonly entriesMax: number;
  readonly entriesPerOwnerMax: number;
}

/** Who uses something, and for whom places are counted. */
export interface ReplayOwner {
  readonly tenant: string;
  /** The same whichever tenant it comes for. */
  readonly owner: string;
}

interface Entry extends ReplayOwner {
  readonly until: number;
}

/** How many times as much as is free one tenant may have: three quarters if it is alone. */
const FREE_TIMES = 3;

export class ReplayCache {
  readonly #options: ReplayCacheOptions;
  /** The oldest first: each is kept equally long. */
  readonly #entries = new Map<string, Entry>();
  readonly #ofOwners = new Counts();
  readonly #ofTenants = new Counts();

  constructor(options: ReplayCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @param now - milliseconds that never go back. */
  use({ tenant, owner }: ReplayOwner, id: string, now: number): 'first' | 'again' | 'full' {
    this.#forget(now);
    const key = `${owner.length}:${owner}${id}`;
    if (this.#entries.has(key)) return 'again';
    const { keptMs, entriesMax, entriesPerOwnerMax } = this.#options;
    const free = entriesMax - this.#entries.size;
    const isTenantFull = this.#ofTenants.of(tenant) >= FREE_TIMES * free;
    if (isTenantFull || this.#ofOwners.of(owner) >= entriesPerOwnerMax) return 'full';
    this.#entries.set(key, { tenant, owner, until: now + keptMs });
    this.#ofOwners.add(owner);
    this.#ofTenants.add(tenant);
    return 'first';
  }

  #forget(now: number): void {
    for (const [key, { tenant, owner, until }] of this.#entries) {
      if (until > now) return;
      this.#entries.delete(key);
      this.#ofOwners.take(owner);
      this.#ofTenants.take(tenant);
    }
  }
}

/** How many there are of each name, of those alone of whom there are any. */
class Counts {
  readonly #counts = new Map<string, number>();

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1);
  }

  take(name: string): void {
    const count = this.of(name);
    if (count <= 1) this.#counts.delete(name);
    else this.#counts.set(name, count - 1);
  }
}
