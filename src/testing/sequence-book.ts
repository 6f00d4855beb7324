/**
 * A client's account of event ids: within one session no event comes twice, each reader's sequences
 * rise, and none is skipped unless the reply said that there is a gap.
 */
import type { Ledger } from './ledger.ts';

export interface EventPlace {
  /** What stands before the cursor: the session id in 2024. */
  readonly session: string;
  readonly stream: number;
  readonly sequence: number;
}

const EVENT_ID = /^(?:([A-Za-z0-9_-]+)\.)?([0-9a-z]+)\.[0-9a-z]+-([0-9a-z]+)\.[0-9a-z]+$/;

export function placeOf(id: string): EventPlace | undefined {
  const match = EVENT_ID.exec(id);
  if (match === null) return undefined;
  return {
    session: match[1] ?? '',
    stream: Number.parseInt(match[2] ?? '', 36),
    sequence: Number.parseInt(match[3] ?? '', 36),
  };
}

export class SequenceBook {
  readonly #owner: string;
  readonly #ledger: Ledger;
  readonly #seen = new Set<string>();
  /** Whether some reader was told that events are gone. */
  hadGap = false;

  constructor(owner: string, ledger: Ledger) {
    this.#owner = owner;
    this.#ledger = ledger;
  }

  /**
   * @param lastEventId - what the reader resumed with; @param hasGap - whether the reply said so.
   */
  reader(lastEventId: string | undefined, hasGap: boolean): SequenceReader {
    const from = lastEventId === undefined ? undefined : placeOf(lastEventId);
    this.hadGap ||= hasGap;
    return new SequenceReader(this.#owner, this.#ledger, this.#seen, from, hasGap);
  }
}

export class SequenceReader {
  readonly #owner: string;
  readonly #ledger: Ledger;
  readonly #seen: Set<string>;
  readonly #hasGap: boolean;
  #mayGap: boolean;
  #last: EventPlace | undefined;

  constructor(
    owner: string,
    ledger: Ledger,
    seen: Set<string>,
    from: EventPlace | undefined,
    hasGap: boolean,
  ) {
    this.#owner = owner;
    this.#ledger = ledger;
    this.#seen = seen;
    this.#last = from;
    // A fresh reader asks for no event in particular: what the log lost before it came was never
    // promised.
    this.#mayGap = hasGap || from === undefined;
    this.#hasGap = hasGap;
  }

  /** An id without a message: where the reader stands. */
  stand(id: string): void {
    const place = this.#read(id);
    if (place === undefined) return;
    const last = this.#last;
    if (last !== undefined && (last.stream !== place.stream || last.sequence !== place.sequence)) {
      if (!this.#hasGap) this.#violate(`stands at ${id}, expected ${JSON.stringify(last)}`);
    }
    this.#last = place;
  }

  event(id: string | undefined): void {
    if (id === undefined) {
      this.#violate('an event without an id');
      return;
    }
    const place = this.#read(id);
    if (place === undefined) return;
    const key = `${place.stream}-${place.sequence}`;
    if (this.#seen.has(key)) this.#violate(`event ${key} came again`);
    this.#seen.add(key);
    const last = this.#last;
    this.#last = place;
    if (last === undefined) return;
    if (place.stream !== last.stream) this.#violate(`event ${key} in stream ${last.stream}`);
    if (place.sequence <= last.sequence) this.#violate(`event ${key} after ${last.sequence}`);
    if (place.sequence > last.sequence + 1 && !this.#mayGap) {
      this.#violate(`event ${key} after ${last.sequence}: a silent gap`);
    }
    this.#mayGap = this.#hasGap;
  }

  #read(id: string): EventPlace | undefined {
    const place = placeOf(id);
    if (place === undefined) this.#violate(`event id ${JSON.stringify(id)}`);
    return place;
  }

  #violate(what: string): void {
    this.#ledger.violate(this.#owner, what);
  }
}
