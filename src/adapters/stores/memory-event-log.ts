/**
 * Events kept for resume in this process's memory: lost with it, and never seen by another.
 *
 * A session is a list of events from oldest to newest, and each stream threads its own events
 * through it, so that eviction takes the oldest of the whole session, trimming takes one stream,
 * and both cost only what they remove. A session that never appended costs nothing.
 */
import type { Limits } from '../../core/limits.ts';
import type { EventLog, LoggedEvent, ReadOutcome } from '../../core/ports.ts';

export type EventLogLimits = Pick<
  Limits,
  'logEventsMax' | 'logBytesMax' | 'logAgeMsMax' | 'logTotalBytesMax'
>;

interface Entry {
  readonly stream: StreamEntries;
  readonly sequence: number;
  readonly data: string;
  readonly at: number;
  older: Entry | undefined;
  newer: Entry | undefined;
  nextOfStream: Entry | undefined;
}

interface StreamEntries {
  readonly number: number;
  first: Entry | undefined;
  last: Entry | undefined;
  /** The newest sequence ever appended. */
  top: number;
  /** Every sequence up to this one may be gone; none after it is. */
  goneThrough: number;
}

interface SessionEntries {
  readonly streams: Map<number, StreamEntries>;
  oldest: Entry | undefined;
  newest: Entry | undefined;
  events: number;
  chars: number;
  generation: number;
  /** A stream below this number that is not in `streams` was dropped whole. */
  droppedBelow: number;
}

/**
 * Streams a session remembers without holding their events: enough to tell "all delivered" from
 * "gone".
 */
const EMPTY_STREAMS_MAX = 64;

/** What an event costs besides its text: measured at 176 bytes for a short one. */
const ENTRY_BYTES = 128;

export class MemoryEventLog implements EventLog {
  readonly #limits: EventLogLimits;
  readonly #sessions = new Map<string, SessionEntries>();
  #events = 0;
  #chars = 0;
  #sweep: Iterator<SessionEntries> | undefined;
  #relief: Iterator<SessionEntries> | undefined;

  constructor(limits: EventLogLimits) {
    this.#limits = limits;
  }

  append(
    session: string,
    stream: number,
    generation: number,
    sequence: number,
    data: string,
    now: number,
  ): 'appended' | 'fenced' {
    const entries = this.#sessionFor(session, generation);
    if (generation < entries.generation) return 'fenced';
    entries.generation = generation;
    this.#push(entries, this.#streamFor(entries, stream, sequence), sequence, data, now);
    this.#evict(entries, now);
    this.#sweepOne(now);
    this.#relieve();
    return 'appended';
  }

  readAfter(
    session: string,
    stream: number,
    sequence: number,
    now: number,
    done: (outcome: ReadOutcome) => void,
  ): void {
    const entries = this.#sessions.get(session);
    if (entries === undefined) {
      done({ kind: 'events', events: [] });
      return;
    }
    this.#evict(entries, now);
    done(outcomeOf(entries, stream, sequence));
  }

  trim(session: string, stream: number): void {
    const entries = this.#sessions.get(session);
    const trimmed = entries?.streams.get(stream);
    if (entries === undefined || trimmed === undefined) return;
    while (trimmed.first !== undefined) this.#removeFirst(entries, trimmed);
    trimmed.goneThrough = trimmed.top;
  }

  forget(session: string): void {
    const entries = this.#sessions.get(session);
    if (entries === undefined) return;
    this.#events -= entries.events;
    this.#chars -= entries.chars;
    this.#sessions.delete(session);
  }

  size(): { readonly events: number; readonly chars: number } {
    return { events: this.#events, chars: this.#chars };
  }

  #sessionFor(session: string, generation: number): SessionEntries {
    let entries = this.#sessions.get(session);
    if (entries === undefined) {
      entries = {
        streams: new Map(),
        oldest: undefined,
        newest: undefined,
        events: 0,
        chars: 0,
        generation,
        droppedBelow: 0,
      };
      this.#sessions.set(session, entries);
    }
    return entries;
  }

  #streamFor(entries: SessionEntries, number: number, sequence: number): StreamEntries {
    let stream = entries.streams.get(number);
    if (stream === undefined) {
      // A stream whose place was forgotten cannot vouch for anything before this event.
      const goneThrough = number < entries.droppedBelow ? sequence - 1 : -1;
      stream = { number, first: undefined, last: undefined, top: -1, goneThrough };
      entries.streams.set(number, stream);
      if (entries.streams.size > EMPTY_STREAMS_MAX) dropEmptyStream(entries, stream);
    }
    if (sequence <= stream.top) {
      throw new Error(`Event ${sequence} of stream ${number} comes after event ${stream.top}.`);
    }
    return stream;
  }

  #push(
    entries: SessionEntries,
    stream: StreamEntries,
    sequence: number,
    data: string,
    at: number,
  ): void {
    const older = entries.newest;
    const entry: Entry = {
      stream,
      sequence,
      data,
      at,
      older,
      newer: undefined,
      nextOfStream: undefined,
    };
    if (older === undefined) entries.oldest = entry;
    else older.newer = entry;
    entries.newest = entry;
    if (stream.last === undefined) stream.first = entry;
    else stream.last.nextOfStream = entry;
    stream.last = entry;
    stream.top = sequence;
    entries.events += 1;
    entries.chars += data.length;
    this.#events += 1;
    this.#chars += data.length;
  }

  #evict(entries: SessionEntries, now: number): void {
    const { logEventsMax, logBytesMax, logAgeMsMax } = this.#limits;
    while (
      entries.oldest !== undefined &&
      (entries.events > logEventsMax ||
        entries.chars > logBytesMax ||
        now - entries.oldest.at > logAgeMsMax)
    ) {
      // The oldest event of a session is also the oldest of its stream.
      this.#removeFirst(entries, entries.oldest.stream);
    }
  }

  #removeFirst(entries: SessionEntries, stream: StreamEntries): void {
    const entry = stream.first;
    if (entry === undefined) return;
    stream.first = entry.nextOfStream;
    if (stream.first === undefined) stream.last = undefined;
    stream.goneThrough = entry.sequence;
    if (entry.older === undefined) entries.oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) entries.newest = entry.older;
    else entry.newer.older = entry.older;
    entries.events -= 1;
    entries.chars -= entry.data.length;
    this.#events -= 1;
    this.#chars -= entry.data.length;
  }

  /** Over the bound of all: sessions in turn give up the older half of what they hold. */
  #relieve(): void {
    while (this.#chars + this.#events * ENTRY_BYTES > this.#limits.logTotalBytesMax) {
      this.#relief ??= this.#sessions.values();
      const next = this.#relief.next();
      if (next.done === true) this.#relief = undefined;
      else this.#halve(next.value);
    }
  }

  #halve(entries: SessionEntries): void {
    for (let left = Math.ceil(entries.events / 2); left > 0; left -= 1) {
      if (entries.oldest !== undefined) this.#removeFirst(entries, entries.oldest.stream);
    }
  }

  /**
   * Ages one other session for each append, so that a session gone quiet gives its memory back
   * without a timer.
   */
  #sweepOne(now: number): void {
    this.#sweep ??= this.#sessions.values();
    const next = this.#sweep.next();
    if (next.done === true) this.#sweep = undefined;
    else this.#evict(next.value, now);
  }
}

function outcomeOf(entries: SessionEntries, number: number, sequence: number): ReadOutcome {
  const stream = entries.streams.get(number);
  if (stream === undefined) {
    return { kind: number < entries.droppedBelow ? 'gap' : 'events', events: [] };
  }
  const events: LoggedEvent[] = [];
  for (let entry = stream.first; entry !== undefined; entry = entry.nextOfStream) {
    if (entry.sequence > sequence) events.push({ sequence: entry.sequence, data: entry.data });
  }
  return { kind: sequence < stream.goneThrough ? 'gap' : 'events', events };
}

/**
 * Forgets the place of the oldest stream without events; without this a long session would remember
 * every reply.
 */
function dropEmptyStream(entries: SessionEntries, except: StreamEntries): void {
  for (const stream of entries.streams.values()) {
    if (stream.first === undefined && stream !== except) {
      entries.streams.delete(stream.number);
      entries.droppedBelow = Math.max(entries.droppedBelow, stream.number + 1);
      return;
    }
  }
}
