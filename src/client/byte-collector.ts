/** Bytes of one body, up to a bound, and their text. */
import { GatheredBytes } from '../core/gathered-bytes.ts';

const STRICT = new TextDecoder('utf-8', { fatal: true });

export class ByteCollector {
  readonly #bytesMax: number;
  #gathered = new GatheredBytes();
  #size = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @returns whether the bound is kept; beyond it nothing is kept at all. */
  add(chunk: Uint8Array): boolean {
    this.#size += chunk.length;
    if (this.#size > this.#bytesMax) {
      this.#gathered = new GatheredBytes();
      return false;
    }
    this.#gathered.add(chunk);
    return true;
  }

  /** The whole as UTF-8 without a byte order mark; undefined when it is no UTF-8. */
  text(): string | undefined {
    try {
      return STRICT.decode(this.#gathered.whole());
    } catch {
      return undefined;
    }
  }
}
