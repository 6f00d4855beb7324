/**
 * Cuts a byte stream into lines without ever holding more than one line, and never a longer one
 * than the bound: of a line beyond it only the beginning and the end are kept, whatever its length.
 *
 * Works on bytes, so that a character cut in two by a chunk border is whole again when its line is
 * decoded.
 */
export interface LineEvents {
  /**
   * One line that is not empty, without its LF or CR LF, as `source[start, end)`. The bytes are
   * only valid during the call.
   */
  onLine(source: Buffer, start: number, end: number): void;
  /**
   * A line longer than the bound has ended.
   * @param head - its first bytes, at most 4096 and never more than the bound.
   * @param tail - its last bytes, at most 512.
   */
  onOversized(head: Buffer, tail: Buffer): void;
}

const LF = 0x0a;
const CR = 0x0d;
const HEAD_BYTES = 4096;
const TAIL_BYTES = 512;
/**
 * A larger buffer is given back after its line: an idle server should not cost what its longest
 * line did.
 */
const KEPT_CAPACITY_BYTES = 16 * 1024;
const EMPTY = Buffer.alloc(0);

export class LineSplitter {
  readonly #bytesMax: number;
  readonly #events: LineEvents;
  /** The beginning of a line whose end has not come yet: `#held[0, #heldBytes)`. */
  #held: Buffer = EMPTY;
  #heldBytes = 0;
  #oversized: { readonly head: Buffer; tail: Buffer } | undefined;

  /** @param bytesMax - the longest line that is passed on, in bytes without the LF. */
  constructor(bytesMax: number, events: LineEvents) {
    this.#bytesMax = bytesMax;
    this.#events = events;
  }

  push(chunk: Buffer): void {
    let start = 0;
    let newline = chunk.indexOf(LF);
    if (newline !== -1 && (this.#heldBytes > 0 || this.#oversized !== undefined)) {
      this.#hold(chunk.subarray(0, newline));
      this.end();
      start = newline + 1;
      newline = chunk.indexOf(LF, start);
    }
    while (newline !== -1) {
      this.#emit(chunk, start, newline);
      start = newline + 1;
      newline = chunk.indexOf(LF, start);
    }
    if (start < chunk.length) this.#hold(start === 0 ? chunk : chunk.subarray(start));
  }

  /** The stream has ended: what is held is the last line. */
  end(): void {
    const oversized = this.#oversized;
    if (oversized !== undefined) {
      this.#oversized = undefined;
      this.#events.onOversized(oversized.head, oversized.tail);
      return;
    }
    if (this.#heldBytes === 0) return;
    const held = this.#held;
    const heldBytes = this.#heldBytes;
    this.#heldBytes = 0;
    if (held.length > KEPT_CAPACITY_BYTES) this.#held = EMPTY;
    this.#emit(held, 0, heldBytes);
  }

  /** Bytes of memory this splitter holds now. */
  capacity(): number {
    return this.#held.length;
  }

  #emit(source: Buffer, start: number, end: number): void {
    if (end - start > this.#bytesMax) {
      const line = source.subarray(start, end);
      this.#events.onOversized(line.subarray(0, this.#headBytes()), line.subarray(-TAIL_BYTES));
      return;
    }
    const contentEnd = end > start && source[end - 1] === CR ? end - 1 : end;
    if (contentEnd > start) this.#events.onLine(source, start, contentEnd);
  }

  #hold(piece: Buffer): void {
    if (this.#oversized !== undefined) {
      this.#oversized.tail = lastBytes(this.#oversized.tail, piece);
      return;
    }
    const needed = this.#heldBytes + piece.length;
    if (needed > this.#bytesMax) {
      this.#startSkipping(piece);
      return;
    }
    if (needed > this.#held.length) this.#grow(needed);
    piece.copy(this.#held, this.#heldBytes);
    this.#heldBytes = needed;
  }

  #startSkipping(piece: Buffer): void {
    const held = this.#held.subarray(0, this.#heldBytes);
    const missing = Math.max(0, this.#headBytes() - held.length);
    this.#oversized = {
      head: Buffer.concat([held.subarray(0, this.#headBytes()), piece.subarray(0, missing)]),
      tail: lastBytes(held, piece),
    };
    this.#held = EMPTY;
    this.#heldBytes = 0;
  }

  /**
   * Doubling keeps a line that comes in single bytes linear; chunks kept in a list would cost an
   * object each.
   */
  #grow(needed: number): void {
    const doubled = Math.min(this.#held.length * 2, this.#bytesMax);
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, doubled, Math.min(1024, this.#bytesMax)));
    this.#held.copy(grown, 0, 0, this.#heldBytes);
    this.#held = grown;
  }

  #headBytes(): number {
    return Math.min(HEAD_BYTES, this.#bytesMax);
  }
}

/** The last bytes of `before` and `piece` together, as a copy. */
function lastBytes(before: Buffer, piece: Buffer): Buffer {
  if (piece.length >= TAIL_BYTES) return Buffer.from(piece.subarray(-TAIL_BYTES));
  const wanted = TAIL_BYTES - piece.length;
  return Buffer.concat([before.subarray(Math.max(0, before.length - wanted)), piece]);
}
