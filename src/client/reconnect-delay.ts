/**
 * How long to wait before a stream is opened again: never earlier than the server asked, and beyond
 * that with full jitter, so that clients that were cut together do not come back together.
 */
import type { Randomness } from '../core/ports.ts';

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** A server that asks for more is not believed. */
const ASKED_MS_MAX = 300_000;
/** Nor is one that asks for less: its streams would be opened without a pause. */
const ASKED_MS_MIN = 100;
/** A stream that is shorter each time is worth no end of attempts. */
const STOOD_MS_MIN = 1000;

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

  /** A stream ended after this long: one that stood for a while was worth coming back for. */
  stood(ms: number): void {
    if (ms >= STOOD_MS_MIN) this.succeeded();
  }

  /**
   * @param askedMs - what the server's `retry` or `Retry-After` said, if it said anything.
   * @returns milliseconds to wait before the next attempt.
   */
  next(askedMs: number | undefined): number {
    const asked =
      askedMs === undefined ? 0 : Math.min(Math.max(askedMs, ASKED_MS_MIN), ASKED_MS_MAX);
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

/**
 * A `Retry-After` as milliseconds, in seconds or as a date. A date is compared with the reply's own
 * `Date`, so that no two clocks have to agree; without one it says nothing.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function retryAfterMs(
  header: string | undefined,
  date: string | undefined,
): number | undefined {
  const value = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const ms = httpDate(value) - httpDate(date?.trim() ?? '');
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

function httpDate(text: string): number {
  return HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
}
