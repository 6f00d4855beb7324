/**
 * The bytes of a text that waits in many queues at once. One event that goes to thousands of
 * streams is written by thousands of calls in a row; those whose reader is behind keep one buffer
 * between them, whose length is the true number of bytes, where a queued string would count UTF-16
 * units.
 */
const KEPT_CHARS_MAX = 65_536;

export class SharedBytes {
  #text = '';
  #bytes: Buffer = Buffer.alloc(0);

  of(text: string): Buffer {
    if (text.length > KEPT_CHARS_MAX) return Buffer.from(text);
    if (text !== this.#text) {
      this.#bytes = Buffer.from(text);
      this.#text = text;
    }
    return this.#bytes;
  }
}
