/**
 * The listen streams of one upstream's clients, or of one audience of them, over one
 * `subscriptions/listen` of ours: the machine's decisions carried out. A change is encoded once for
 * every subscription id that receives it.
 */
import { legacyNotification } from '../core/bridge/legacy-client/legacy-notification.ts';
import type { Refusal } from '../core/errors.ts';
import type { Origin } from '../core/grant.ts';
import { META } from '../core/protocol/eras/stateless-2026.ts';
import { Message } from '../core/protocol/message.ts';
import { encodeEvent } from '../core/protocol/sse-encoder.ts';
import {
  Subscriptions,
  charsOf,
  filterText,
  hasTasks,
  readFilter,
  subjectOf,
  type Filter,
  type Subscription,
  type SubscriptionDecision,
} from '../core/sessions/subscription.ts';
import type { Instance } from './instance.ts';
import type { UpstreamCall } from './upstream-call.ts';
import type { Listener } from './listener.ts';
import { OUR_ENVELOPE, OUR_ENVELOPE_WITH_TASKS } from './our-envelope.ts';

/** A listen of ours. */
interface OpenListen {
  readonly call: UpstreamCall;
  /** Ends the wait for its acknowledgment. */
  readonly disarm: () => void;
}

/**
 * A listen of ours takes at most this part of a line of its server's: JSON makes up to six
 * characters of one, and an acknowledgment has to fit whatever they are.
 */
const PART_OF_LINE = 8;

export class ListenHub {
  readonly #instance: Instance;
  readonly #machine: Subscriptions = new Subscriptions();
  readonly #listeners = new Map<Subscription, Listener>();
  readonly #calls = new Map<number, OpenListen>();
  /** Of all that its listeners opted in to. */
  #chars = 0;
  /** The newest listener's: to policies all of them are alike. */
  #origin: Origin | undefined;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Whether nobody listens and nothing is open upstream. */
  get isIdle(): boolean {
    return this.#listeners.size === 0 && this.#calls.size === 0;
  }

  /** Whether one listen upstream can name this, too; one that is too long alone has its own. */
  hasRoomFor(filter: Filter): boolean {
    const charsMax = this.#instance.ports.limits.upstreamLineBytesMax / PART_OF_LINE;
    return this.#listeners.size === 0 || this.#chars + charsOf(filter) <= charsMax;
  }

  open(filter: Filter, listener: Listener): Subscription {
    this.#origin = listener.origin ?? this.#origin;
    const outbox: SubscriptionDecision[] = [];
    const subscription = this.#machine.open(filter, outbox);
    this.#listeners.set(subscription, listener);
    this.#chars += charsOf(filter);
    this.#carryOut(outbox);
    return subscription;
  }

  close(subscription: Subscription): void {
    const outbox: SubscriptionDecision[] = [];
    this.#forget(subscription);
    this.#machine.close(subscription, outbox);
    this.#carryOut(outbox);
  }

  /** The upstream is new: one listen for all is opened, and listeners are told to look again. */
  restarted(): void {
    for (const { disarm } of this.#calls.values()) disarm();
    this.#calls.clear();
    const listening = this.#machine.all().filter(({ state }) => state === 'listening');
    const outbox: SubscriptionDecision[] = [];
    this.#machine.restarted(outbox);
    this.#carryOut(outbox);
    for (const each of listening) this.#lookAgain(each);
  }

  /** A notification stamped with the number of one of our listens. */
  received(message: Message): void {
    const span = message.spans.subscriptionId;
    const number = Number(message.token(span));
    if (span === undefined || !this.#calls.has(number)) return;
    const params = message.value as { notifications?: unknown };
    if (message.method === 'notifications/subscriptions/acknowledged') {
      this.#calls.get(number)?.disarm();
      const outbox: SubscriptionDecision[] = [];
      this.#machine.acknowledged(number, readFilter(params.notifications), outbox);
      this.#carryOut(outbox);
      return;
    }
    const subject = subjectOf(message.method, params);
    const frames = new Map<string, string>();
    let plain: Message | undefined;
    for (const subscription of this.#machine.receivers(number, message.method ?? '', subject)) {
      const listener = this.#listeners.get(subscription);
      if (listener === undefined || listener.hears?.(message) === false) continue;
      if (listener.changed !== undefined) {
        plain ??= legacyNotification(message);
        listener.changed(plain);
        continue;
      }
      let frame = frames.get(listener.id);
      if (frame === undefined) {
        frame = encodeEvent('message', message.withReplaced(span, listener.id).toText());
        frames.set(listener.id, frame);
      }
      listener.deliver(frame);
    }
  }

  #carryOut(outbox: SubscriptionDecision[]): void {
    for (let index = 0; index < outbox.length; index += 1) {
      const decision = outbox[index];
      if (decision === undefined) continue;
      if (decision.do === 'listen') this.#listen(decision.filter);
      else if (decision.do === 'unlisten') this.#unlisten(decision.number);
      else {
        const { subscription } = decision;
        this.#listeners.get(subscription)?.acknowledged(subscription.honoured);
      }
    }
  }

  #listen(filter: Filter): void {
    if (this.#instance.state !== 'ready') return;
    const notifications = filterText(filter);
    const meta = JSON.stringify(hasTasks(filter) ? OUR_ENVELOPE_WITH_TASKS : OUR_ENVELOPE);
    const params = `{"_meta":${meta},"notifications":${notifications}}`;
    let number: number | undefined;
    const done = (answer: Message | Refusal): void => {
      if (number === undefined || this.#take(number) === undefined) return;
      // One that went with its server is opened again by a restart.
      const isOver = answer instanceof Message || this.#instance.state === 'ready';
      if (isOver) this.#ended(number, answer);
    };
    const call = this.#instance.ask('subscriptions/listen', params, done, this.#origin);
    if (call === undefined) {
      this.#machine.asked(-1, filter);
      this.#ended(-1, { error: 'UPSTREAM_BUSY' });
      return;
    }
    number = call.number;
    this.#calls.set(number, { call, disarm: this.#expire(call) });
    this.#machine.asked(number, filter);
  }

  /** One that is never acknowledged would keep everybody waiting who needs a wider one. */
  #expire(call: UpstreamCall): () => void {
    const { clock, limits } = this.#instance.ports;
    return clock.after(limits.upstreamStartMsMax, () => {
      if (this.#take(call.number) === undefined) return;
      this.#instance.cancel(call, 'it was not acknowledged in time');
      this.#ended(call.number, { error: 'CALL_TIMED_OUT' });
    });
  }

  #unlisten(number: number): void {
    const call = this.#take(number);
    if (call !== undefined) this.#instance.cancel(call, 'nobody listens');
  }

  #take(number: number): UpstreamCall | undefined {
    const listen = this.#calls.get(number);
    this.#calls.delete(number);
    listen?.disarm();
    return listen?.call;
  }

  #ended(number: number, answer: Message | Refusal): void {
    const failure = answer instanceof Message && !answer.isError ? undefined : answer;
    const outbox: SubscriptionDecision[] = [];
    const affected = this.#machine.ended(number, outbox);
    this.#carryOut(outbox);
    for (const subscription of affected) {
      this.#forget(subscription)?.ended(failure);
    }
  }

  #forget(subscription: Subscription): Listener | undefined {
    const listener = this.#listeners.get(subscription);
    if (this.#listeners.delete(subscription)) this.#chars -= charsOf(subscription.filter);
    return listener;
  }

  #lookAgain(subscription: Subscription): void {
    const listener = this.#listeners.get(subscription);
    if (listener === undefined) return;
    for (const [method, params] of noticesOf(subscription.honoured)) {
      const plain = Message.notification(method, `{${params.slice(1)}}`);
      if (listener.hears?.(plain) === false) continue;
      if (listener.changed !== undefined) {
        listener.changed(plain);
        continue;
      }
      const meta = `"_meta":{"${META.subscriptionId}":${listener.id}}`;
      const text = Message.notification(method, `{${meta}${params}}`).toText();
      listener.deliver(encodeEvent('message', text));
    }
  }
}

/** One change of everything a listener is told of: its method and the rest of its params. */
export function* noticesOf(filter: Filter): Generator<readonly [method: string, params: string]> {
  if (filter.toolsListChanged) yield ['notifications/tools/list_changed', ''];
  if (filter.promptsListChanged) yield ['notifications/prompts/list_changed', ''];
  if (filter.resourcesListChanged) yield ['notifications/resources/list_changed', ''];
  for (const uri of filter.uris) {
    yield ['notifications/resources/updated', `,"uri":${JSON.stringify(uri)}`];
  }
}
