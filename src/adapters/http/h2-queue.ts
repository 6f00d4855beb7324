/**
 * What waits for the reader of an event stream of HTTP/2. Node tells of a write when all of it was
 * taken, and makes one write of all that waits in it: a reader behind a slow link, who takes all
 * the time, would look like one that takes nothing for as long as that lasts. So little is handed
 * to Node at a time.
 */
import type { Writable } from 'node:stream';
import type { H2Backlog } from './h2-backlog.ts';
import type { SharedBytes } from './shared-bytes.ts';
import { LITTLE_BYTES } from './unsent-bytes.ts';

/** Bytes that are handed over at a time. */
export const SLICE_BYTES = 65_536;

export class H2Queue {
  readonly #stream: Writable;
  readonly #sharedBytes: SharedBytes;
  readonly #backlog: Pick<H2Backlog, 'add' | 'remove' | 'handed'>;
  /** What is not handed over yet. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** All there ever was. */
  #writtenBytes = 0;
  /** Whether a slice was handed over of which nothing is told yet. */
  #isHanding = false;
  #isEnding = false;
  /** Whether the end of the stream is listened for: as soon as something waits. */
  #isWatched = false;

  /** @param backlog - where it counts what is not handed over yet, and tells of what is. */
  constructor(
    stream: Writable,
    sharedBytes: SharedBytes,
    backlog: Pick<H2Backlog, 'add' | 'remove' | 'handed'>,
  ) {
    this.#stream = stream;
    this.#sharedBytes = sharedBytes;
    this.#backlog = backlog;
  }

  write(text: string): void {
    const handedBytes = this.#stream.writableLength;
    if (this.#waiting.length > 0 || handedBytes + text.length > SLICE_BYTES) {
      this.#keep(this.#sharedBytes.of(text));
    } else {
      const content = handedBytes === 0 ? text : this.#sharedBytes.of(text);
      this.#writtenBytes += content.length;
      this.#stream.write(content);
      if (handedBytes + content.length > LITTLE_BYTES) this.#backlog.handed(content.length);
    }
  }

  /** Ends the stream behind what waits. */
  end(): void {
    this.#isEnding = true;
    if (this.#waiting.length === 0) this.#stream.end();
  }

  /** Drops what is not handed over yet. */
  clear(): void {
    this.#waiting = [];
    this.#backlog.remove(this.#waitingBytes);
    this.#waitingBytes = 0;
  }

  /** All that waits, here and in Node. */
  get queuedBytes(): number {
    return this.#waitingBytes + this.#stream.writableLength;
  }

  get takenBytes(): number {
    return this.#writtenBytes - this.queuedBytes;
  }

  #keep(bytes: Buffer): void {
    if (!this.#isWatched) this.#stream.once('close', () => this.clear());
    this.#isWatched = true;
    this.#writtenBytes += bytes.length;
    this.#waitingBytes += bytes.length;
    this.#waiting.push(bytes);
    this.#backlog.add(bytes.length);
    if (!this.#isHanding) this.#hand();
  }

  #hand(): void {
    const slice = this.#takeSlice();
    const last = slice.pop();
    this.#isHanding = true;
    // One write for all of them, where the stream is free for it.
    this.#stream.cork();
    for (const part of slice) this.#stream.write(part);
    this.#stream.write(last, () => this.#taken());
    this.#stream.uncork();
    if (this.#isEnding && this.#waiting.length === 0) this.#stream.end();
  }

  /** Is told of what is called off, too. Node ends a stream that its peer resets. */
  #taken(): void {
    this.#isHanding = false;
    const isOver = this.#stream.destroyed || this.#stream.writableEnded;
    if (!isOver && this.#waiting.length > 0) this.#hand();
  }

  #takeSlice(): Buffer[] {
    const slice: Buffer[] = [];
    let room = SLICE_BYTES;
    let [next] = this.#waiting;
    while (next !== undefined && room > 0) {
      slice.push(next.subarray(0, room));
      if (next.length > room) this.#waiting[0] = next.subarray(room);
      else this.#waiting.shift();
      room -= next.length;
      [next] = this.#waiting;
    }
    const bytes = SLICE_BYTES - Math.max(room, 0);
    this.#waitingBytes -= bytes;
    this.#backlog.remove(bytes);
    return slice;
  }
}
