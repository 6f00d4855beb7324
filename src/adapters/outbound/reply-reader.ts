/**
 * Replies of HTTP/1.1 from the bytes of one connection, one for each request. Our own, because it
 * is on the path of every call: see `docs/decisions/0006-requests-of-ours.md`.
 */
import { ChunkedBody, GOES_ON, NO_CHUNKS } from './chunked-body.ts';
import { HEAD_BYTES_MAX, readReplyHead, type ReplyHead } from './reply-head.ts';

/** Of one reply. Whoever is told may stop the reader. */
export interface ReplyEvents {
  /** A head that only announces another one. */
  onInformational(): void;
  onHead(head: ReplyHead): void;
  onBytes(data: Uint8Array): void;
  /** The last event. @param isReusable - whether another request may follow on the connection. */
  onWhole(head: ReplyHead, isReusable: boolean): void;
}

const NO_HTTP = 'the reply is no HTTP/1.1';
const CLOSED = 'other side closed';
const HEAD_END = '\r\n\r\n';
const PREFIX = 'HTTP/1.';
const LONE_BREAK = /[^\r]\n/;

export class ReplyReader {
  #events: ReplyEvents | undefined;
  /** What came of a head that is not whole yet, one character a byte. */
  #pending = '';
  #head: ReplyHead | undefined;
  /** Bytes that are to come, of a body whose length is known. */
  #left = 0;
  #chunks: ChunkedBody | undefined;
  readonly #onBytes = (data: Buffer): void => this.#events?.onBytes(data);

  /** A request was sent: the next bytes are its reply. */
  begin(events: ReplyEvents): void {
    this.#events = events;
    this.#pending = '';
    this.#head = undefined;
    this.#chunks = undefined;
  }

  /** Nothing is reported any more. */
  stop(): void {
    this.#events = undefined;
    this.#head = undefined;
    this.#chunks = undefined;
  }

  /** @returns what is wrong with the reply, if anything is. */
  push(bytes: Buffer): string | undefined {
    let at = 0;
    while (this.#events !== undefined && this.#head === undefined) {
      const next = this.#readHead(this.#events, bytes, at);
      if (next === undefined) return NO_HTTP;
      if (next === GOES_ON) return undefined;
      at = next;
    }
    return this.#readBody(bytes, at);
  }

  /** The other side sends no more. @returns what is wrong with that, if anything is. */
  end(): string | undefined {
    const head = this.#head;
    if (head === undefined || head.length !== 'until-closed') return CLOSED;
    this.#whole(head, false);
    return undefined;
  }

  /** @returns where what follows it begins; undefined when it is no head. */
  #readHead(events: ReplyEvents, bytes: Buffer, from: number): number | undefined {
    const known = this.#pending.length;
    const room = HEAD_BYTES_MAX + HEAD_END.length - known;
    const text = this.#pending + bytes.toString('latin1', from, from + room);
    const end = text.indexOf(HEAD_END, Math.max(0, known - HEAD_END.length));
    if (end === -1) {
      this.#pending = text;
      return bytes.length - from < room && isBeginning(text) ? GOES_ON : undefined;
    }
    this.#pending = '';
    const head = readReplyHead(text, end + 2);
    // Nobody asked to speak another protocol.
    if (head === undefined || head.status === 101) return undefined;
    if (head.status < 200) {
      events.onInformational();
    } else {
      this.#head = head;
      this.#left = typeof head.length === 'number' ? head.length : 0;
      if (head.length === 'chunks') this.#chunks = new ChunkedBody();
      events.onHead(head);
    }
    return from + end + HEAD_END.length - known;
  }

  #readBody(bytes: Buffer, from: number): string | undefined {
    const head = this.#head;
    if (head === undefined) return undefined;
    if (this.#chunks !== undefined) return this.#readChunks(this.#chunks, head, bytes, from);
    const isOpen = head.length === 'until-closed';
    const end = isOpen ? bytes.length : Math.min(bytes.length, from + this.#left);
    this.#left -= isOpen ? 0 : end - from;
    if (end > from) this.#events?.onBytes(bytes.subarray(from, end));
    if (!isOpen && this.#left === 0) this.#whole(head, end === bytes.length);
    return undefined;
  }

  #readChunks(
    chunks: ChunkedBody,
    head: ReplyHead,
    bytes: Buffer,
    from: number,
  ): string | undefined {
    const end = chunks.read(bytes, from, this.#onBytes);
    if (end === NO_CHUNKS) return this.#events === undefined ? undefined : NO_HTTP;
    if (end !== GOES_ON) this.#whole(head, end === bytes.length);
    return undefined;
  }

  /** @param isAll - whether nothing came after it: nobody asked for more. */
  #whole(head: ReplyHead, isAll: boolean): void {
    const events = this.#events;
    this.stop();
    events?.onWhole(head, isAll && !head.isLast);
  }
}

/** Whether a head may begin so: what never ends is not waited for. */
function isBeginning(text: string): boolean {
  const begins = text.length < PREFIX.length ? PREFIX.startsWith(text) : text.startsWith(PREFIX);
  return begins && !LONE_BREAK.test(text);
}
