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
  readonly #series: Series[] = [];
  /** By name, then by each label and its value in turn. */
  readonly #names = new Map<string, Place>();
  #overflow = 0;

  /** @param seriesMax - how many combinations of name and labels are kept apart. Default 2,000. */
  constructor(seriesMax = 2000) {
    this.#seriesMax = seriesMax;
  }

  add(name: string, labels: LogFields, by = 1): void {
    const found = this.#find(name, labels);
    if (found !== undefined) found.value += by;
    else if (this.#series.length < this.#seriesMax) this.#begin(name, labels, by);
    else this.#overflow += 1;
  }

  /** A copy, in order of first use. */
  snapshot(): readonly Counter[] {
    const all = this.#series.map((counter) => ({ ...counter }));
    if (this.#overflow === 0) return all;
    return [...all, { name: 'series_overflow_total', labels: {}, value: this.#overflow }];
  }

  /**
   * From one label to the next, which leaves nothing for the collector of garbage: with a text of
   * all labels as the key it took 345 ns instead of 65.
   */
  #find(name: string, labels: LogFields): Series | undefined {
    let place = this.#names.get(name);
    for (const label in labels) {
      place = place?.labels.get(label)?.get(labels[label]);
      if (place === undefined) return undefined;
    }
    return place?.series;
  }

  #begin(name: string, labels: LogFields, value: number): void {
    let place = placeOf(this.#names, name);
    for (const label in labels) {
      const values = place.labels.get(label) ?? new Map<LogFields[string], Place>();
      place.labels.set(label, values);
      place = placeOf(values, labels[label]);
    }
    place.series = { name, labels, value };
    this.#series.push(place.series);
  }
}

interface Series {
  readonly name: string;
  readonly labels: LogFields;
  value: number;
}

/** What is known of a name and the labels so far: whose labels end here, and which may follow. */
interface Place {
  series: Series | undefined;
  readonly labels: Map<string, Map<LogFields[string], Place>>;
}

function placeOf<Key>(places: Map<Key, Place>, key: Key): Place {
  const known = places.get(key);
  if (known !== undefined) return known;
  const place: Place = { series: undefined, labels: new Map() };
  places.set(key, place);
  return place;
}
