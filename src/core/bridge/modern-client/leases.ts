/**
 * Which resources are subscribed upstream, for how many listeners: the first asks, the last gives
 * back.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/resources#subscriptions
 */
export type LeaseState = 'asking' | 'held';

interface Lease {
  state: LeaseState;
  holders: number;
}

export class Leases {
  readonly #leases = new Map<string, Lease>();

  uris(): readonly string[] {
    return [...this.#leases.keys()];
  }

  get size(): number {
    return this.#leases.size;
  }

  /** @returns what the holder must do: subscribe, wait for who does, or nothing. */
  acquire(uri: string): 'ask' | 'wait' | 'held' {
    const lease = this.#leases.get(uri);
    if (lease === undefined) {
      this.#leases.set(uri, { state: 'asking', holders: 1 });
      return 'ask';
    }
    lease.holders += 1;
    return lease.state === 'held' ? 'held' : 'wait';
  }

  /** The outcome of subscribing. @returns whether nobody wants it any more. */
  settled(uri: string, isGranted: boolean): boolean {
    const lease = this.#leases.get(uri);
    if (lease === undefined) return false;
    if (isGranted && lease.holders > 0) {
      lease.state = 'held';
      return false;
    }
    this.#leases.delete(uri);
    return isGranted;
  }

  /** @returns whether to unsubscribe now; one that is still asked for ends when it is settled. */
  release(uri: string): boolean {
    const lease = this.#leases.get(uri);
    if (lease === undefined || lease.holders === 0) return false;
    lease.holders -= 1;
    if (lease.holders > 0 || lease.state === 'asking') return false;
    this.#leases.delete(uri);
    return true;
  }
}
