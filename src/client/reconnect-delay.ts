/**
 * How long to wait before a stream is opened again: never earlier than the server asked, and beyond
 * that with full jitter, so that clients that were cut together do not come back together.
 */
import type { Randomness } from '../core/ports.ts';

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** A server that asks for more is not believed. */
const ASKED_MS_MAX = 300_000;

export class ReconnectDelay {
  readonly #random: Randomness;
  /** Failures in a row. */
  failures = 0;

  constructor(random: Randomness) {
    this.#random = random;
  }

  /** The stream brought something: the next break is a first one. */
  succeeded(): void {
    this.failures = 0;
  }

  /**
   * @param askedMs - what the server's `retry` or `Retry-After` said, if it said anything.
   * @returns milliseconds to wait before the next attempt.
   */
  next(askedMs: number | undefined): number {
    const asked = Math.min(askedMs ?? 0, ASKED_MS_MAX);
    // A server that polls knows its rhythm: it is only loosened.
    const first = askedMs === undefined ? FIRST_MS : Math.min(FIRST_MS, asked / 2);
    const longest =
      this.failures === 0
        ? first
        : Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.failures, 10));
    this.failures += 1;
    return asked + longest * this.#random.fraction();
  }
}

/** A `Retry-After` in seconds as milliseconds; a date needs a clock that agrees and is ignored. */
export function retryAfterMs(header: string | undefined): number | undefined {
  const value = header?.trim() ?? '';
  return /^\d{1,9}$/.test(value) ? Number(value) * 1000 : undefined;
}
