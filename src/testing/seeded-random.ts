/**
 * Randomness that repeats itself: the same seed gives the same run on every machine. The generator
 * is xoshiro128**, seeded through SplitMix32; it is for tests only, never for secrets.
 * @see https://prng.di.unimi.it/
 */
import type { Randomness } from '../core/ports.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

export class SeededRandom implements Randomness {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed - any integer; only its lower 32 bits count. */
  constructor(seed: number) {
    this.seed = seed;
    let state = seed | 0;
    const split = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = state ^ (state >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    };
    this.#a = split();
    this.#b = split();
    this.#c = split();
    this.#d = split();
  }

  /** 32 uniform bits as an unsigned integer. */
  bits(): number {
    const scrambled = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return scrambled;
  }

  fraction(): number {
    return this.bits() / 0x1_0000_0000;
  }

  sessionId(): string {
    return this.word(22);
  }

  /** Uniform integer from `from` to `to`, both included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('There is nothing to pick from.');
    return list[this.int(0, list.length - 1)] as T;
  }

  /** One key of a table, with probability proportional to its weight. */
  weighted<Key extends string>(weights: Readonly<Partial<Record<Key, number>>>): Key {
    const entries = Object.entries(weights) as [Key, number][];
    let rest = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      rest -= weight;
      if (rest < 0) return key;
    }
    return this.pick(entries)[0];
  }

  /** A word of `[A-Za-z0-9_-]`. */
  word(length: number): string {
    let text = '';
    for (let index = 0; index < length; index += 1) text += ALPHABET[this.bits() >>> 26];
    return text;
  }

  /** An independent generator; drawing from it leaves this one's later draws as they were. */
  fork(): SeededRandom {
    return new SeededRandom(this.bits());
  }
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
