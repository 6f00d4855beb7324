/**
 * One numbered sequence of events that outlives the connections it is read through.
 *
 * Rules: the stream numbers its frames itself, synchronously; the log confirms them. Attach,
 * snapshot and read are one step: from then on live frames wait in a bounded queue until the replay
 * has joined them without a hole, or the client is told there is a gap. At most one attachment at a
 * time: the newest wins.
 */
import type { CloseReason } from '../close-reasons.ts';
import type { ReadOutcome } from '../ports.ts';
import { encodeEvent } from '../protocol/sse-encoder.ts';
import { formatCursor } from './cursor.ts';
import type { Attachment, Outbox, Resume } from './outbox.ts';
import { joinReplay, type AnswerPlace } from './replay.ts';

export const STREAM_TRANSITIONS = {
  detached: { attach: 'live', resume: 'replaying', close: 'closed' },
  replaying: {
    attach: 'live',
    resume: 'replaying',
    join: 'live',
    detach: 'detached',
    close: 'closed',
  },
  live: { attach: 'live', resume: 'replaying', detach: 'detached', close: 'closed' },
  closed: {},
} as const;

export type StreamState = keyof typeof STREAM_TRANSITIONS;

export interface StreamFacts {
  /**
   * What stands before the cursor in an event id: the session id and a dot in 2024, else nothing.
   */
  readonly cursorPrefix: string;
  readonly salt: number;
  readonly queueCharsMax: number;
}

/**
 * Answers whose places are known, so that a lost one can be named; well beyond what a log keeps.
 */
const ANSWERS_MAX = 4096;

/** Reads of the log before a reader is brought up to date with what there is. */
const READS_MAX = 4;

export class Stream {
  readonly number: number;
  readonly generation: number = 1;
  state: StreamState = 'detached';
  /** The last sequence assigned. */
  sequence = 0;
  /** Whether the last response was appended: a reader is ended once it has everything. */
  isFinished = false;
  readonly #facts: StreamFacts;
  #to: Attachment | undefined;
  /** The last sequence any reader was sent: a reader without a cursor begins after it. */
  #sentSequence = 0;
  #preamble: (id: string) => string = emptyPreamble;
  #resume: Resume;
  #after = 0;
  #queuedChars = 0;
  #reads = 0;
  #answers: AnswerPlace[] | undefined;

  constructor(number: number, facts: StreamFacts) {
    this.number = number;
    this.#facts = facts;
  }

  get attachment(): Attachment | undefined {
    return this.#to;
  }

  /** Whether it is finished and a reader was sent everything. */
  get isDelivered(): boolean {
    return this.isFinished && this.#sentSequence === this.sequence;
  }

  /** Whether nothing follows this sequence, now or later. */
  isOver(sequence: number): boolean {
    return this.isFinished && sequence === this.sequence;
  }

  /** The event id of a position in this stream. */
  idOf(sequence: number): string {
    const { cursorPrefix, salt } = this.#facts;
    const { number: stream, generation } = this;
    return cursorPrefix + formatCursor({ stream, generation, sequence }, salt);
  }

  /** Appends one message. @param answers - the id whose response this is, if it is one. */
  append(data: string, answers: string | undefined, outbox: Outbox): void {
    if (this.state === 'closed') return;
    this.sequence += 1;
    const { number: stream, generation, sequence } = this;
    if (answers !== undefined) this.#answered(answers, sequence);
    outbox.push({ do: 'append', stream, generation, sequence, data });
    if (this.#to === undefined) return;
    if (this.state === 'live') {
      this.#sentSequence = sequence;
      const text = encodeEvent('message', data, this.idOf(sequence));
      outbox.push({ do: 'write', to: this.#to, text });
      return;
    }
    this.#queuedChars += data.length;
    if (this.#queuedChars > this.#facts.queueCharsMax) this.#drop('slow-reader', outbox);
  }

  /**
   * Gives the stream to a reader.
   * @param after - the sequence the reader has; undefined for a reader without a cursor.
   * @param preamble - makes the first bytes from the event id the reader starts at.
   * @returns false when `after` lies beyond what was ever sent.
   */
  attach(
    to: Attachment,
    after: number | undefined,
    preamble: (id: string) => string,
    outbox: Outbox,
  ): boolean {
    if (this.state === 'closed' || (after ?? 0) > this.sequence) return false;
    if (this.#to !== undefined) this.#drop('replaced', outbox);
    this.#to = to;
    this.#preamble = preamble;
    this.#resume = after === undefined ? undefined : 'exact';
    this.#after = after ?? this.#sentSequence;
    this.#queuedChars = 0;
    this.#reads = 0;
    if (this.#after === this.sequence) {
      this.state = STREAM_TRANSITIONS[this.state].attach;
      this.#open('', outbox);
      return true;
    }
    this.state = STREAM_TRANSITIONS[this.state].resume;
    outbox.push({ do: 'read', stream: this.number, after: this.#after });
    return true;
  }

  /**
   * The log's answer to a `read`. Frames appended since the read are read once more, from where it
   * ended, so that replay and live join without a hole.
   * @param after - the sequence that was read after; what was read for a reader that was replaced
   * is not for the new one.
   * @returns whether the reader was told of a gap.
   */
  replayed(after: number, outcome: ReadOutcome, outbox: Outbox): boolean {
    if (this.state !== 'replaying' || after !== this.#after) return false;
    this.#reads += 1;
    const joined = joinReplay(outcome, {
      after: this.#after,
      last: this.sequence,
      answers: this.#answers ?? [],
      isLastRead: this.#reads === READS_MAX,
      idOf: (sequence) => this.idOf(sequence),
    });
    if (joined.kind === 'again') {
      outbox.push({ do: 'read', stream: this.number, after: this.#after });
      return false;
    }
    this.state = STREAM_TRANSITIONS.replaying.join;
    if (joined.hasGap && this.#resume === 'exact') this.#resume = 'gap';
    this.#open(joined.text, outbox);
    return joined.hasGap;
  }

  /** The reader is gone; frames wait in the log for the next one. */
  detach(to: Attachment): boolean {
    if (this.#to !== to) return false;
    this.#to = undefined;
    this.#preamble = emptyPreamble;
    if (this.state === 'live' || this.state === 'replaying') {
      this.state = STREAM_TRANSITIONS[this.state].detach;
    }
    return true;
  }

  /** No more messages will come: a live reader is ended, a replaying one when it has everything. */
  finish(outbox: Outbox): void {
    this.isFinished = true;
    if (this.state === 'live') this.#drop('completed', outbox);
  }

  /**
   * Ends the reader, not the stream. @param last - written before the end, e.g. a `retry` field.
   */
  release(reason: CloseReason, last: string, outbox: Outbox): void {
    if (this.#to !== undefined) this.#drop(reason, outbox, last);
  }

  close(reason: CloseReason, outbox: Outbox): void {
    if (this.#to !== undefined) this.#drop(reason, outbox);
    this.state = 'closed';
  }

  #answered(id: string, sequence: number): void {
    if (this.#answers === undefined) {
      // A list of one has room for one: replies have one answer, and sessions keep many replies.
      this.#answers = [{ id, sequence }];
      return;
    }
    this.#answers.push({ id, sequence });
    if (this.#answers.length > ANSWERS_MAX) this.#answers.splice(0, ANSWERS_MAX / 2);
  }

  #open(text: string, outbox: Outbox): void {
    const to = this.#to;
    if (to === undefined) return;
    const first = this.#preamble(this.idOf(this.#after)) + text;
    this.#sentSequence = this.sequence;
    outbox.push({ do: 'open', to, resume: this.#resume, first });
    if (this.isFinished) this.#drop('completed', outbox);
  }

  #drop(reason: CloseReason, outbox: Outbox, last = ''): void {
    const to = this.#to;
    if (to === undefined) return;
    this.detach(to);
    outbox.push({ do: 'end', to, stream: this.number, reason, last });
  }
}

function emptyPreamble(): string {
  return '';
}
