/**
 * Which resources are subscribed upstream, and for whom: the first asks, the last gives back.
 * Whoever gives one back while it is asked for is kept no longer, however long the answer takes.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/resources#subscriptions
 */
export type LeaseState = 'asking' | 'held';

interface Lease<Holder> {
  state: LeaseState;
  readonly holders: Set<Holder>;
}

export class Leases<Holder> {
  readonly #leases = new Map<string, Lease<Holder>>();

  uris(): readonly string[] {
    return [...this.#leases.keys()];
  }

  has(uri: string): boolean {
    return this.#leases.has(uri);
  }

  get size(): number {
    return this.#leases.size;
  }

  /** @returns what the holder must do: subscribe, wait for who does, or nothing. */
  acquire(uri: string, holder: Holder): 'ask' | 'wait' | 'held' {
    const lease = this.#leases.get(uri);
    if (lease === undefined) {
      this.#leases.set(uri, { state: 'asking', holders: new Set([holder]) });
      return 'ask';
    }
    lease.holders.add(holder);
    return lease.state === 'held' ? 'held' : 'wait';
  }

  /** Who waits for the outcome of subscribing; nobody once that is known. */
  waiting(uri: string): readonly Holder[] {
    const lease = this.#leases.get(uri);
    return lease?.state === 'asking' ? [...lease.holders] : [];
  }

  /** The outcome of subscribing. @returns whether nobody wants it any more. */
  settled(uri: string, isGranted: boolean): boolean {
    const lease = this.#leases.get(uri);
    if (lease === undefined) return false;
    if (isGranted && lease.holders.size > 0) {
      lease.state = 'held';
      return false;
    }
    this.#leases.delete(uri);
    return isGranted;
  }

  /** @returns whether to unsubscribe now; one that is still asked for ends when it is settled. */
  release(uri: string, holder: Holder): boolean {
    const lease = this.#leases.get(uri);
    if (lease?.holders.delete(holder) !== true) return false;
    if (lease.holders.size > 0 || lease.state === 'asking') return false;
    this.#leases.delete(uri);
    return true;
  }
}
