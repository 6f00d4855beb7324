/**
 * What waits to be taken on all connections together. Each has bounds of its own, but there may be
 * thousands. Nothing is counted down, and no timer is armed: what is written behind much that waits
 * is added up, and once that might be too much, all that waits is looked at.
 */
import type { ConnectionLimits } from './connection-limits.ts';

/** Where no more waits than this, the number of connections is what bounds it. */
export const LITTLE_BYTES = 16_384;
/**
 * Into so many parts the bound is divided: of one, more may be written before the next look, and
 * one is left free by a cut, so that not every look has to cut.
 */
const PARTS = 16;

/** A connection. */
export interface Reader {
  /** What waits on it, and is not little. */
  unsentBytes(): number;
  /** Closes it; what waits is dropped. */
  cut(): void;
}

export class UnsentBytes {
  readonly #bytesMax: number;
  readonly #onCut: (connections: number, bytes: number) => void;
  /** Since when more than little waits on each. */
  readonly #since = new Map<Reader, number>();
  /** At most what waits, but for what was little. */
  #bytes = 0;
  #lookAt: number;
  #isLooking = false;

  /** @param onCut - told how many connections were cut together, and what waited on them. */
  constructor(
    { unsentTotalBytesMax }: ConnectionLimits,
    onCut: (connections: number, bytes: number) => void,
  ) {
    this.#bytesMax = unsentTotalBytesMax;
    this.#lookAt = unsentTotalBytesMax;
    this.#onCut = onCut;
  }

  /** @param bytes - what was written to one on which more than little waits now. */
  add(reader: Reader, bytes: number): void {
    const wasLittle = reader.unsentBytes() - bytes <= LITTLE_BYTES;
    if (wasLittle || !this.#since.has(reader)) this.#since.set(reader, performance.now());
    this.#bytes += bytes;
    if (this.#bytes <= this.#lookAt || this.#isLooking) return;
    this.#isLooking = true;
    // Whoever writes may be in the middle of handling something.
    setImmediate(() => this.#look());
  }

  /** A connection is gone. */
  delete(reader: Reader): void {
    this.#since.delete(reader);
  }

  #look(): void {
    this.#isLooking = false;
    this.#bytes = 0;
    for (const reader of this.#since.keys()) {
      const bytes = reader.unsentBytes();
      if (bytes > LITTLE_BYTES) this.#bytes += bytes;
      else this.#since.delete(reader);
    }
    if (this.#bytes > this.#bytesMax) this.#cut(performance.now());
    this.#lookAt = Math.max(this.#bytesMax, this.#bytes + this.#bytesMax / PARTS);
  }

  /** First those that hold most for longest: whoever reads is done while others only begin. */
  #cut(now: number): void {
    const leftMax = this.#bytesMax - this.#bytesMax / PARTS;
    const before = this.#bytes;
    const held = [...this.#since].map(([reader, since]) => {
      const bytes = reader.unsentBytes();
      return { reader, bytes, cost: bytes * (now - since + 1) };
    });
    held.sort((a, b) => b.cost - a.cost);
    let count = 0;
    for (const { reader, bytes } of held) {
      if (this.#bytes <= leftMax) break;
      this.#bytes -= bytes;
      this.#since.delete(reader);
      reader.cut();
      count += 1;
    }
    this.#onCut(count, before - this.#bytes);
  }
}
