/** One Web `Request` and the `Response` it resolves to. */
import type { BodyOutcome, HttpExchange, RequestHead, StreamSink } from '../../core/ports.ts';
import { discardFetchBody, readFetchBody } from './fetch-body.ts';
import { FetchHead } from './fetch-head.ts';
import { FetchStream } from './fetch-stream.ts';

export class FetchExchange implements HttpExchange {
  readonly head: RequestHead;
  readonly #request: Request;
  readonly #resolve: (response: Response) => void;
  readonly #onAbort: () => void;
  #stream: FetchStream | undefined;
  #isAnswered = false;
  #isGone = false;
  #onGone: (() => void) | undefined;

  constructor(request: Request, remoteAddress: string, resolve: (response: Response) => void) {
    this.head = new FetchHead(request, remoteAddress);
    this.#request = request;
    this.#resolve = resolve;
    this.#onAbort = () => this.#aborted();
    if (request.signal.aborted) this.#isGone = true;
    else request.signal.addEventListener('abort', this.#onAbort);
  }

  readBody(bytesMax: number, done: (outcome: BodyOutcome) => void): void {
    void this.#readBody(bytesMax, done);
  }

  respond(status: number, headers: readonly string[], body: string): void {
    this.#begin();
    this.#settle();
    const isBodiless = this.head.method === 'HEAD' || status === 204 || status === 304;
    const init = { status, headers: toHeaders(headers) };
    if (!isBodiless) init.headers.set('Content-Length', String(byteLength(body)));
    this.#resolve(new Response(isBodiless || body === '' ? null : body, init));
  }

  openStream(status: number, headers: readonly string[], first: string): StreamSink {
    this.#begin();
    const stream = new FetchStream(first, (isPeerGone) => {
      if (isPeerGone) this.#fire();
      this.#settle();
    });
    if (this.#isGone) stream.peerGone();
    this.#stream = stream;
    this.#resolve(new Response(stream.body, { status, headers: toHeaders(headers) }));
    return stream;
  }

  onClientGone(listener: () => void): void {
    if (this.#isGone) return queueMicrotask(listener);
    const before = this.#onGone;
    this.#onGone = before === undefined ? listener : () => (before(), listener());
  }

  async #readBody(bytesMax: number, done: (outcome: BodyOutcome) => void): Promise<void> {
    const outcome = await readFetchBody(this.#request, bytesMax);
    done(this.#isGone ? { kind: 'aborted' } : outcome);
  }

  #aborted(): void {
    this.#isGone = true;
    if (this.#stream === undefined) this.#fire();
    else this.#stream.peerGone();
  }

  #fire(): void {
    const onGone = this.#onGone;
    this.#onGone = undefined;
    this.#isGone = true;
    onGone?.();
  }

  /** The reply is over: some runtimes abort the signal after it too, which is nobody's loss. */
  #settle(): void {
    this.#onGone = undefined;
    this.#request.signal.removeEventListener('abort', this.#onAbort);
  }

  #begin(): void {
    if (this.#isAnswered) throw new Error('The exchange was answered twice.');
    this.#isAnswered = true;
    void discardFetchBody(this.#request);
  }
}

function toHeaders(flat: readonly string[]): Headers {
  const headers = new Headers();
  for (let i = 0; i < flat.length; i += 2) headers.append(flat[i] ?? '', flat[i + 1] ?? '');
  return headers;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
