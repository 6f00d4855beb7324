/** Where in a file the keys and values of its data stand. */
import type { ConfigPath } from './problem.ts';

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

interface Place {
  readonly key: number;
  readonly value: number;
}

export class Places {
  readonly #places = new Map<string, Place>();
  readonly #lineStarts: readonly number[];
  readonly #length: number;

  constructor(text: string) {
    this.#length = text.length;
    const starts = [0];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
      starts.push(at + 1);
    }
    this.#lineStarts = starts;
  }

  /** @param place - offsets of the key, for an item of a list its own, and of the value. */
  set(path: ConfigPath, place: Place): void {
    this.#places.set(nameOf(path), place);
  }

  keyOf(path: ConfigPath): number {
    return this.#places.get(nameOf(path))?.key ?? this.#nearest(path);
  }

  valueOf(path: ConfigPath): number {
    return this.#places.get(nameOf(path))?.value ?? this.#nearest(path);
  }

  position(offset: number): Position {
    const at = Math.max(0, Math.min(offset, this.#length));
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - (this.#lineStarts[low] ?? 0) + 1 };
  }

  /** What is not in the file is missing where its owner is named. */
  #nearest(path: ConfigPath): number {
    for (let length = path.length - 1; length > 0; length -= 1) {
      const place = this.#places.get(nameOf(path.slice(0, length)));
      if (place !== undefined) return place.key;
    }
    return this.#places.get('[]')?.value ?? 0;
  }
}

function nameOf(path: ConfigPath): string {
  return JSON.stringify(path);
}
