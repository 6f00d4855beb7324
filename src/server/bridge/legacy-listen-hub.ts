/**
 * The listen streams of 2026 clients over servers that publish to whole sessions: each listener is
 * given what it opted in to and the server declares, stamped with its id. Resources are subscribed
 * upstream once, however many listen.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { Leases } from '../../core/bridge/modern-client/leases.ts';
import type { Refusal } from '../../core/errors.ts';
import { META } from '../../core/protocol/eras/stateless-2026.ts';
import { Message } from '../../core/protocol/message.ts';
import { encodeEvent } from '../../core/protocol/sse-encoder.ts';
import { wants, type Filter, type Subscription } from '../../core/sessions/subscription.ts';
import { askBriefly } from '../ask-briefly.ts';
import { noticesOf } from '../listen-hub.ts';
import type { Listener } from '../listener.ts';
import type { BridgeSession } from './bridge-session.ts';

interface Entry {
  readonly subscription: Subscription;
  readonly listener: Listener;
  /** URIs it holds a lease of. */
  readonly leased: Set<string>;
  /** URIs that are honoured, as far as is known. */
  honoured: Set<string>;
  /** Those of them that upstream has not granted yet: it cannot be acknowledged. */
  readonly asked: Set<string>;
  /** Ends the wait for them. */
  disarm: () => void;
  /** Changes that came before the acknowledgment. */
  early: EarlyChange[];
}

interface EarlyChange {
  readonly method: string;
  readonly uri: string | undefined;
  readonly frame: string;
}

/** Changes kept for a listener that is not acknowledged yet; the oldest go first. */
const EARLY_MAX = 256;

export class LegacyListenHub {
  readonly #entries = new Map<Subscription, Entry>();
  readonly #leases = new Leases<Entry>();
  readonly #sessions: () => readonly BridgeSession[];
  /** The session whose answers decide what is honoured. */
  #primary: BridgeSession | undefined;

  /** @param sessions - all there are: a change that any of them reports is told to everybody. */
  constructor(sessions: () => readonly BridgeSession[]) {
    this.#sessions = sessions;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The session listeners depend on, while there are any. */
  get primary(): BridgeSession | undefined {
    return this.#entries.size === 0 ? undefined : this.#primary;
  }

  open(session: BridgeSession, filter: Filter, listener: Listener): Subscription {
    this.#primary = session;
    const subscription: Subscription = { filter, state: 'waiting', honoured: filter };
    const entry: Entry = {
      subscription,
      listener,
      leased: new Set(),
      honoured: new Set(),
      asked: new Set(),
      disarm: () => {},
      early: [],
    };
    this.#entries.set(subscription, entry);
    session.whenReady(() => this.#subscribe(session, entry));
    return subscription;
  }

  close(subscription: Subscription): void {
    const entry = this.#entries.get(subscription);
    if (entry === undefined) return;
    subscription.state = 'ended';
    entry.disarm();
    this.#entries.delete(subscription);
    for (const uri of entry.leased) this.#release(uri, entry);
  }

  /** A session is open: what is subscribed must be so there, too. After a restart, look again. */
  ready(session: BridgeSession, isRestart: boolean): void {
    if (canSubscribe(session)) {
      for (const uri of this.#leases.uris()) tell(session, 'resources/subscribe', uri);
    }
    if (!isRestart || session !== this.#primary) return;
    for (const { subscription, listener } of this.#entries.values()) {
      if (subscription.state !== 'listening') continue;
      for (const [method, params] of noticesOf(subscription.honoured)) {
        const plain = Message.notification(method, `{${params.slice(1)}}`);
        if (listener.hears?.(plain) === false) continue;
        listener.deliver(frameFor(listener.id, method, params));
      }
    }
  }

  /** A session reports a change. */
  changed(message: Message): void {
    const method = message.method ?? '';
    const { uri } = (message.value ?? {}) as { uri?: unknown };
    const named = typeof uri === 'string' ? uri : undefined;
    const params = named === undefined ? '' : `,"uri":${JSON.stringify(named)}`;
    const frames = new Map<string, string>();
    for (const entry of this.#entries.values()) {
      const { subscription, listener } = entry;
      if (!wants(subscription.honoured, method, named)) continue;
      if (listener.hears?.(message) === false) continue;
      const frame = frames.get(listener.id) ?? frameFor(listener.id, method, params);
      frames.set(listener.id, frame);
      if (subscription.state === 'listening') listener.deliver(frame);
      else if (entry.early.push({ method, uri: named, frame }) > EARLY_MAX) entry.early.shift();
    }
  }

  #subscribe(session: BridgeSession, entry: Entry): void {
    const { subscription } = entry;
    if (subscription.state === 'ended') return;
    if (session.isDown) {
      this.#fail(entry, { error: 'UPSTREAM_UNAVAILABLE' });
      return;
    }
    const capabilities = session.server?.capabilities ?? {};
    const { filter } = subscription;
    const isTold = (kind: string): boolean =>
      (capabilities[kind] as { listChanged?: unknown } | undefined)?.listChanged === true;
    const uris = canSubscribe(session) ? new Set(filter.uris) : new Set<string>();
    subscription.honoured = {
      toolsListChanged: filter.toolsListChanged && isTold('tools'),
      promptsListChanged: filter.promptsListChanged && isTold('prompts'),
      resourcesListChanged: filter.resourcesListChanged && isTold('resources'),
      uris,
      taskIds: filter.taskIds,
    };
    entry.honoured = uris;
    for (const uri of uris) entry.asked.add(uri);
    for (const uri of uris) {
      this.#lease(session, entry, uri);
      if (!this.#entries.has(subscription)) return;
    }
    this.#settle(entry);
    if (subscription.state !== 'waiting') return;
    const { clock, limits } = session.instance.ports;
    entry.disarm = clock.after(limits.subscribeMsMax, () => this.#waited(entry));
  }

  #lease(session: BridgeSession, entry: Entry, uri: string): void {
    entry.leased.add(uri);
    const step = this.#leases.acquire(uri, entry);
    if (step === 'held') entry.asked.delete(uri);
    else if (step === 'ask') this.#ask(session, uri);
  }

  /** What the server said nothing of is left out, rather than keep the rest waiting. */
  #waited(entry: Entry): void {
    for (const uri of entry.asked) {
      entry.honoured.delete(uri);
      entry.leased.delete(uri);
      this.#release(uri, entry);
    }
    entry.asked.clear();
    this.#settle(entry);
  }

  #ask(session: BridgeSession, uri: string): void {
    askBriefly(session.instance, 'resources/subscribe', { uri }, (answer) => {
      const outcome = outcomeOf(answer);
      const waiting = this.#leases.waiting(uri);
      if (this.#leases.settled(uri, outcome === true)) this.#unsubscribe(uri);
      // Others may have granted what nobody is told of now.
      else if (outcome !== true) this.#unsubscribe(uri, session);
      for (const each of waiting) this.#answered(each, uri, outcome);
    });
    for (const other of this.#sessions()) {
      if (other !== session && other.instance.state === 'ready' && canSubscribe(other)) {
        tell(other, 'resources/subscribe', uri);
      }
    }
  }

  #answered(entry: Entry, uri: string, outcome: boolean | Refusal): void {
    entry.asked.delete(uri);
    if (outcome !== true) {
      entry.honoured.delete(uri);
      entry.leased.delete(uri);
    }
    if (typeof outcome === 'boolean') this.#settle(entry);
    else this.#fail(entry, outcome);
  }

  #settle(entry: Entry): void {
    const { subscription, listener, asked } = entry;
    if (asked.size > 0 || subscription.state !== 'waiting') return;
    entry.disarm();
    subscription.state = 'listening';
    const { honoured } = subscription;
    listener.acknowledged(honoured);
    for (const { method, uri, frame } of entry.early.splice(0)) {
      if (wants(honoured, method, uri)) listener.deliver(frame);
    }
  }

  #fail(entry: Entry, refusal: Refusal): void {
    if (!this.#entries.has(entry.subscription)) return;
    this.close(entry.subscription);
    entry.listener.ended(refusal);
  }

  #release(uri: string, entry: Entry): void {
    if (this.#leases.release(uri, entry)) this.#unsubscribe(uri);
  }

  /** @param asked - which refused it, and needs no word of that. */
  #unsubscribe(uri: string, asked?: BridgeSession): void {
    for (const session of this.#sessions()) {
      if (session === asked || session.instance.state !== 'ready') continue;
      if (canSubscribe(session)) tell(session, 'resources/unsubscribe', uri);
    }
  }
}

function canSubscribe({ server }: BridgeSession): boolean {
  const resources = server?.capabilities['resources'] as { subscribe?: unknown } | undefined;
  return resources?.subscribe === true;
}

/** Asks for something whose answer changes nothing. */
function tell({ instance }: BridgeSession, method: string, uri: string): void {
  askBriefly(instance, method, { uri });
}

/** Whether it is granted, or why nobody knows. A server that says nothing grants nothing. */
function outcomeOf(answer: Message | Refusal): boolean | Refusal {
  if (!('error' in answer)) return !answer.isError;
  return answer.error === 'CALL_TIMED_OUT' ? false : answer;
}

function frameFor(id: string, method: string, params: string): string {
  const meta = `"_meta":{"${META.subscriptionId}":${id}}`;
  return encodeEvent('message', Message.notification(method, `{${meta}${params}}`).toText());
}
