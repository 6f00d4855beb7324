/** The bridges of one endpoint for 2026 clients, one for each key of the pool. */
import type { Refusal } from '../../core/errors.ts';
import type { Visitor } from '../../core/gate.ts';
import type { Principal } from '../../core/ports.ts';
import type { Message } from '../../core/protocol/message.ts';
import type { InstancePlaces } from '../instance-places.ts';
import type { ModernUpstream } from '../modern-upstream.ts';
import type { BridgePorts } from './bridge-ports.ts';
import type { BridgeSession } from './bridge-session.ts';
import { ModernClient } from './modern-client.ts';
import { ModernOverLegacy } from './modern-over-legacy.ts';

export class ModernBridges {
  readonly #portsFor: (principal: Principal) => BridgePorts;
  readonly #isPrivate: boolean;
  readonly #places: InstancePlaces;
  readonly #bridges = new Map<string, ModernOverLegacy>();

  /**
   * @param portsFor - the ports of the bridge that a principal is the first to use.
   * @param isPrivate - whether a key stands for one principal alone.
   * @param places - those of upstream sessions.
   */
  constructor(
    portsFor: (principal: Principal) => BridgePorts,
    isPrivate: boolean,
    places: InstancePlaces,
  ) {
    this.#portsFor = portsFor;
    this.#isPrivate = isPrivate;
    this.#places = places;
  }

  /** Requests somebody waits for. */
  get pending(): number {
    let sum = 0;
    for (const bridge of this.#bridges.values()) sum += bridge.pending;
    return sum;
  }

  /** The most deaths in a row of any session: a crash loop. */
  get failures(): number {
    const failing = this.#sessions().filter(({ instance }) => instance.state !== 'ready');
    return Math.max(0, ...failing.map(({ instance }) => instance.failures));
  }

  isNew(key: string): boolean {
    return !this.#bridges.has(key);
  }

  /** @returns why there is none when no session may be opened for such a client. */
  of(key: string, visitor: Visitor, message: Message): ModernUpstream | Refusal {
    let bridge = this.#bridges.get(key);
    if (bridge === undefined) {
      bridge = new ModernOverLegacy(
        this.#portsFor(visitor.principal),
        this.#isPrivate,
        this.#places,
      );
      this.#bridges.set(key, bridge);
    }
    const client = new ModernClient(bridge, visitor, message);
    return client.refusal ?? client;
  }

  expire(now: number): void {
    for (const bridge of this.#bridges.values()) bridge.expire(now);
  }

  /** @returns whether the bridge of this key is needed and stays. */
  closeIdle(key: string): boolean {
    const bridge = this.#bridges.get(key);
    if (bridge === undefined) return false;
    if (!bridge.isIdle) return true;
    this.#bridges.delete(key);
    bridge.close();
    return false;
  }

  /** Starts at once what waits to be started. */
  retry(): void {
    for (const { instance } of this.#sessions()) instance.start();
  }

  close(): void {
    for (const bridge of this.#bridges.values()) bridge.close();
    this.#bridges.clear();
  }

  #sessions(): readonly BridgeSession[] {
    return [...this.#bridges.values()].flatMap(({ sessions }) => sessions);
  }
}
