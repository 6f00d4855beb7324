/** One request and its reply on a stream of HTTP/2. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { CloseReason } from '../../core/close-reasons.ts';
import type { BodyOutcome, HttpExchange, RequestHead, StreamSink } from '../../core/ports.ts';
import type { H2Backlog } from './h2-backlog.ts';
import { readH2Body } from './h2-body.ts';
import { H2Head } from './h2-head.ts';
import { cutWhenStalledH2, endRequest, type H2Place, H2Stream, isReplied } from './h2-stream.ts';
import type { NodeContext } from './node-context.ts';
import { TURNED_AWAY } from './node-exchange.ts';

export interface H2Request extends H2Place {
  readonly headers: IncomingHttpHeaders;
  readonly raw: readonly string[];
}

export class H2Exchange implements HttpExchange {
  readonly head: RequestHead;
  readonly #context: NodeContext;
  readonly #stream: ServerHttp2Stream;
  readonly #socket: Socket;
  readonly #backlog: H2Backlog;
  readonly #length: string | undefined;
  #isContinueDue: boolean;
  #isAnswered = false;
  #onGone: ((why?: CloseReason) => void) | undefined;
  #sink: H2Stream | undefined;

  constructor({ stream, headers, raw, socket, backlog }: H2Request, context: NodeContext) {
    this.head = new H2Head(headers, raw, socket, context);
    this.#context = context;
    this.#stream = stream;
    this.#socket = socket;
    this.#backlog = backlog;
    this.#length = headers['content-length'];
    this.#isContinueDue = headers.expect?.toLowerCase() === '100-continue';
  }

  readBody(bytesMax: number, done: (outcome: BodyOutcome) => void): void {
    if (this.#isAnswered) throw new Error('The body was asked for after the reply began.');
    const length = Number(this.#length);
    if (this.#isContinueDue && !(length > bytesMax) && !this.#stream.destroyed) {
      this.#stream.additionalHeaders({ ':status': 100 });
    }
    this.#isContinueDue = false;
    const encoding = this.head.header('content-encoding');
    readH2Body(this.#stream, { length, encoding, bytesMax, limits: this.#context.limits }, done);
  }

  respond(status: number, headers: readonly string[], body: string): void {
    this.#begin(status);
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const isBodiless = status === 204 || status === 304;
    const length = isBodiless ? [] : ['Content-Length', String(Buffer.byteLength(body))];
    const content = isBodiless || this.head.method === 'HEAD' ? '' : body;
    stream.respond(replyHeaders(status, [...headers, ...length]));
    stream.end(content);
    this.#backlog.hold(stream, content.length);
    endRequest(stream);
    cutWhenStalledH2(stream, this.#socket, this.#context.limits.stallMsMax);
  }

  openStream(
    status: number,
    headers: readonly string[],
    first: string,
    isLong: boolean,
  ): StreamSink {
    this.#begin(!isLong && this.head.method === 'GET' ? TURNED_AWAY : status);
    const stream = this.#stream;
    if (!stream.destroyed && !stream.closed) stream.respond(replyHeaders(status, headers));
    const place = { stream, socket: this.#socket, backlog: this.#backlog };
    this.#sink = new H2Stream(place, this.#context, first);
    endRequest(stream);
    return this.#sink;
  }

  onClientGone(listener: (why?: CloseReason) => void): void {
    const before = this.#onGone;
    this.#onGone = before === undefined ? listener : (why) => (before(why), listener(why));
    // `close` comes after a whole reply too, and may have come already.
    if (this.#stream.destroyed) queueMicrotask(() => this.#closed());
    else if (before === undefined) this.#stream.once('close', () => this.#closed());
  }

  #closed(): void {
    const onGone = this.#onGone;
    this.#onGone = undefined;
    if (!isReplied(this.#stream) && this.#sink?.isCut !== true) {
      onGone?.(this.#context.cuts.get(this.#socket));
    }
  }

  #begin(status: number): void {
    if (this.#isAnswered) throw new Error('The exchange was answered twice.');
    this.#isAnswered = true;
    this.#context.line.answered(this.#socket, status);
  }
}

/** Headers about a connection mean nothing here. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** @see https://www.rfc-editor.org/rfc/rfc9113#section-8.2.2 */
function replyHeaders(status: number, flat: readonly string[]): OutgoingHttpHeaders {
  const headers: Record<string, number | string | string[]> = { ':status': status };
  for (let i = 0; i < flat.length; i += 2) {
    const [name, value] = [(flat[i] ?? '').toLowerCase(), flat[i + 1] ?? ''];
    if (OF_CONNECTIONS.has(name)) continue;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat().map(String);
  }
  return headers;
}
