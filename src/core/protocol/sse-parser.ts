/**
 * Reads Server-Sent Events from chunks cut anywhere, within bounds. An event that is larger than
 * the bound is dropped as a whole and reported; the events after it are read as if it had not been.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
import { JoinedText, ownText } from '../own-text.ts';

export interface SseEvent {
  /** `message` when the stream named none. */
  readonly event: string;
  readonly data: string;
  /** The id of this event, undefined when it has none of its own. */
  readonly id: string | undefined;
}

export interface SseParserEvents {
  onEvent(event: SseEvent): void;
  /** Milliseconds to wait before reconnecting. */
  onRetry?(ms: number): void;
  onComment?(text: string): void;
  /** An event was larger than a bound; told at once, and once for each event that is dropped. */
  onOverflow?(): void;
}

export interface SseParserBounds {
  /** Characters of one line. */
  readonly lineCharsMax: number;
  /** Characters of the data of one event. */
  readonly eventCharsMax: number;
}

const DEFAULT_BOUNDS: SseParserBounds = {
  lineCharsMax: 10 * 1024 * 1024,
  eventCharsMax: 10 * 1024 * 1024,
};

const BYTE_ORDER_MARK = '\uFEFF';
const DIGITS = /^[0-9]+$/;

export class SseParser {
  readonly #events: SseParserEvents;
  readonly #bounds: SseParserBounds;
  readonly #line = new JoinedText();
  /** Of the chunk that is read. */
  #chunkChars = 0;
  #isFirst = true;
  #endedInCr = false;
  #isLineTooLong = false;
  #isDropping = false;
  #name = '';
  readonly #data = new JoinedText();
  #hasData = false;
  #id: string | undefined;
  #lastEventId: string;

  /** @param lastEventId - what a resumed stream was opened with. */
  constructor(
    events: SseParserEvents,
    bounds: SseParserBounds = DEFAULT_BOUNDS,
    lastEventId: string = '',
  ) {
    this.#events = events;
    this.#bounds = bounds;
    this.#lastEventId = lastEventId;
  }

  /** What to send as `Last-Event-ID` after this stream; empty when there was no id. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** Takes the next characters of the stream. Callbacks run before it returns, in order. */
  push(chunk: string): void {
    if (chunk === '') return;
    this.#chunkChars = chunk.length;
    let at = 0;
    if (this.#isFirst) {
      this.#isFirst = false;
      if (chunk.startsWith(BYTE_ORDER_MARK)) at = 1;
    }
    if (this.#endedInCr && at < chunk.length) {
      this.#endedInCr = false;
      if (chunk.startsWith('\n', at)) at++;
    }
    this.#readLines(chunk, at);
  }

  /** The next line feed and carriage return are looked for once each, so the work stays linear. */
  #readLines(chunk: string, start: number): void {
    let at = start;
    let feed = indexOrEnd(chunk, '\n', at);
    let carriage = indexOrEnd(chunk, '\r', at);
    while (at < chunk.length) {
      const end = Math.min(feed, carriage);
      this.#extend(chunk.slice(at, end));
      if (end === chunk.length) return;
      this.#endLine();
      at = end + 1;
      if (end === carriage) {
        if (at === chunk.length) this.#endedInCr = true;
        else if (feed === at) at++;
        carriage = indexOrEnd(chunk, '\r', at);
      }
      if (feed < at) feed = indexOrEnd(chunk, '\n', at);
    }
  }

  #extend(part: string): void {
    if (this.#isLineTooLong) return;
    if (this.#line.length + part.length > this.#bounds.lineCharsMax) {
      const line = this.#line.take();
      this.#isLineTooLong = true;
      const isComment = (line === '' ? part : line).startsWith(':');
      if (!isComment) this.#drop();
      return;
    }
    this.#line.add(part);
  }

  #endLine(): void {
    const line = this.#line.take();
    if (this.#isLineTooLong) {
      this.#isLineTooLong = false;
    } else if (line === '') {
      this.#dispatch();
    } else {
      this.#readField(line);
    }
  }

  #readField(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) {
      this.#events.onComment?.(line.slice(line.startsWith(' ', 1) ? 2 : 1));
      return;
    }
    const name = colon === -1 ? line : line.slice(0, colon);
    const value =
      colon === -1 ? '' : line.slice(line.startsWith(' ', colon + 1) ? colon + 2 : colon + 1);
    if (name === 'data') this.#addData(value);
    else if (name === 'event') this.#name = value;
    else if (name === 'id') {
      if (!value.includes('\0')) this.#id = value;
    } else if (name === 'retry') this.#readRetry(value);
  }

  #addData(value: string): void {
    if (this.#isDropping) return;
    const before = this.#hasData ? this.#data.length + 1 : 0;
    if (before + value.length > this.#bounds.eventCharsMax) {
      this.#drop();
      return;
    }
    if (this.#hasData) this.#data.add('\n');
    // An event is kept for long, and most of the chunk it came in may be others' or nobody's.
    this.#data.add(ownText(value, this.#chunkChars));
    this.#hasData = true;
  }

  #readRetry(value: string): void {
    if (!DIGITS.test(value)) return;
    const ms = Number(value);
    if (Number.isSafeInteger(ms)) this.#events.onRetry?.(ms);
  }

  /** Gives up the event under way; its remaining lines are read over. */
  #drop(): void {
    this.#takeData();
    if (this.#isDropping) return;
    this.#isDropping = true;
    this.#events.onOverflow?.();
  }

  #dispatch(): void {
    const { event, data, id, isDropped } = this.#taken();
    if (id !== undefined) this.#lastEventId = id;
    if (data === undefined || isDropped) return;
    this.#events.onEvent({ event: event === '' ? 'message' : event, data, id });
  }

  #taken(): {
    event: string;
    data: string | undefined;
    id: string | undefined;
    isDropped: boolean;
  } {
    const taken = {
      event: this.#name,
      data: this.#takeData(),
      id: this.#id,
      isDropped: this.#isDropping,
    };
    this.#name = '';
    this.#id = undefined;
    this.#isDropping = false;
    return taken;
  }

  #takeData(): string | undefined {
    const data = this.#data.take();
    if (!this.#hasData) return undefined;
    this.#hasData = false;
    return data;
  }
}

function indexOrEnd(text: string, char: string, from: number): number {
  const at = text.indexOf(char, from);
  return at === -1 ? text.length : at;
}
