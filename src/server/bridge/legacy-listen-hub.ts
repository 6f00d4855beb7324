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
import { AskLines } from '../ask-lines.ts';
import { askBriefly } from '../ask-briefly.ts';
import { noticesOf } from '../listen-hub.ts';
import type { Listener } from '../listener.ts';
import type { BridgeSession } from './bridge-session.ts';

interface Entry {
  readonly subscription: Subscription;
  readonly listener: Listener;
  /** The key of whose it is. */
  readonly owner: string;
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
  readonly #lines: AskLines;
  /** URIs that are leased, and whose turn to be asked for has not come. */
  readonly #unsent = new Set<string>();
  /** How often all of them were asked for on a session that is new. */
  #restores = 0;
  readonly #sessions: () => readonly BridgeSession[];
  /** The session whose answers decide what is honoured. */
  #primary: BridgeSession | undefined;

  /**
   * @param sessions - all there are: a change that any of them reports is told to everybody.
   * @param askedMax - resources that are asked for at once for one owner.
   */
  constructor(sessions: () => readonly BridgeSession[], askedMax: number) {
    this.#sessions = sessions;
    this.#lines = new AskLines(askedMax);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The session listeners depend on, while there are any. */
  get primary(): BridgeSession | undefined {
    return this.#entries.size === 0 ? undefined : this.#primary;
  }

  open(session: BridgeSession, owner: string, filter: Filter, listener: Listener): Subscription {
    this.#primary = session;
    const subscription: Subscription = { filter, state: 'waiting', honoured: filter };
    const entry: Entry = {
      subscription,
      listener,
      owner,
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
    if (canSubscribe(session)) this.#restore(session);
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

  #restore(session: BridgeSession): void {
    this.#restores += 1;
    const restore = this.#restores;
    const isKnown = new Set<string>();
    for (const { owner, leased } of this.#entries.values()) {
      for (const uri of leased) {
        if (isKnown.has(uri)) continue;
        isKnown.add(uri);
        this.#lines.add(owner, `again ${restore} ${uri}`, (done) => {
          if (this.#leases.has(uri)) tell([session], 'resources/subscribe', uri, done);
          else done();
        });
      }
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
    if (step === 'ask') this.#unsent.add(uri);
    if (step === 'held') entry.asked.delete(uri);
    // In the line of each that waits for it: that of one may be long.
    else if (this.#unsent.has(uri)) {
      this.#lines.add(entry.owner, uri, (done) => this.#ask(session, uri, done));
    }
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

  #ask(session: BridgeSession, uri: string, done: () => void): void {
    if (!this.#unsent.delete(uri)) {
      done();
      return;
    }
    let isHalf = false;
    askBriefly(session.instance, 'resources/subscribe', { uri }, (answer) => {
      const outcome = outcomeOf(answer);
      const waiting = this.#leases.waiting(uri);
      if (this.#leases.settled(uri, outcome === true)) this.#unsubscribe(uri);
      // Others may have granted what nobody is told of now.
      else if (outcome !== true) this.#unsubscribe(uri, session);
      for (const each of waiting) this.#answered(each, uri, outcome);
      if (isHalf) done();
      isHalf = true;
    });
    tell(this.#listening(session), 'resources/subscribe', uri, () => {
      if (isHalf) done();
      isHalf = true;
    });
  }

  /** Sessions that can subscribe now, but for this one. */
  #listening(except?: BridgeSession): readonly BridgeSession[] {
    return this.#sessions().filter(
      (each) => each !== except && each.instance.state === 'ready' && canSubscribe(each),
    );
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
    if (this.#leases.release(uri, entry)) this.#unsubscribe(uri, undefined, entry.owner);
    if (!this.#unsent.has(uri)) return;
    const waiting = this.#leases.waiting(uri);
    if (!waiting.some(({ owner }) => owner === entry.owner)) this.#lines.drop(entry.owner, uri);
    if (waiting.length > 0) return;
    this.#unsent.delete(uri);
    this.#leases.settled(uri, false);
  }

  /**
   * @param asked - which refused it, and needs no word of that.
   * @param owner - whoever held it last.
   */
  #unsubscribe(uri: string, asked?: BridgeSession, owner: string = ''): void {
    this.#lines.add(owner, `unsubscribe ${uri}`, (done) => {
      // Somebody may have come for it meanwhile.
      if (this.#leases.has(uri)) done();
      else tell(this.#listening(asked), 'resources/unsubscribe', uri, done);
    });
  }
}

function canSubscribe({ server }: BridgeSession): boolean {
  const resources = server?.capabilities['resources'] as { subscribe?: unknown } | undefined;
  return resources?.subscribe === true;
}

/**
 * Asks for something whose answer changes nothing.
 * @param done - called when all have answered.
 */
function tell(
  sessions: readonly BridgeSession[],
  method: string,
  uri: string,
  done: () => void,
): void {
  let left = sessions.length;
  if (left === 0) done();
  for (const { instance } of sessions) {
    askBriefly(instance, method, { uri }, () => {
      left -= 1;
      if (left === 0) done();
    });
  }
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
