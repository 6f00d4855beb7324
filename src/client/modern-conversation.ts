/**
 * A server spoken to in the stateless revision: every request is a POST of its own, closing it is
 * its cancellation, and no call knows of another.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
import type {
  SendOutcome,
  UpstreamClosedCause,
  UpstreamConnection,
  UpstreamEvents,
} from '../core/ports.ts';
import { Bag } from '../core/bag.ts';
import type { Refusal } from '../core/errors.ts';
import type { Message } from '../core/protocol/message.ts';
import type { ClientContext } from './client-context.ts';
import { failedCall, unavailable } from './failed-call.ts';
import { ListenCall } from './listen-call.ts';
import { ModernCall, type ModernCallEvents, type OpenCall } from './modern-call.ts';
import { modernRequest } from './modern-request.ts';
import { Posts } from './posts.ts';
import type { ReplyEnd } from './reply.ts';
import { describeEnd } from './reply-end.ts';
import { ToolHeaders } from './tool-headers.ts';
import { ToolReader } from './tool-reader.ts';

/** Calls in a row that did not reach the server, after which it counts as gone. */
const UNSENT_MAX = 3;

export class ModernConversation implements UpstreamConnection {
  readonly #context: ClientContext;
  readonly #events: UpstreamEvents;
  readonly #tools: ToolHeaders;
  readonly #reader: ToolReader;
  readonly #calls = new Bag<OpenCall>();
  readonly #posts: Posts;
  /** Calls that were sent again with the headers they lacked: once is enough. */
  readonly #corrected = new WeakSet<ModernCall>();
  #unsent = 0;
  #isClosed = false;

  constructor(context: ClientContext, events: UpstreamEvents) {
    this.#context = context;
    this.#events = events;
    this.#posts = new Posts(context);
    this.#tools = new ToolHeaders(context.telemetry, context.name);
    this.#reader = new ToolReader(context, this.#tools);
  }

  send(message: Message): SendOutcome {
    if (this.#isClosed) return 'closed';
    if (this.#context.meter.isFull) return 'full';
    if (message.kind === 'request') this.#call(message);
    else if (message.kind === 'notification') this.#notify(message);
    // This revision has no responses from clients: nobody asked.
    return 'sent';
  }

  close(): void {
    this.#close('closed', 'closed by us');
  }

  #call(request: Message): void {
    const call =
      request.method === 'subscriptions/listen'
        ? new ListenCall(this.#context, request, {
            message: (message) => this.#events.onMessage(message),
            ended: (ended) => this.#calls.delete(ended),
            stray: (kind) => this.#stray(kind),
          })
        : new ModernCall(this.#context, this.#tools, request, this.#callEvents);
    this.#calls.add(call);
    call.start();
  }

  readonly #callEvents: ModernCallEvents = {
    notified: (call, message) => this.#events.onMessage(message, call.id),
    answered: (call, message) => {
      this.#calls.delete(call);
      const isList = call.request.method === 'tools/list';
      this.#events.onMessage(isList ? this.#tools.learn(message) : message, call.id);
    },
    mismatched: (call, answer) => this.#mismatched(call, answer),
    unreachable: (call, end) => this.#unreachable(call, end),
    oversized: (call) => {
      this.#calls.delete(call);
      this.#events.onOversized(call.id);
    },
    stray: (kind) => this.#stray(kind),
    reached: () => {
      this.#unsent = 0;
    },
  };

  #notify(message: Message): void {
    if (message.method === 'notifications/cancelled') {
      const id = message.token(message.spans.requestId) ?? requestIdOf(message);
      const call = this.#calls.find((each) => each.id === id);
      if (call === undefined) return;
      this.#calls.delete(call);
      call.abort();
      return;
    }
    const post = modernRequest(this.#context, message, []);
    if (post !== undefined) this.#posts.send(post, () => {});
  }

  /** The tools may have changed since they were listed. */
  #mismatched(call: ModernCall, answer: Message): void {
    const { method, origin } = call.request;
    const isTheirs = origin?.paramLines !== undefined;
    if (isTheirs || method !== 'tools/call' || this.#corrected.has(call)) {
      this.#calls.delete(call);
      this.#events.onMessage(answer, call.id);
      return;
    }
    this.#corrected.add(call);
    this.#reader.read(call.request, () => {
      if (this.#calls.has(call)) call.start();
    });
  }

  #unreachable(call: ModernCall, end: ReplyEnd): void {
    this.#calls.delete(call);
    const status = end.kind === 'refused' ? end.status : 0;
    const detail = describeEnd(end);
    const isOurs = end.kind === 'unsent' && end.hint !== undefined;
    if (status === 0 && !isOurs) this.#unsent += 1;
    const isUnknown = status === 400 || (status >= 404 && status <= 406) || status === 415;
    const isProbe = call.request.method === 'server/discover';
    const { name, telemetry } = this.#context;
    const level = isProbe && isUnknown ? 'debug' : 'warn';
    telemetry.log(level, 'upstream_call_failed', { upstream: name, era: '2026', detail });
    if (isProbe && !isUnknown) {
      this.#close('start-failed', detail);
    } else if (this.#unsent >= UNSENT_MAX) {
      this.#close('exited', detail);
    } else {
      this.#events.onMessage(failedCall(call.id, refusalOf(end, isProbe && isUnknown)), call.id);
    }
  }

  #stray(kind: string): void {
    this.#context.telemetry.count('upstream_stray_total', { kind });
  }

  #close(cause: UpstreamClosedCause, detail: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const call of this.#calls.all()) call.abort();
    this.#calls.clear();
    this.#posts.clear();
    this.#reader.stop();
    queueMicrotask(() => this.#events.onClosed(cause, detail));
  }
}

/** @param isUnknown - whether that is how servers of other eras refuse what they do not know. */
function refusalOf(end: ReplyEnd, isUnknown: boolean): Refusal {
  const isNotFound = end.kind === 'refused' && end.status === 404;
  if (!isUnknown && !isNotFound) return unavailable(end);
  const detail = `the server does not know the method, or ${describeEnd(end)}.`;
  return { error: 'METHOD_NOT_FOUND', detail };
}

/** The cancelled request's id as a JSON token, where nobody noted its place. */
export function requestIdOf(message: Message): string {
  const { requestId } = (message.value ?? {}) as { requestId?: unknown };
  return JSON.stringify(requestId) ?? '';
}
