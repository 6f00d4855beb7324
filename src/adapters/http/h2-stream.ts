/** An event stream through a stream of HTTP/2. Other streams of the connection go on beside it. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { StreamSink } from '../../core/ports.ts';
import type { NodeContext } from './node-context.ts';

export class H2Stream implements StreamSink {
  readonly #stream: ServerHttp2Stream;
  readonly #context: NodeContext;
  #isOpen = true;
  #isCut = false;

  /** `stream` has sent its head; `first` follows in the same turn. */
  constructor(stream: ServerHttp2Stream, context: NodeContext, first: string) {
    this.#stream = stream;
    this.#context = context;
    this.write(first);
  }

  write(text: string): void {
    const stream = this.#stream;
    if (!this.#isOpen || stream.destroyed || stream.closed || text === '') return;
    stream.write(stream.writableLength === 0 ? text : this.#context.sharedBytes.of(text));
  }

  end(last: string): void {
    if (!this.#isOpen) return;
    this.write(last);
    this.#isOpen = false;
    if (!this.#stream.destroyed) this.#stream.end();
    cutWhenStalledH2(this.#stream, this.#context.limits.stallMsMax);
  }

  destroy(): void {
    this.#isOpen = false;
    this.#isCut = true;
    cutH2(this.#stream, this.#context.limits.stallMsMax);
  }

  /** Whether we ended it ourselves, so that nobody need be told. */
  get isCut(): boolean {
    return this.#isCut;
  }

  queuedBytes(): number {
    const stream = this.#stream;
    return this.#isCut || stream.destroyed || stream.closed ? 0 : stream.writableLength;
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

/** A reply that is over for us must not wait forever for a reader that takes nothing. */
export function cutWhenStalledH2(stream: ServerHttp2Stream, stallMs: number): void {
  if (stream.destroyed || stream.writableFinished) return;
  // Starts again whenever something is taken.
  stream.setTimeout(stallMs, () => cutH2(stream, stallMs));
}

/**
 * Resets the stream; what it had queued is dropped. A peer that does not read its connection at all
 * does not answer a ping either, and is cut with everything that waits for it.
 */
export function cutH2(stream: ServerHttp2Stream, stallMs: number): void {
  const { session } = stream;
  if (!stream.destroyed) {
    stream.close(constants.NGHTTP2_CANCEL);
    // Without it the stream would wait for its queue to be taken.
    stream.destroy();
  }
  if (session === undefined || session.destroyed) return;
  const timer = setTimeout(() => session.destroy(), stallMs);
  timer.unref();
  const isSent = session.ping(() => clearTimeout(timer));
  if (!isSent) clearTimeout(timer);
}
