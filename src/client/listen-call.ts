/**
 * One `subscriptions/listen`, kept up: a stream that breaks is opened again, and since changes may
 * have been missed meanwhile, everything that was listened to is reported as changed.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { META } from '../core/protocol/eras/stateless-2026.ts';
import { Message } from '../core/protocol/message.ts';
import { readFilter, type Filter } from '../core/sessions/subscription.ts';
import type { ClientContext } from './client-context.ts';
import { BAD_REPLY, CONNECTION_LOST, failedCall, unavailable } from './failed-call.ts';
import type { OpenCall } from './modern-call.ts';
import { modernRequest } from './modern-request.ts';
import { ReconnectDelay } from './reconnect-delay.ts';
import { Reply, type ReplyEnd } from './reply.ts';
import { answerIn } from './reply-end.ts';

export interface ListenCallEvents {
  /** A message of the stream: the acknowledgment, a change, or at last the answer. */
  message(message: Message): void;
  /** It was answered and is over. */
  ended(call: ListenCall): void;
  stray(kind: string): void;
}

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
/** Streams in a row that do not stand for a while, after which it is given up. */
const ATTEMPTS_MAX = 8;

export class ListenCall implements OpenCall {
  readonly id: string;
  readonly #context: ClientContext;
  readonly #request: Message;
  place = -1;
  readonly #events: ListenCallEvents;
  readonly #delay: ReconnectDelay;
  #reply: Reply | undefined;
  #honoured: Filter | undefined;
  /** When the stream that is open was acknowledged. */
  #acknowledgedAt: number | undefined;
  #isOver = false;
  #disarm: (() => void) | undefined;

  constructor(context: ClientContext, request: Message, events: ListenCallEvents) {
    this.#context = context;
    this.#request = request;
    this.#events = events;
    this.#delay = new ReconnectDelay(context.random);
    this.id = request.id ?? 'null';
  }

  start(): void {
    const post = modernRequest(this.#context, this.#request, []);
    if (post === undefined) return;
    this.#reply = new Reply(this.#context, post, {
      onMessage: (message) => this.#received(message),
      onOversized: () => this.#events.stray('oversized'),
      onEnd: (end) => this.#broke(end),
    });
  }

  abort(): void {
    this.#isOver = true;
    this.#disarm?.();
    this.#reply?.abort();
  }

  #received(message: Message): void {
    if (this.#isOver) return;
    if (message.kind === 'response' && message.id === this.id) {
      this.#answer(message);
    } else if (message.kind !== 'notification') {
      this.#events.stray(message.kind);
    } else if (message.method === ACKNOWLEDGED) {
      this.#acknowledged(message);
    } else {
      this.#events.message(message);
    }
  }

  #acknowledged(message: Message): void {
    this.#acknowledgedAt = this.#context.clock.now();
    const isFirst = this.#honoured === undefined;
    const params = message.value as { notifications?: unknown } | undefined;
    this.#honoured = readFilter(params?.notifications);
    if (isFirst) this.#events.message(message);
    else for (const notice of noticesOf(this.#honoured, this.id)) this.#events.message(notice);
  }

  #broke(end: ReplyEnd): void {
    if (this.#isOver) return;
    const answer = answerIn(end, this.id);
    if (answer !== undefined) {
      this.#answer(answer);
      return;
    }
    if (this.#acknowledgedAt !== undefined) {
      this.#delay.stood(this.#context.clock.now() - this.#acknowledgedAt);
      this.#acknowledgedAt = undefined;
    }
    // What was never acknowledged was never promised to last.
    if (this.#honoured === undefined || this.#delay.failures >= ATTEMPTS_MAX) {
      const refusal = end.kind === 'bad' ? BAD_REPLY : CONNECTION_LOST;
      const isDown = end.kind === 'unsent' || end.kind === 'refused';
      this.#answer(failedCall(this.id, isDown ? unavailable(end) : refusal));
      return;
    }
    const askedMs = end.kind === 'refused' ? end.retryAfterMs : this.#reply?.retryMs;
    const delayMs = this.#delay.next(askedMs);
    this.#context.telemetry.count('upstream_reconnects_total', { kind: 'listen' });
    this.#disarm = this.#context.clock.after(delayMs, () => this.start());
  }

  #answer(message: Message): void {
    this.#isOver = true;
    this.#reply?.release();
    this.#events.message(message);
    this.#events.ended(this);
  }
}

/** Look again: one change of everything that is listened to. */
function* noticesOf(honoured: Filter, id: string): Generator<Message> {
  if (honoured.toolsListChanged) yield notice('tools/list_changed', id, '');
  if (honoured.promptsListChanged) yield notice('prompts/list_changed', id, '');
  if (honoured.resourcesListChanged) yield notice('resources/list_changed', id, '');
  for (const uri of honoured.uris) {
    yield notice('resources/updated', id, `,"uri":${JSON.stringify(uri)}`);
  }
}

/** With the place of its stamp, which whoever relays it replaces by the id of its own listen. */
function notice(name: string, id: string, rest: string): Message {
  const head = `{"_meta":{"${META.subscriptionId}":`;
  const subscriptionId = { start: head.length, end: head.length + id.length };
  return Message.notification(`notifications/${name}`, `${head}${id}}${rest}}`, { subscriptionId });
}
