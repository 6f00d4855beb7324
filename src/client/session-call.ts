/**
 * One request on a 2025 session: its POST, and after a break the rest of its stream by
 * `Last-Event-ID`. A stream that cannot be resumed costs this call and no other.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery
 */
import type { OutboundHead, OutboundRequest } from '../core/outbound.ts';
import type { Message } from '../core/protocol/message.ts';
import type { ClientContext } from './client-context.ts';
import { BAD_REPLY, CONNECTION_LOST, failedCall } from './failed-call.ts';
import type { OpenCall } from './modern-call.ts';
import { ReconnectDelay } from './reconnect-delay.ts';
import { Reply, type ReplyEnd, type ReplyEvents } from './reply.ts';
import { isPassing } from './reply-end.ts';
import type { SseEvent } from '../core/protocol/sse-parser.ts';
import type { SessionRequests } from './session-requests.ts';

export interface SessionCallEvents {
  /** The server took the request; headers of its first reply. */
  accepted(call: SessionCall, head: OutboundHead): void;
  /** A notification or a question on its stream. */
  related(call: SessionCall, message: Message): void;
  /** The last event: its answer, from the server or in its place. */
  answered(call: SessionCall, message: Message): void;
  /** Instead of an answer: the session is unknown to the server; nothing was done. */
  sessionUnknown(call: SessionCall): void;
  /** Instead of an answer: the server refused the request, or was not reached. */
  refused(call: SessionCall, end: ReplyEnd): void;
  oversized(call: SessionCall): void;
  stray(kind: string): void;
}

/** Attempts in a row that bring nothing and end soon, after which the rest is given up. */
const ATTEMPTS_MAX = 5;

export class SessionCall implements OpenCall, ReplyEvents {
  readonly request: Message;
  readonly id: string;
  place = -1;
  readonly #context: ClientContext;
  readonly #requests: SessionRequests;
  readonly #events: SessionCallEvents;
  /** From the first break on. */
  #delay: ReconnectDelay | undefined;
  /** The session it was sent on, and the id of that. */
  session = 0;
  sessionId: string | undefined;
  #reply: Reply | undefined;
  #lastEventId = '';
  #retryMs: number | undefined;
  #isOver = false;
  /** Whether what is received is the rest of a stream. */
  #isResumed = false;
  /** When the rest began to come. */
  #resumedAt: number | undefined;
  #disarm: (() => void) | undefined;

  constructor(
    context: ClientContext,
    requests: SessionRequests,
    request: Message,
    events: SessionCallEvents,
  ) {
    this.#context = context;
    this.#requests = requests;
    this.#events = events;
    this.request = request;
    this.id = request.id ?? 'null';
  }

  /** Sends it. Called a second time when the session had to be opened anew. */
  start(): void {
    this.#isOver = false;
    this.session = this.#requests.session;
    this.sessionId = this.#requests.sessionId;
    this.#isResumed = false;
    this.#open(this.#requests.post(this.request));
  }

  abort(): void {
    this.#isOver = true;
    this.#disarm?.();
    this.#reply?.abort();
  }

  /** Told by the reply, as the next four are. */
  onHead(head: OutboundHead): void {
    if (head.status >= 300) return;
    // What resumes it names no session.
    if (!this.#isResumed) this.#events.accepted(this, head);
    else if (this.#reply?.isStream) this.#resumedAt = this.#context.clock.now();
  }

  onMessage(message: Message): void {
    if (this.#isOver) return;
    if (message.kind !== 'response') this.#events.related(this, message);
    else if (message.id === this.id) this.#answer(message);
    else this.#events.stray('response');
  }

  onOtherEvent({ event }: SseEvent): void {
    if (event !== 'message') return;
    this.#reply?.abort();
    this.#answer(failedCall(this.id, BAD_REPLY));
  }

  onOversized(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reply?.abort();
    this.#events.oversized(this);
  }

  onEnd(end: ReplyEnd): void {
    if (this.#isOver) return;
    if (this.#isResumed) this.#resumed(end);
    else this.#posted(end);
  }

  #open(request: OutboundRequest): void {
    this.#reply = new Reply(this.#context, request, this, this.#lastEventId);
  }

  #posted(end: ReplyEnd): void {
    if (end.kind === 'unsent') {
      this.#isOver = true;
      this.#events.refused(this, end);
    } else if (end.kind === 'refused') {
      this.#isOver = true;
      if (end.status === 404 && this.sessionId !== undefined) {
        this.#events.sessionUnknown(this);
      } else {
        this.#events.refused(this, end);
      }
    } else {
      this.#broke(end);
    }
  }

  /** The stream ended without the answer. */
  #broke(end: ReplyEnd): void {
    const reply = this.#reply;
    const delay = (this.#delay ??= new ReconnectDelay(this.#context.random));
    const isNews = reply !== undefined && reply.lastEventId !== this.#lastEventId;
    if (isNews) {
      delay.succeeded();
      this.#lastEventId = reply.lastEventId;
    }
    if (this.#resumedAt !== undefined) {
      // A server that ends the stream and says when to come back is polled: the pause counts.
      const pauseMs = end.kind === 'complete' ? (reply?.retryMs ?? 0) : 0;
      delay.stood(this.#context.clock.now() - this.#resumedAt + pauseMs);
      this.#resumedAt = undefined;
    }
    this.#retryMs = reply?.retryMs ?? this.#retryMs;
    const isHopeless =
      this.#lastEventId === '' || end.kind === 'bad' || delay.failures >= ATTEMPTS_MAX;
    if (isHopeless || this.#isForgotten) {
      this.#answer(failedCall(this.id, end.kind === 'bad' ? BAD_REPLY : CONNECTION_LOST));
      return;
    }
    const askedMs = end.kind === 'refused' ? end.retryAfterMs : this.#retryMs;
    const delayMs = delay.next(askedMs);
    this.#context.telemetry.count('upstream_reconnects_total', { kind: 'call' });
    this.#disarm = this.#context.clock.after(delayMs, () => this.#resume());
  }

  /** The next session may know the same event ids, of streams that are others'. */
  #resume(): void {
    if (this.#isForgotten) {
      this.#answer(failedCall(this.id, CONNECTION_LOST));
      return;
    }
    this.#isResumed = true;
    this.#open(this.#requests.get(this.#lastEventId));
  }

  /** Whether there is another session by now, or will be. */
  get #isForgotten(): boolean {
    return this.session !== this.#requests.session;
  }

  #resumed(end: ReplyEnd): void {
    if (end.kind !== 'refused' || isPassing(end.status)) this.#broke(end);
    else this.#answer(failedCall(this.id, CONNECTION_LOST));
  }

  #answer(message: Message): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reply?.release();
    this.#events.answered(this, message);
  }
}
