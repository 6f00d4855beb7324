/** An event stream through a stream of HTTP/2. Other streams of the connection go on beside it. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { StreamSink } from '../../core/ports.ts';
import type { H2Backlog } from './h2-backlog.ts';
import { H2Progress } from './h2-progress.ts';
import { H2Queue } from './h2-queue.ts';
import { endSession } from './h2-watch.ts';
import type { NodeContext } from './node-context.ts';
import { takenBytes } from './taken-bytes.ts';

/** Where a request and its reply are. */
export interface H2Place {
  readonly stream: ServerHttp2Stream;
  /** The connection, which the stream only shows a part of. */
  readonly socket: Socket;
  /** Of the connection. */
  readonly backlog: H2Backlog;
}

export class H2Stream implements StreamSink {
  readonly #stream: ServerHttp2Stream;
  readonly #socket: Socket;
  readonly #context: NodeContext;
  readonly #queue: H2Queue;
  /** Of the connection, as soon as somebody wants to know. */
  #progress: H2Progress | undefined;
  /** How often it was seen. */
  #progressCount = 0;
  #isOpen = true;
  #isCut = false;

  /** `stream` has sent its head; `first` follows in the same turn. */
  constructor({ stream, socket, backlog }: H2Place, context: NodeContext, first: string) {
    this.#stream = stream;
    this.#socket = socket;
    this.#context = context;
    this.#queue = new H2Queue(stream, context.sharedBytes, backlog);
    backlog.watch(stream);
    this.write(first);
  }

  write(text: string): void {
    const stream = this.#stream;
    if (!this.#isOpen || stream.destroyed || stream.closed || text === '') return;
    this.#queue.write(text);
  }

  end(last: string): void {
    if (!this.#isOpen) return;
    this.write(last);
    this.#isOpen = false;
    if (!this.#stream.destroyed) this.#queue.end();
    cutWhenStalledH2(this.#stream, this.#socket, this.#context.limits.stallMsMax);
  }

  destroy(): void {
    this.#isOpen = false;
    this.#isCut = true;
    this.#queue.clear();
    cutH2(this.#stream, this.#socket, this.#context.limits.stallMsMax);
  }

  /** Whether we ended it ourselves, so that nobody need be told. */
  get isCut(): boolean {
    return this.#isCut;
  }

  queuedBytes(): number {
    const stream = this.#stream;
    return this.#isCut || stream.destroyed || stream.closed ? 0 : this.#queue.queuedBytes;
  }

  /** While the connection itself is behind, what its peer takes of it counts, too. */
  takenBytes(): number {
    this.#progress ??= new H2Progress(this.#socket);
    if (this.#progress.look()) this.#progressCount += 1;
    return this.#queue.takenBytes + this.#progressCount;
  }
}

/** Whether all of a reply left. Node ends a stream that its peer resets as if we had ended it. */
export function isReplied(stream: ServerHttp2Stream): boolean {
  return stream.writableFinished && !stream.aborted;
}

/** A body that nobody reads is not waited for once the reply is over. */
export function endRequest(stream: ServerHttp2Stream): void {
  if (stream.endAfterHeaders || stream.readableEnded) return;
  stream.once('finish', () => {
    // What is on its way leaves first.
    setImmediate(() => {
      if (!stream.readableEnded && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
    });
  });
}

/**
 * A reply that is over for us must not wait forever for a reader that takes nothing. The time that
 * Node measures of a stream is none of it: it ends when all of the reply was handed to the
 * connection, of which the peer may take nothing.
 */
export function cutWhenStalledH2(stream: ServerHttp2Stream, socket: Socket, stallMs: number): void {
  if (stream.destroyed || stream.writableFinished) return;
  let before = takenBytes(socket) ?? 0;
  const timer = setInterval(() => {
    const taken = takenBytes(socket) ?? 0;
    const isTaking = taken > before;
    before = taken;
    if (isTaking) return;
    clearInterval(timer);
    cutH2(stream, socket, stallMs);
  }, stallMs);
  timer.unref();
  stream.once('close', () => clearInterval(timer));
}

/**
 * Resets the stream; what it had queued is dropped. A peer that does not read its connection at all
 * does not answer a ping either, and is cut with everything that waits for it. One that reads comes
 * to the ping when it has taken what was sent before it.
 */
export function cutH2(stream: ServerHttp2Stream, socket: Socket, stallMs: number): void {
  const { session } = stream;
  if (!stream.destroyed) {
    stream.close(constants.NGHTTP2_CANCEL);
    // Without it the stream would wait for its queue to be taken.
    stream.destroy();
  }
  if (session === undefined || session.destroyed) return;
  const progress = new H2Progress(socket);
  const timer = setInterval(() => {
    if (progress.look()) return;
    clearInterval(timer);
    endSession(session, socket);
  }, stallMs);
  timer.unref();
  const isSent = session.ping(() => clearInterval(timer));
  if (!isSent) clearInterval(timer);
}
