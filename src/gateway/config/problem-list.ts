/** Gathers everything that is wrong with one file, each thing once and in the file's order. */
import { printable } from '../../adapters/telemetry/printable.ts';
import type { Places } from './places.ts';
import type { ConfigPath, Problem } from './problem.ts';

/** More than a person reads at once; a file of garbage has as many as it has lines. */
const PROBLEMS_MAX = 200;
const KEY_CHARS_MAX = 80;

export class ProblemList {
  readonly #places: Places;
  readonly #found = new Map<string, { offset: number; path: ConfigPath; message: string }>();

  constructor(places: Places) {
    this.#places = places;
  }

  get isEmpty(): boolean {
    return this.#found.size === 0;
  }

  /** A value is wrong. What was said of the same value before stands alone. */
  value(path: ConfigPath, message: string): void {
    const at = path.join('\u0000');
    for (const known of this.#found.values()) if (known.path.join('\u0000') === at) return;
    this.at(this.#places.valueOf(path), path, message);
  }

  /** One more thing is wrong with a value. */
  also(path: ConfigPath, message: string): void {
    this.at(this.#places.valueOf(path), path, message);
  }

  /** A key is wrong. */
  key(path: ConfigPath, message: string): void {
    this.at(this.#places.keyOf(path), path, message);
  }

  at(offset: number, path: ConfigPath, message: string): void {
    const identity = `${offset} ${message}`;
    if (this.#found.size >= PROBLEMS_MAX || this.#found.has(identity)) return;
    this.#found.set(identity, { offset, path, message });
  }

  toArray(): readonly Problem[] {
    return [...this.#found.values()]
      .sort((a, b) => a.offset - b.offset)
      .map(({ offset, path, message }) => ({
        ...this.#places.position(offset),
        path: pathText(path),
        message,
      }));
  }
}

/** `servers.github.args[1]`; a key of other characters is in quotes. */
export function pathText(path: ConfigPath): string {
  return path
    .map((key) => {
      if (typeof key === 'number') return `[${key}]`;
      return /^[\w-]+$/.test(key) && key.length <= KEY_CHARS_MAX ? `.${key}` : `[${quoted(key)}]`;
    })
    .join('')
    .replace(/^\./, '');
}

/** A key of the file as it may stand in a sentence. */
export function quoted(key: string): string {
  return `"${printable(key, KEY_CHARS_MAX)}"`;
}
