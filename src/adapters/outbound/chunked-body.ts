/**
 * A body that comes in chunks, as it comes in. Extensions of chunks and the fields that follow the
 * body are read over, and bounded.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-7.1
 */
import { JoinedText } from '../../core/own-text.ts';
import { HEAD_BYTES_MAX, isField } from './reply-head.ts';

/** What `read` returns where it ends inside the body. */
export const GOES_ON = -1;
/** What `read` returns of what is no such body. */
export const NO_CHUNKS = -2;

/** More digits than these are no number that is exact. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,13})(?:;[\t\u0020-\u007e\u0080-\u00ff]*)?$/;
const LINE_FEED = 0x0a;

export class ChunkedBody {
  /** Which line comes next, when no data does. */
  #next: 'size' | 'break' | 'field' = 'size';
  /** Bytes of this chunk that are to come. */
  #left = 0;
  readonly #line = new JoinedText();
  #fieldBytes = 0;

  /** @returns where in `bytes` the body ends, or one of the two numbers above. */
  read(bytes: Buffer, from: number, onBytes: (data: Buffer) => void): number {
    let at = from;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        onBytes(bytes.subarray(at, end));
        at = end;
        continue;
      }
      const feed = bytes.indexOf(LINE_FEED, at);
      const end = feed === -1 ? bytes.length : feed + 1;
      if (this.#line.length + end - at > HEAD_BYTES_MAX) return NO_CHUNKS;
      this.#line.add(bytes.toString('latin1', at, end));
      at = end;
      if (feed === -1) return GOES_ON;
      const line = this.#line.take();
      if (!line.endsWith('\r\n')) return NO_CHUNKS;
      if (this.#next === 'field' && line === '\r\n') return at;
      if (!this.#takes(line.slice(0, -2))) return NO_CHUNKS;
    }
    return GOES_ON;
  }

  /** @returns whether a line may stand where it does. */
  #takes(line: string): boolean {
    if (this.#next === 'break') {
      this.#next = 'size';
      return line === '';
    }
    if (this.#next === 'field') {
      this.#fieldBytes += line.length;
      return this.#fieldBytes <= HEAD_BYTES_MAX && isField(line);
    }
    const size = SIZE_LINE.exec(line)?.[1];
    if (size === undefined) return false;
    this.#left = Number.parseInt(size, 16);
    this.#next = this.#left === 0 ? 'field' : 'break';
    return true;
  }
}
