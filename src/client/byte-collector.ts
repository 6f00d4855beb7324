/** Bytes of one body, up to a bound, and their text. */
const STRICT = new TextDecoder('utf-8', { fatal: true });

export class ByteCollector {
  readonly #bytesMax: number;
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @returns whether the bound is kept; beyond it nothing is kept at all. */
  add(chunk: Uint8Array): boolean {
    this.#size += chunk.length;
    if (this.#size > this.#bytesMax) {
      this.#chunks = [];
      return false;
    }
    this.#chunks.push(chunk);
    return true;
  }

  /** The whole as UTF-8 without a byte order mark; undefined when it is no UTF-8. */
  text(): string | undefined {
    try {
      return STRICT.decode(this.#joined());
    } catch {
      return undefined;
    }
  }

  #joined(): Uint8Array {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const joined = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    return joined;
  }
}
