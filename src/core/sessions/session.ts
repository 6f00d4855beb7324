/**
 * A 2024 or 2025 conversation: its streams, its replies and its life. Pure: every input takes the
 * outbox it fills; the caller carries the decisions out and tells the session what came of them.
 *
 * Stream 0 is the one that belongs to no request: the only one in 2024, the GET stream in 2025.
 * Each server message goes to exactly one stream.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#multiple-connections
 */
import type { CloseReason } from '../close-reasons.ts';
import type { Refusal } from '../errors.ts';
import type { ReadOutcome } from '../ports.ts';
import { parseCursor } from './cursor.ts';
import type { Attachment, Outbox } from './outbox.ts';
import { REPLY_TRANSITIONS, Reply, type Accepts } from './reply.ts';
import { Stream, type StreamFacts } from './stream.ts';

export const SESSION_TRANSITIONS = {
  /** `initialize` is not answered yet. */
  opening: { initialized: 'live', end: 'ended' },
  live: { end: 'ended' },
  ended: {},
} as const;

export type SessionState = keyof typeof SESSION_TRANSITIONS;

export interface SessionFacts extends StreamFacts {
  /** The first bytes of a stream, from the event id it begins at. */
  readonly preamble: (id: string, isReply: boolean) => string;
}

/**
 * Reply streams kept after their end. What was written may still lie in a connection that is dead,
 * so that its reader comes back for it: those that were written to their end only go first.
 */
const FINISHED_MAX = 1024;

/**
 * For a reader that has the whole of a stream and comes back all the same: clients of the official
 * SDK take only a result for the end, so that after an error or a cancellation they would come back
 * for ever. Of all refusals they take this one for an answer.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server
 */
const COMPLETE: Refusal = { error: 'STREAM_COMPLETE', headers: ['Allow', 'POST, DELETE'] };

export class Session {
  state: SessionState = 'opening';
  readonly #facts: SessionFacts;
  readonly main: Stream;
  /** Reply streams that were begun as event streams, and may be resumed. */
  #replies: Map<number, Stream> | undefined;
  #nextStream = 1;

  constructor(facts: SessionFacts) {
    this.#facts = facts;
    this.main = new Stream(0, facts);
  }

  initialized(): void {
    if (this.state === 'opening') this.state = SESSION_TRANSITIONS.opening.initialized;
  }

  /** A POST with `count` requests awaits its answers. Decided at once if only a stream will do. */
  beginReply(
    to: Attachment,
    accepts: Accepts,
    count: number,
    isBatch: boolean,
    outbox: Outbox,
  ): Reply {
    const reply = new Reply(to, accepts, count, isBatch);
    if (!accepts.json) this.decide(reply, outbox);
    return reply;
  }

  /**
   * The reply has been undecided for long enough, or has company: it becomes a stream if the client
   * takes one.
   */
  decide(reply: Reply, outbox: Outbox): void {
    if (this.state === 'ended' || reply.state !== 'undecided') return;
    if (!reply.accepts.eventStream) return;
    reply.state = REPLY_TRANSITIONS.undecided.stream;
    const stream = new Stream(this.#nextStream, this.#facts);
    this.#nextStream += 1;
    reply.stream = stream;
    this.#keep(stream, outbox);
    stream.attach(reply.to, undefined, (id) => this.#facts.preamble(id, true), outbox);
    for (const { id, data } of reply.answers) stream.append(data, id, outbox);
    reply.answers.length = 0;
  }

  /** A message that belongs to a request of this POST, and is not its answer. */
  related(reply: Reply, data: string, outbox: Outbox): void {
    this.decide(reply, outbox);
    if (reply.state === 'streaming') reply.stream?.append(data, undefined, outbox);
    else if (reply.state !== 'ended') this.main.append(data, undefined, outbox);
  }

  /**
   * @param refusal - what the answer says, if a server in this process refused: whoever may ask for
   * more scopes learns of them from the status and its challenge.
   */
  answer(reply: Reply, id: string, data: string, outbox: Outbox, refusal?: Refusal): void {
    if (reply.state === 'ended') return;
    reply.remaining -= 1;
    if (refusal?.error === 'FORBIDDEN' && !reply.isBatch) reply.refusal = { ...refusal, id };
    if (reply.stream !== undefined) reply.stream.append(data, id, outbox);
    else if (reply.state === 'undecided') reply.answers.push({ id, data });
    if (reply.remaining === 0) this.#end(reply, outbox);
  }

  /** A request of this POST ended without an answer: it was cancelled. */
  withdraw(reply: Reply, outbox: Outbox): void {
    if (reply.state === 'ended') return;
    reply.remaining -= 1;
    if (reply.remaining > 0) return;
    if (reply.state === 'undecided' && reply.answers.length === 0) this.decide(reply, outbox);
    this.#end(reply, outbox);
  }

  #end(reply: Reply, outbox: Outbox): void {
    if (reply.state === 'undecided') {
      const parts = reply.answers.map(({ data }) => data);
      const isArray = reply.isBatch && parts.length > 0;
      const body = isArray ? `[${parts.join(',')}]` : (parts[0] ?? '');
      outbox.push({ do: 'json', to: reply.to, body, refusal: reply.refusal });
    }
    reply.state = 'ended';
    reply.answers.length = 0;
    reply.stream?.finish(outbox);
  }

  /** A message that belongs to no request. */
  unrelated(data: string, outbox: Outbox): void {
    if (this.state !== 'ended') this.main.append(data, undefined, outbox);
  }

  /** An answer in 2024: it travels on the one stream. */
  answerOnMain(id: string, data: string, outbox: Outbox): void {
    if (this.state !== 'ended') this.main.append(data, id, outbox);
  }

  /**
   * Gives a stream to a reader: the one its last event id names, else stream 0.
   * @param preamble - overrides the first bytes; 2024 begins with its `endpoint` event.
   * @returns the stream, or a refusal that is the same for an unknown and a foreign event id.
   */
  attach(
    to: Attachment,
    lastEventId: string | undefined,
    outbox: Outbox,
    preamble?: (id: string) => string,
  ): Stream | Refusal {
    if (this.state === 'ended') return { error: 'SESSION_NOT_FOUND' };
    const cursor =
      lastEventId === undefined ? undefined : parseCursor(lastEventId, this.#facts.salt);
    if (lastEventId !== undefined && cursor === undefined) return { error: 'UNKNOWN_EVENT' };
    const stream = this.stream(cursor?.stream ?? 0);
    if (stream === undefined) return { error: 'UNKNOWN_EVENT' };
    if (cursor !== undefined && stream.isOver(cursor.sequence)) return COMPLETE;
    const first = preamble ?? ((id: string) => this.#facts.preamble(id, stream.number !== 0));
    const isKnown = stream.attach(to, cursor?.sequence, first, outbox);
    return isKnown ? stream : { error: 'UNKNOWN_EVENT' };
  }

  /** Whether `attach` would take the place of another reader. */
  isRead(lastEventId: string | undefined): boolean {
    const number =
      lastEventId === undefined ? 0 : parseCursor(lastEventId, this.#facts.salt)?.stream;
    return number !== undefined && this.stream(number)?.attachment !== undefined;
  }

  stream(number: number): Stream | undefined {
    return number === 0 ? this.main : this.#replies?.get(number);
  }

  /** Whether any reply was begun as an event stream. */
  get hasReplies(): boolean {
    return this.#replies !== undefined;
  }

  *streams(): Generator<Stream> {
    yield this.main;
    if (this.#replies !== undefined) yield* this.#replies.values();
  }

  replayed(number: number, after: number, outcome: ReadOutcome, outbox: Outbox): boolean {
    return this.stream(number)?.replayed(after, outcome, outbox) ?? false;
  }

  /**
   * A connection is gone. An undecided reply cannot be fetched any more; a stream waits for its
   * next reader.
   */
  left(to: Attachment, reply: Reply | undefined): void {
    if (reply?.state === 'undecided') {
      reply.state = REPLY_TRANSITIONS.undecided.leave;
      reply.answers.length = 0;
    }
    for (const stream of this.streams()) if (stream.detach(to)) return;
  }

  end(reason: CloseReason, outbox: Outbox): void {
    if (this.state === 'ended') return;
    this.state = SESSION_TRANSITIONS[this.state].end;
    for (const stream of this.streams()) stream.close(reason, outbox);
    this.#replies = undefined;
  }

  /** Reply streams are bounded: those that were written to their end go first. */
  #keep(stream: Stream, outbox: Outbox): void {
    this.#replies ??= new Map();
    this.#replies.set(stream.number, stream);
    if (this.#replies.size <= FINISHED_MAX) return;
    const oldest =
      this.#oldest((each) => each.isDelivered) ?? this.#oldest((each) => each.isFinished);
    if (oldest === undefined) return;
    this.#replies.delete(oldest.number);
    outbox.push({ do: 'trim', stream: oldest.number });
  }

  #oldest(mayGo: (stream: Stream) => boolean): Stream | undefined {
    for (const each of this.#replies?.values() ?? []) {
      if (each.attachment === undefined && mayGo(each)) return each;
    }
    return undefined;
  }
}
