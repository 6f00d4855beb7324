/**
 * One HTTP request and its reply in memory, with both of its ends: the server's is the port
 * `HttpExchange`, the client's sees status, headers and text in order, late, cut short or not at
 * all.
 *
 * It is strict where adapters are lenient: a second reply throws, and a write to a stream that the
 * server itself ended, or whose reader is known to be gone, is recorded as a violation although the
 * port drops it.
 */
import type { BodyOutcome, HttpExchange, RequestHead, StreamSink } from '../core/ports.ts';
import { ReplyHeaders } from './reply-headers.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface ClientRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[];
  readonly body?: string;
}

/** What the client's end of the connection hears, in order; nothing after `onEnd` or `onLost`. */
export interface ReplyListener {
  onHead(status: number, headers: ReplyHeaders): void;
  onText(text: string): void;
  /** The reply is whole. */
  onEnd(): void;
  /** The connection broke before the reply was whole. */
  onLost(): void;
}

/** How this one connection behaves; all times in milliseconds. */
export interface ConnectionFate {
  readonly latencyMs: () => number;
  /** Characters of the reply after which the connection breaks; undefined for never. */
  readonly cutAfterChars?: number | undefined;
  /** How long the server takes to learn that the client is gone. */
  readonly goneAfterMs: () => number;
  /** Bytes that leave the server's queue although nobody reads. */
  readonly kernelBytes: number;
}

export interface ExchangeWatcher {
  onViolation(violation: string): void;
  /**
   * After each write but the goodbye, which follows whatever waits.
   * @param queuedBytes - without what the stream began with.
   */
  onQueued(queuedBytes: number, largestWrite: number): void;
}

type ServerState = 'undecided' | 'streaming' | 'ended';

export class MemoryExchange implements HttpExchange {
  readonly head: RequestHead;
  readonly request: ClientRequest;
  readonly #clock: VirtualClock;
  readonly #fate: ConnectionFate;
  readonly #listener: ReplyListener;
  readonly #watcher: ExchangeWatcher;
  #state: ServerState = 'undecided';
  #isClientGone = false;
  #isServerTold = false;
  /** The client is gone for the kernel, but nobody has asked to be told. */
  #isGoneUnheard = false;
  #isDone = false;
  #goneListener: (() => void) | undefined;
  #isReading = true;
  #kernelFree: number;
  /** Text the kernel has not taken, oldest first; undefined is the end of the stream. */
  #queue: (string | undefined)[] = [];
  #queuedBytes = 0;
  #largestWrite = 0;
  #writtenAt = 0;
  #takenAt = 0;
  #deliverAt = 0;
  #delivered = 0;

  constructor(
    request: ClientRequest,
    clock: VirtualClock,
    fate: ConnectionFate,
    listener: ReplyListener,
    watcher: ExchangeWatcher,
  ) {
    this.request = request;
    this.head = headOf(request);
    this.#clock = clock;
    this.#fate = fate;
    this.#listener = listener;
    this.#watcher = watcher;
    this.#kernelFree = fate.kernelBytes;
  }

  /* The server's end. */

  readBody(bytesMax: number, done: (outcome: BodyOutcome) => void): void {
    const body = this.request.body ?? '';
    this.#clock.after(this.#fate.latencyMs(), () => {
      if (this.#isServerTold || this.#isGoneUnheard) done({ kind: 'aborted' });
      else if (utf8Length(body) <= bytesMax) done({ kind: 'body', text: body });
      else done({ kind: 'refused', refusal: { error: 'BODY_TOO_LARGE' } });
    });
  }

  respond(status: number, headers: readonly string[], body: string): void {
    this.#begin(status, headers);
    this.#state = 'ended';
    if (body !== '') this.#send(() => this.#deliver(body));
    this.#send(() => this.#finish());
  }

  openStream(status: number, headers: readonly string[], first: string): StreamSink {
    this.#begin(status, headers);
    this.#state = 'streaming';
    this.#push(first);
    let openingBytes = this.#queuedBytes;
    return {
      write: (text) => {
        if (!this.#isWritable('write')) return;
        openingBytes = Math.min(openingBytes, this.#queuedBytes);
        this.#push(text);
        this.#watcher.onQueued(this.#queuedBytes - openingBytes, this.#largestWrite);
      },
      end: (last) => this.#endStream(last),
      destroy: () => this.#destroy(),
      queuedBytes: () =>
        this.#state === 'streaming' && !this.#isServerTold ? this.#queuedBytes : 0,
    };
  }

  onClientGone(listener: () => void): void {
    const before = this.#goneListener;
    this.#goneListener = before === undefined ? listener : () => (before(), listener());
    if (this.#isGoneUnheard) this.#clock.after(0, () => this.#tellServer());
  }

  /* The client's end. */

  /** Closes the connection from the client's side. The server learns of it late, or never. */
  leave(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#loseClient();
  }

  /** Breaks the connection: both ends lose it. */
  cut(): void {
    if (this.#isDone) return;
    this.leave();
    this.#listener.onLost();
  }

  /** A reader that does not read lets the server's queue grow. */
  stopReading(): void {
    this.#isReading = false;
    this.#kernelFree = this.#fate.kernelBytes;
  }

  /** Takes what waits, and goes on reading. */
  startReading(): void {
    this.#isReading = true;
    this.#drain(Infinity);
  }

  /** Takes some of what waits: a slow reader. */
  readSome(bytes: number): void {
    this.#drain(bytes);
  }

  get isStreaming(): boolean {
    return this.#state === 'streaming';
  }

  /** Milliseconds since the server wrote to the open stream; 0 when none is open. */
  get silentMs(): number {
    return this.#isOpenStream() ? this.#clock.now() - this.#writtenAt : 0;
  }

  /** Milliseconds since bytes began to wait in the open stream without one being taken. */
  get stuckMs(): number {
    if (!this.#isOpenStream() || this.#queuedBytes === 0) return 0;
    return this.#clock.now() - this.#takenAt;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Whether the server still holds this exchange open: no reply was completed and it was not told
   * of a loss.
   */
  get isHeldByServer(): boolean {
    return this.#state !== 'ended' && !this.#isServerTold && !this.#isGoneUnheard;
  }

  #begin(status: number, headers: readonly string[]): void {
    if (this.#state !== 'undecided') {
      this.#violate(`a second reply (${status})`);
      throw new Error('An exchange is answered once.');
    }
    const parsed = new ReplyHeaders(headers);
    for (const problem of parsed.problems()) this.#violate(problem);
    this.#send(() => this.#listener.onHead(status, parsed));
  }

  #isOpenStream(): boolean {
    return this.#state === 'streaming' && this.isHeldByServer;
  }

  #isWritable(what: string): boolean {
    if (this.#state === 'ended') this.#violate(`${what} after the end of the stream`);
    else if (this.#isServerTold) this.#violate(`${what} after the client was known to be gone`);
    return this.#state === 'streaming' && !this.#isServerTold;
  }

  #endStream(last: string): void {
    if (!this.#isWritable('end')) return;
    if (last !== '') this.#push(last);
    this.#state = 'ended';
    this.#push(undefined);
  }

  #destroy(): void {
    if (this.#state === 'ended' || this.#isServerTold) return;
    this.#state = 'ended';
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#send(() => {
      this.#isDone = true;
      this.#listener.onLost();
    });
  }

  #push(text: string | undefined): void {
    const bytes = utf8Length(text ?? '');
    this.#writtenAt = this.#clock.now();
    if (this.#queuedBytes === 0) this.#takenAt = this.#writtenAt;
    this.#queue.push(text);
    this.#queuedBytes += bytes;
    this.#largestWrite = Math.max(this.#largestWrite, bytes);
    if (this.#isReading && !this.#isClientGone) this.#drain(Infinity);
    else this.#fillKernel();
  }

  #fillKernel(): void {
    const taken = Math.min(this.#kernelFree, this.#queuedBytes);
    this.#kernelFree -= taken;
    this.#drain(taken);
  }

  #drain(bytes: number): void {
    if (bytes > 0) this.#takenAt = this.#clock.now();
    let left = bytes;
    while (this.#queue.length > 0) {
      const text = this.#queue[0];
      const size = utf8Length(text ?? '');
      if (text !== undefined && size > left) {
        const part = text.slice(0, Math.floor(left * (text.length / size)));
        this.#queue[0] = text.slice(part.length);
        this.#queuedBytes -= utf8Length(part);
        if (part !== '') this.#send(() => this.#deliver(part));
        return;
      }
      this.#queue.shift();
      this.#queuedBytes -= size;
      left -= size;
      this.#send(() => (text === undefined ? this.#finish() : this.#deliver(text)));
    }
  }

  /** To the client, after a latency, in order. */
  #send(arrive: () => void): void {
    const now = this.#clock.now();
    this.#deliverAt = Math.max(this.#deliverAt, now + this.#fate.latencyMs());
    this.#clock.after(this.#deliverAt - now, () => {
      if (!this.#isDone) arrive();
    });
  }

  #deliver(text: string): void {
    const cut = this.#fate.cutAfterChars;
    if (cut !== undefined && this.#delivered + text.length > cut) {
      const part = text.slice(0, cut - this.#delivered);
      if (part !== '') this.#listener.onText(part);
      this.cut();
      return;
    }
    this.#delivered += text.length;
    this.#listener.onText(text);
  }

  #finish(): void {
    this.#isDone = true;
    this.#listener.onEnd();
  }

  #loseClient(): void {
    if (this.#isClientGone) return;
    this.#isClientGone = true;
    this.#kernelFree = this.#fate.kernelBytes;
    this.#clock.after(this.#fate.goneAfterMs(), () => {
      if (this.#goneListener === undefined) this.#isGoneUnheard = true;
      else this.#tellServer();
    });
  }

  #tellServer(): void {
    if (this.#state === 'ended' || this.#isServerTold) return;
    this.#isServerTold = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#goneListener?.();
  }

  #violate(what: string): void {
    const { method, path } = this.request;
    this.#watcher.onViolation(`${method} ${path}: ${what}`);
  }
}

function headOf(request: ClientRequest): RequestHead {
  const headers = new ReplyHeaders(request.headers);
  return {
    method: request.method,
    path: request.path,
    query: request.query ?? '',
    remoteAddress: '127.0.0.1',
    header: (name) => headers.get(name),
    headerCount: (name) => headers.count(name),
    headerNames: () => headers.names(),
  };
}

/** Bytes of a text in UTF-8. Plain ASCII, nearly everything here, is counted without an encoder. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
