/**
 * A server spoken to over HTTP with SSE of 2024-11-05: one stream for everything it says, and POSTs
 * to the address the stream names. When the stream breaks, a server that knows our last event goes
 * on where it was; with any other the conversation begins anew.
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
import type {
  SendOutcome,
  UpstreamClosedCause,
  UpstreamConnection,
  UpstreamEvents,
} from '../core/ports.ts';
import type { OutboundRequest } from '../core/outbound.ts';
import { Message } from '../core/protocol/message.ts';
import type { SseEvent } from '../core/protocol/sse-parser.ts';
import type { ClientContext } from './client-context.ts';
import { resumeLines } from './event-id.ts';
import { CONNECTION_LOST, failedCall, isRepeatable, unavailable } from './failed-call.ts';
import { HandshakeMemory } from './handshake-memory.ts';
import { HeldMessages } from './held-messages.ts';
import { requestIdOf } from './modern-conversation.ts';
import { POST_HEADERS } from './modern-request.ts';
import { OpenQuestions } from './open-questions.ts';
import { Posts } from './posts.ts';
import { ReconnectDelay } from './reconnect-delay.ts';
import { Reply, type ReplyEnd } from './reply.ts';
import { describeEnd } from './reply-end.ts';

const CANCELLED = 'notifications/cancelled';
/** Attempts in a row without a stream, after which the server counts as gone. */
const ATTEMPTS_MAX = 5;
/** Calls that were cancelled and may be answered late; the oldest of more is forgotten. */
const CANCELLED_MAX = 256;
/** Milliseconds the `endpoint` event may take. */
const ENDPOINT_MS_MAX = 30_000;

export class SseConversation implements UpstreamConnection {
  readonly #context: ClientContext;
  readonly #events: UpstreamEvents;
  readonly #onUnsupported: ((end: ReplyEnd) => void) | undefined;
  /** Of every POST; frozen, so that its text is made once. */
  readonly #postHeaders: readonly string[];
  readonly #memory: HandshakeMemory;
  readonly #held: HeldMessages;
  readonly #delay: ReconnectDelay;
  readonly #questions = new OpenQuestions();
  /** Requests that wait for their answer, by id: the reply to each POST, as long as it lasts. */
  readonly #waiting = new Map<string, Reply | undefined>();
  /** Those nobody waits for any more. */
  readonly #cancelled = new Set<string>();
  readonly #posts: Posts;
  #stream: Reply | undefined;
  #lastEventId = '';
  #retryMs: number | undefined;
  /** Where to POST; undefined while there is no stream. */
  #endpoint: string | undefined;
  #lastEndpoint: string | undefined;
  #isReopening = false;
  #isClosed = false;
  #disarm: (() => void) | undefined;

  /** @param onUnsupported - called instead of everything else when there is no such stream. */
  constructor(
    context: ClientContext,
    events: UpstreamEvents,
    onUnsupported?: (end: ReplyEnd) => void,
  ) {
    this.#context = context;
    this.#events = events;
    this.#onUnsupported = onUnsupported;
    this.#postHeaders = Object.freeze([...context.headers, ...POST_HEADERS]);
    this.#memory = new HandshakeMemory(context.random.sessionId());
    this.#held = new HeldMessages(context.meter);
    this.#posts = new Posts(context);
    this.#delay = new ReconnectDelay(context.random);
    this.#open();
  }

  send(message: Message): SendOutcome {
    if (this.#isClosed) return 'closed';
    if (this.#context.meter.isFull) return 'full';
    this.#memory.sent(message);
    if (this.#endpoint === undefined || this.#isReopening) this.#held.push(message);
    else this.#dispatch(message);
    return 'sent';
  }

  close(): void {
    this.#close('closed', 'closed by us');
  }

  #open(): void {
    const accept = ['Accept', 'text/event-stream', 'Accept-Encoding', 'identity'];
    const stream = new Reply(
      this.#context,
      {
        method: 'GET',
        url: this.#context.url,
        headers: [...this.#context.headers, ...accept, ...resumeLines(this.#lastEventId)],
        isRepeatable: true,
      },
      {
        onMessage: (message) => this.#received(message),
        onOtherEvent: (event) => this.#named(event),
        onOversized: () => this.#oversized(),
        onEnd: (end) => this.#broke(end),
      },
      this.#lastEventId,
    );
    this.#stream = stream;
    this.#disarm = this.#context.clock.after(ENDPOINT_MS_MAX, () => {
      if (this.#endpoint !== undefined) return;
      stream.abort();
      this.#broke({ kind: 'cut', detail: 'no endpoint event came' });
    });
  }

  #named(event: SseEvent): void {
    if (event.event !== 'endpoint' || this.#isClosed) return;
    const { url } = this.#context;
    const endpoint = URL.canParse(event.data, url) ? new URL(event.data, url) : undefined;
    if (endpoint === undefined || endpoint.origin !== new URL(url).origin) {
      this.#close('start-failed', 'the endpoint event names another origin');
      return;
    }
    this.#disarm?.();
    this.#delay.succeeded();
    this.#context.origin.handshake = '2024';
    const isSame = this.#lastEndpoint === undefined || endpoint.href === this.#lastEndpoint;
    this.#endpoint = endpoint.href;
    this.#lastEndpoint = endpoint.href;
    // The answer to a handshake of ours may be lost with the stream before: it is repeated.
    if (isSame && !this.#isReopening) this.#flush();
    else this.#begin();
  }

  /** The stream is a new conversation: the handshake is repeated, what was asked is lost. */
  #begin(): void {
    const initialize = this.#memory.initializeAgain();
    // What is still on its way belongs to the old conversation, and so do its replies.
    this.#giveUpPosts();
    for (const notice of this.#questions.withdrawAll()) this.#events.onMessage(notice);
    for (const id of this.#waiting.keys()) {
      const lost = failedCall(id, CONNECTION_LOST);
      this.#memory.answered(lost);
      this.#events.onMessage(lost);
    }
    this.#waiting.clear();
    this.#cancelled.clear();
    if (initialize === undefined) {
      this.#flush();
      return;
    }
    this.#isReopening = true;
    this.#post(initialize);
  }

  #received(message: Message): void {
    if (this.#isClosed) return;
    if (message.kind !== 'response') {
      this.#heard(message);
      return;
    }
    const id = message.id ?? 'null';
    this.#settled(id);
    const isAwaited = this.#waiting.delete(id) || this.#cancelled.delete(id);
    const isHandshake = isAwaited && this.#memory.isHandshake(message.id);
    if (isAwaited) this.#memory.answered(message);
    if (!isAwaited) this.#stray('response');
    else if (!this.#memory.isOwn(message.id)) this.#events.onMessage(message);
    else if (isHandshake) this.#reopened(!message.isError);
  }

  #heard(message: Message): void {
    const known = this.#questions.received(message);
    if (known !== undefined) this.#events.onMessage(known);
    else if (message.kind !== 'request') this.#stray(message.kind);
    else this.#post(failedCall(message.id ?? 'null', { error: 'TOO_MANY_REQUESTS' }));
  }

  #reopened(isAgreed: boolean): void {
    if (!isAgreed) {
      this.#close('exited', 'the stream was lost and initialize was refused');
      return;
    }
    this.#post(Message.notification('notifications/initialized'), () => {
      // The stream broke meanwhile: the next one begins anew again.
      if (this.#endpoint === undefined || this.#isClosed) return;
      this.#isReopening = false;
      for (const message of this.#memory.restoring()) this.#post(message);
      this.#flush();
      for (const notice of this.#memory.changeNotices()) this.#events.onMessage(notice);
    });
  }

  #flush(): void {
    for (const message of this.#held.takeAll()) this.#dispatch(message);
  }

  /** An answer goes only to the conversation that asked. */
  #dispatch(message: Message): void {
    if (message.method === CANCELLED) {
      this.#giveUp(message.token(message.spans.requestId) ?? requestIdOf(message));
    }
    const known = message.kind === 'response' ? this.#questions.answer(message) : message;
    if (known !== undefined) this.#post(known);
  }

  /** @param done - called once the server took it, or will not. */
  #post(message: Message, done?: () => void): void {
    const request: OutboundRequest = {
      method: 'POST',
      url: this.#endpoint ?? this.#context.url,
      headers: this.#postHeaders,
      body: message.toText(),
      isRepeatable: isRepeatable(message.method),
    };
    if (message.kind === 'request') this.#ask(message.id ?? 'null', request);
    else this.#posts.send(request, () => done?.());
  }

  #ask(id: string, request: OutboundRequest): void {
    const reply = new Reply(this.#context, request, {
      // Some servers of this era answer in the reply as well; the stream is what counts.
      onMessage: (answer) => this.#received(answer),
      onOversized: () => {},
      onEnd: (end) => {
        if (this.#waiting.get(id) === reply) this.#waiting.set(id, undefined);
        const hasFailed = end.kind === 'refused' || end.kind === 'unsent' || end.kind === 'cut';
        if (hasFailed) this.#failed(id, end);
      },
    });
    this.#waiting.set(id, reply);
  }

  /** Nothing more is expected of the reply to its POST, which some servers never end. */
  #settled(id: string): void {
    const reply = this.#waiting.get(id);
    if (reply === undefined) return;
    reply.release();
    this.#waiting.set(id, undefined);
  }

  /** Most servers answer it no more. */
  #giveUp(id: string): void {
    this.#settled(id);
    if (!this.#waiting.delete(id)) return;
    this.#cancelled.add(id);
    const [oldest] = this.#cancelled;
    if (this.#cancelled.size > CANCELLED_MAX) this.#cancelled.delete(oldest ?? '');
  }

  #giveUpPosts(): void {
    for (const reply of this.#waiting.values()) reply?.abort();
    this.#posts.clear();
  }

  /** Of one call in flight it is taken for the answer; of several nobody can tell whose it was. */
  #oversized(): void {
    const [only] = this.#waiting.keys();
    this.#stray('oversized');
    const isOne = this.#waiting.size + this.#cancelled.size === 1;
    if (only === undefined || !isOne || this.#memory.isOwn(only)) return;
    this.#waiting.delete(only);
    this.#events.onOversized(only);
  }

  #failed(id: string, end: ReplyEnd): void {
    if (!this.#waiting.has(id)) return;
    const refusal = end.kind === 'cut' ? CONNECTION_LOST : unavailable(end);
    // It may have arrived, and nobody waits for it any more.
    if (end.kind === 'cut') this.send(cancelled(id));
    this.#received(failedCall(id, refusal));
  }

  #broke(end: ReplyEnd): void {
    if (this.#isClosed) return;
    this.#disarm?.();
    const isFirst = this.#lastEndpoint === undefined;
    this.#endpoint = undefined;
    if (isFirst) {
      if (this.#onUnsupported !== undefined && end.kind !== 'unsent') {
        this.#isClosed = true;
        this.#onUnsupported(end);
      } else {
        this.#close('start-failed', describeEnd(end));
      }
      return;
    }
    if (this.#delay.failures >= ATTEMPTS_MAX) {
      this.#close('exited', describeEnd(end));
      return;
    }
    const isForgotten = end.kind === 'refused' && end.status >= 400 && end.status < 500;
    this.#lastEventId = isForgotten ? '' : (this.#stream?.lastEventId ?? '');
    this.#retryMs = this.#stream?.retryMs ?? this.#retryMs;
    const askedMs = end.kind === 'refused' ? end.retryAfterMs : this.#retryMs;
    this.#context.telemetry.count('upstream_reconnects_total', { kind: 'session' });
    this.#disarm = this.#context.clock.after(this.#delay.next(askedMs), () => this.#open());
  }

  #stray(kind: string): void {
    this.#context.telemetry.count('upstream_stray_total', { kind });
  }

  #close(cause: UpstreamClosedCause, detail: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#disarm?.();
    this.#stream?.abort();
    this.#giveUpPosts();
    this.#held.takeAll();
    queueMicrotask(() => this.#events.onClosed(cause, detail));
  }

  /** What was said before there was a stream, for a conversation that takes over. */
  takeHeld(): readonly Message[] {
    return this.#held.takeAll();
  }
}

function cancelled(id: string): Message {
  return Message.notification(CANCELLED, `{"requestId":${id}}`);
}
