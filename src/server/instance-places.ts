/**
 * How many upstream instances there may be: of the endpoint in all, and of each account whose an
 * instance is. Its isolation says whose it is: what serves several is on the account of none.
 */
import type { Refusal } from '../core/errors.ts';
import type { Account, Gate, Visitor } from '../core/gate.ts';

/** Who shares one upstream instance. */
export type Isolation = 'session' | 'principal' | 'tenant' | 'shared';

/** Held from before an instance is started until it is closed, its restarts included. */
export interface InstancePlace {
  /** The first time counts. */
  giveBack(): void;
}

/** A session is opened from one address; a principal may come from anywhere. */
const ACCOUNTS_OF: Readonly<Record<Isolation, readonly Account[]>> = {
  session: ['address', 'principal', 'tenant', 'server'],
  principal: ['principal', 'tenant', 'server'],
  tenant: ['tenant', 'server'],
  shared: ['server'],
};

export class InstancePlaces {
  readonly #gate: Gate | undefined;
  readonly #max: number;
  readonly #common: Isolation;
  #taken = 0;

  /**
   * @param gate - undefined: nothing is counted by account.
   * @param max - instances of the endpoint.
   */
  constructor(gate: Gate | undefined, max: number, isolation: Isolation) {
    this.#gate = gate;
    this.#max = max;
    // What is no session's own is its principal's, for there all of them share it.
    this.#common = isolation === 'session' ? 'principal' : isolation;
  }

  /** Instances there are. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * For an instance that is about to be started.
   * @param isOwn - whether it is for one session alone.
   */
  take(visitor: Visitor, isOwn: boolean = false): InstancePlace | Refusal {
    if (this.#taken >= this.#max) return { error: 'UPSTREAM_BUSY' };
    const accounts = ACCOUNTS_OF[isOwn ? 'session' : this.#common];
    const full = this.#gate?.take(visitor, 'instance', accounts);
    if (full !== undefined) return full;
    this.#taken += 1;
    let isHeld = true;
    return {
      giveBack: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#taken -= 1;
        this.#gate?.giveBack(visitor, 'instance', accounts);
      },
    };
  }

  /** Whether `take` would give a place that is no session's own. Nobody is refused by asking. */
  hasRoom(visitor: Visitor): boolean {
    if (this.#taken >= this.#max) return false;
    return this.#gate?.hasPlace(visitor, 'instance', ACCOUNTS_OF[this.#common]) ?? true;
  }
}
