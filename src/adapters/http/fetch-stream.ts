/** An event stream as the body of a Web `Response`. */
import type { StreamSink } from '../../core/ports.ts';

const encoder = new TextEncoder();

export class FetchStream implements StreamSink {
  readonly body: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isClosed = false;
  #onEnded: (isPeerGone: boolean) => void;

  /**
   * @param onEnded - called once: with true when the peer left, false when we ended or cut the
   * stream.
   */
  constructor(first: string, onEnded: (isPeerGone: boolean) => void) {
    this.#onEnded = onEnded;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => void this.#close(true),
      },
      // Counted in bytes: the default counts chunks, which would make the bound on a slow reader
      // meaningless.
      new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
    );
    this.write(first);
  }

  write(text: string): void {
    if (!this.#isClosed && text !== '') this.#controller?.enqueue(encoder.encode(text));
  }

  end(last: string): void {
    this.write(last);
    if (this.#close(false)) this.#controller?.close();
  }

  /** Also drops what waits for the reader of a stream that was ended. */
  destroy(): void {
    this.#close(false);
    this.#controller?.error(new Error('The stream was cut.'));
  }

  queuedBytes(): number {
    // The queue's length is what it lacks to its mark, which is 0. An erred stream has none.
    return Math.max(0, -(this.#controller?.desiredSize ?? 0));
  }

  /**
   * The peer left: nothing more is written. Whoever reads the body for it all the same, a
   * compression for example, must not wait for ever. No error: hosts log one for each client that
   * leaves.
   */
  peerGone(): void {
    if (this.#close(true)) this.#controller?.close();
  }

  #close(isPeerGone: boolean): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#onEnded(isPeerGone);
    return true;
  }
}
