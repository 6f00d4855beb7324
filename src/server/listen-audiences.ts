/**
 * Who listens to one upstream, by whom policies take them for. Those who differ for them share no
 * listen: what one is refused would be taken from the others, and what one is allowed, told to all.
 * Nor do more than fit one line: an acknowledgment names all that it honours, and one that is
 * longer than what is read of a server would never be seen, whoever made it so.
 */
import type { Origin } from '../core/grant.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Filter, Subscription } from '../core/sessions/subscription.ts';
import type { Instance } from './instance.ts';
import { ListenHub } from './listen-hub.ts';
import type { Listener } from './listener.ts';

export class ListenAudiences {
  readonly #instance: Instance;
  /** Each with the audience it is for. */
  readonly #hubs = new Map<ListenHub, string>();
  readonly #hubOf = new WeakMap<Subscription, ListenHub>();

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /** Listeners of all. */
  get size(): number {
    let sum = 0;
    for (const { size } of this.#hubs.keys()) sum += size;
    return sum;
  }

  open(filter: Filter, listener: Listener): Subscription {
    const hub = this.#hubFor(audienceOf(listener.origin), filter);
    const subscription = hub.open(filter, listener);
    this.#hubOf.set(subscription, hub);
    return subscription;
  }

  close(subscription: Subscription): void {
    this.#hubOf.get(subscription)?.close(subscription);
  }

  restarted(): void {
    for (const hub of this.#hubs.keys()) hub.restarted();
  }

  received(message: Message): void {
    for (const hub of this.#hubs.keys()) hub.received(message);
  }

  #hubFor(audience: string, filter: Filter): ListenHub {
    for (const hub of this.#hubs.keys()) if (hub.isIdle) this.#hubs.delete(hub);
    for (const [hub, each] of this.#hubs) {
      if (each === audience && hub.hasRoomFor(filter)) return hub;
    }
    const hub = new ListenHub(this.#instance);
    this.#hubs.set(hub, audience);
    return hub;
  }
}

/** All that policies may look at; one for all where no request goes on within this process. */
function audienceOf(origin: Origin | undefined): string {
  if (origin === undefined) return '';
  const { grant, era, method, address } = origin;
  return JSON.stringify([era, method, address, grant.scopes, grant.groups, grant.claims]);
}
