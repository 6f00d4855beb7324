/**
 * The upstream sessions of one bridge, by what their clients declared: which there are, and which
 * goes when there is no room for one more.
 */
import type { Refusal } from '../../core/errors.ts';
import type { Principal } from '../../core/ports.ts';
import type { InstancePlaces } from '../instance-places.ts';
import type { BridgeClient } from './bridge-client.ts';
import type { BridgePorts } from './bridge-ports.ts';
import { BridgeSession, type BridgeSessionKeeper } from './bridge-session.ts';

/** Who uses them. */
export interface SessionGroupsKeeper extends BridgeSessionKeeper {
  readonly ports: BridgePorts;
  /** Listeners depend on it: it makes room for none. */
  isPrimary(session: BridgeSession): boolean;
  /** It is about to be closed. */
  closing(session: BridgeSession): void;
}

export class SessionGroups {
  readonly #keeper: SessionGroupsKeeper;
  readonly #isPrivate: boolean;
  readonly #places: InstancePlaces;
  readonly #groups = new Map<string, BridgeSession[]>();

  /**
   * @param isPrivate - whether one principal alone is served.
   * @param places - those of upstream sessions.
   */
  constructor(keeper: SessionGroupsKeeper, isPrivate: boolean, places: InstancePlaces) {
    this.#keeper = keeper;
    this.#isPrivate = isPrivate;
    this.#places = places;
  }

  /** All there are now. */
  get all(): readonly BridgeSession[] {
    return [...this.#groups.values()].flat();
  }

  /** Those of clients that declared the same. */
  of({ capabilitiesText }: BridgeClient): readonly BridgeSession[] {
    return this.#groupOf(capabilitiesText);
  }

  /** Whether it is the first of its group, which waits for it when it is down. */
  isFirst(session: BridgeSession): boolean {
    return [...this.#groups.values()].some(([first]) => first === session);
  }

  /**
   * Whether a principal may be given one more of those there are: where several share them, one
   * whose calls hold half leaves the others to them.
   */
  mayTakeOneMore({ principal }: BridgeClient): boolean {
    if (this.#isPrivate) return true;
    const held = this.all.filter((each) => each.isHeldBy(principal)).length;
    return held === 0 || 2 * held < this.#max;
  }

  /** Whether one more may be opened; the oldest that is idle is closed for it. */
  makesRoom(client: BridgeClient): boolean {
    return !this.#isBeyondShare(client.principal) && this.#hasRoom(client);
  }

  #hasRoom({ visitor }: BridgeClient): boolean {
    const { all } = this;
    const isFull = all.length >= this.#max;
    if (!isFull && this.#places.hasRoom(visitor)) return true;
    const idle = all.filter((each) => this.#isIdle(each) && !this.#keeper.isPrimary(each));
    const [oldest] = idle.toSorted((one, other) => one.lastUsedAt - other.lastUsedAt);
    if (oldest === undefined) return false;
    this.close(oldest);
    return this.#places.hasRoom(visitor);
  }

  open(client: BridgeClient): BridgeSession | Refusal {
    if (this.#isBeyondShare(client.principal)) return { error: 'UPSTREAM_BUSY' };
    const isFull = !this.#hasRoom(client) && this.all.length >= this.#max;
    const place = isFull ? undefined : this.#places.take(client.visitor);
    if (place === undefined) return { error: 'UPSTREAM_BUSY' };
    if ('error' in place) return place;
    const { capabilities, clientInfo } = client;
    const facts = { capabilities, clientInfo, isPrivate: this.#isPrivate };
    const session = new BridgeSession({ ...this.#keeper.ports, place }, this.#keeper, facts);
    this.#groupOf(client.capabilitiesText).push(session);
    return session;
  }

  close(session: BridgeSession): void {
    this.forget(session);
    this.#keeper.closing(session);
    session.instance.close();
  }

  forget(session: BridgeSession): void {
    for (const group of this.#groups.values()) {
      const index = group.indexOf(session);
      if (index >= 0) group.splice(index, 1);
    }
  }

  clear(): void {
    this.#groups.clear();
  }

  get #max(): number {
    return this.#keeper.ports.limits.bridgedSessionsPerOwnerMax;
  }

  #isIdle({ calls, hasLivingTasks }: BridgeSession): boolean {
    return calls.size === 0 && !hasLivingTasks;
  }

  /** A principal leaves as many as its calls are on, so that whoever comes finds one. */
  #isBeyondShare(principal: Principal): boolean {
    if (this.#isPrivate) return false;
    const busy = this.all.filter((each) => !this.#isIdle(each));
    const held = busy.filter((each) => each.isUsedBy(principal)).length;
    return held > 0 && held >= this.#max - busy.length;
  }

  #groupOf(capabilitiesText: string): BridgeSession[] {
    const known = this.#groups.get(capabilitiesText);
    if (known !== undefined) return known;
    const group: BridgeSession[] = [];
    this.#groups.set(capabilitiesText, group);
    return group;
  }
}
