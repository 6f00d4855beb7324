/**
 * One request of the stateless revision: its POST, what comes on its reply, and its one answer. A
 * call whose connection is lost is answered with an error and never sent again.
 */
import type { Bagged } from '../core/bag.ts';
import type { Message } from '../core/protocol/message.ts';
import type { ClientContext } from './client-context.ts';
import { BAD_REPLY, CONNECTION_LOST, failedCall } from './failed-call.ts';
import { modernRequest } from './modern-request.ts';
import { Reply, type ReplyEnd, type ReplyEvents } from './reply.ts';
import { answerIn } from './reply-end.ts';
import type { ToolHeaders } from './tool-headers.ts';

/** A request in flight, until it is answered or given up. */
export interface OpenCall extends Bagged {
  readonly id: string;
  /** Closes its connection: the server takes that as its cancellation. */
  abort(): void;
}

export interface ModernCallEvents {
  /** A notification of this call. */
  notified(call: ModernCall, message: Message): void;
  /** The last event: its answer, from the server or in its place. */
  answered(call: ModernCall, message: Message): void;
  /** Instead of an answer: the server cannot be used, in a way that is not this call's fault. */
  unreachable(call: ModernCall, end: ReplyEnd): void;
  /** Instead of an answer: headers did not match what the tool asks for. */
  mismatched(call: ModernCall, answer: Message): void;
  /** The reply of this call was too large. */
  oversized(call: ModernCall): void;
  /** Something came that belongs to nobody. */
  stray(kind: string): void;
  /** The server was reached. */
  reached(): void;
}

const HEADER_MISMATCH = -32020;

export class ModernCall implements OpenCall, ReplyEvents {
  readonly request: Message;
  readonly id: string;
  place = -1;
  readonly #context: ClientContext;
  readonly #tools: ToolHeaders;
  readonly #events: ModernCallEvents;
  #reply: Reply | undefined;
  #isOver = false;

  constructor(
    context: ClientContext,
    tools: ToolHeaders,
    request: Message,
    events: ModernCallEvents,
  ) {
    this.#context = context;
    this.#tools = tools;
    this.#events = events;
    this.request = request;
    this.id = request.id ?? 'null';
  }

  /** Sends it. Called a second time when headers were refused and are known better now. */
  start(): void {
    const { request } = this;
    const isCall = request.method === 'tools/call';
    const lines = request.origin?.paramLines ?? (isCall ? this.#tools.linesFor(request) : []);
    const post = modernRequest(this.#context, request, lines);
    if (post === undefined) {
      const refusal = failedCall(this.id, { error: 'METHOD_NOT_FOUND' });
      queueMicrotask(() => this.#answer(refusal));
      return;
    }
    this.#reply = new Reply(this.#context, post, this);
  }

  abort(): void {
    this.#isOver = true;
    this.#reply?.abort();
  }

  /** Told by the reply, as the next four are. */
  onHead(): void {
    this.#events.reached();
  }

  onMessage(message: Message): void {
    if (message.kind === 'notification') this.#events.notified(this, message);
    else if (message.kind === 'response' && message.id === this.id) this.#answer(message);
    else this.#events.stray(message.kind);
  }

  onOtherEvent(): void {
    this.#reply?.abort();
    this.onEnd({ kind: 'bad', detail: 'an event is no message' });
  }

  onOversized(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reply?.abort();
    this.#events.oversized(this);
  }

  onEnd(end: ReplyEnd): void {
    if (this.#isOver) return;
    const answer = answerIn(end, this.id);
    if (end.kind === 'unsent' || (end.kind === 'refused' && answer === undefined)) {
      this.#isOver = true;
      this.#events.unreachable(this, end);
    } else if (answer !== undefined) {
      const { code } = answer.value as { code?: unknown };
      if (code === HEADER_MISMATCH) this.#events.mismatched(this, answer);
      else this.#answer(answer);
    } else {
      const refusal = end.kind === 'bad' ? BAD_REPLY : CONNECTION_LOST;
      this.#answer(failedCall(this.id, refusal));
    }
  }

  #answer(message: Message): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reply?.release();
    this.#events.answered(this, message);
  }
}
