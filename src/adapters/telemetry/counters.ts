import type { LogFields } from '../../core/ports.ts';

/** One counter with its labels, as it is now. */
export interface Counter {
  readonly name: string;
  readonly labels: LogFields;
  readonly value: number;
}

/**
 * Counters in memory. A label's values may come from clients (a method name), so the number of
 * series is bounded: what comes after the bound is counted without labels, as
 * `series_overflow_total`.
 */
export class Counters {
  readonly #seriesMax: number;
  readonly #series = new Map<string, { name: string; labels: LogFields; value: number }>();
  #overflow = 0;

  /** @param seriesMax - how many combinations of name and labels are kept apart. Default 2,000. */
  constructor(seriesMax = 2000) {
    this.#seriesMax = seriesMax;
  }

  add(name: string, labels: LogFields, by = 1): void {
    const key = keyOf(name, labels);
    const found = this.#series.get(key);
    if (found !== undefined) found.value += by;
    else if (this.#series.size < this.#seriesMax)
      this.#series.set(key, { name, labels, value: by });
    else this.#overflow += 1;
  }

  /** A copy, in order of first use. */
  snapshot(): readonly Counter[] {
    const all = Array.from(this.#series.values(), (counter) => ({ ...counter }));
    if (this.#overflow === 0) return all;
    return [...all, { name: 'series_overflow_total', labels: {}, value: this.#overflow }];
  }
}

/** No label can spell the end of another: each text has its length before it. */
function keyOf(name: string, labels: LogFields): string {
  let key = name;
  for (const label in labels) {
    const value = labels[label];
    key +=
      typeof value === 'string' ? `\n${label}=${value.length}:${value}` : `\n${label} ${value}`;
  }
  return key;
}
