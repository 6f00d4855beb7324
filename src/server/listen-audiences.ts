/**
 * Who listens to one upstream, by whom policies take them for. Those who differ for them share no
 * listen: what one is refused would be taken from the others, and what one is allowed, told to all.
 */
import type { Origin } from '../core/grant.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Filter, Subscription } from '../core/sessions/subscription.ts';
import type { Instance } from './instance.ts';
import { ListenHub } from './listen-hub.ts';
import type { Listener } from './listener.ts';

export class ListenAudiences {
  readonly #instance: Instance;
  readonly #hubs = new Map<string, ListenHub>();
  readonly #hubOf = new WeakMap<Subscription, ListenHub>();

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /** Listeners of all. */
  get size(): number {
    let sum = 0;
    for (const { size } of this.#hubs.values()) sum += size;
    return sum;
  }

  open(filter: Filter, listener: Listener): Subscription {
    for (const [key, hub] of this.#hubs) if (hub.isIdle) this.#hubs.delete(key);
    const key = audienceOf(listener.origin);
    const hub = this.#hubs.get(key) ?? new ListenHub(this.#instance);
    this.#hubs.set(key, hub);
    const subscription = hub.open(filter, listener);
    this.#hubOf.set(subscription, hub);
    return subscription;
  }

  close(subscription: Subscription): void {
    this.#hubOf.get(subscription)?.close(subscription);
  }

  restarted(): void {
    for (const hub of this.#hubs.values()) hub.restarted();
  }

  received(message: Message): void {
    for (const hub of this.#hubs.values()) hub.received(message);
  }
}

/** All that policies may look at; one for all where no request goes on within this process. */
function audienceOf(origin: Origin | undefined): string {
  if (origin === undefined) return '';
  const { grant, era, method, address } = origin;
  return JSON.stringify([era, method, address, grant.scopes, grant.groups, grant.claims]);
}
