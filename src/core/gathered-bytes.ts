/**
 * Bytes that come in pieces, as one. Whoever sends them chooses how small the pieces are, and a
 * list would cost an object each: a hundred times what is in them. So they are copied into one
 * array, which doubles; what comes as one piece is not copied.
 */
const NONE = new Uint8Array(0);

export class GatheredBytes {
  /** The only piece as long as there is one: no room is left in it, so nothing is written to it. */
  #bytes: Uint8Array = NONE;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that are held for them. */
  get capacity(): number {
    return this.#bytes.length;
  }

  add(piece: Uint8Array): void {
    const before = this.#length;
    this.#length += piece.length;
    if (before === 0) {
      this.#bytes = piece;
      return;
    }
    if (this.#length > this.#bytes.length) this.#grow(before);
    this.#bytes.set(piece, before);
  }

  /** All of them, the very piece where there is one; valid until more are added. */
  whole(): Uint8Array {
    const bytes = this.#bytes;
    return bytes.length === this.#length ? bytes : bytes.subarray(0, this.#length);
  }

  #grow(before: number): void {
    const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, before));
    this.#bytes = grown;
  }
}
