/**
 * The streams and replies of a 2024 or 2025 session: what its machine decides of them is carried
 * out at once.
 */
import type { CloseReason } from '../core/close-reasons.ts';
import type { Refusal } from '../core/errors.ts';
import type { Outbox } from '../core/sessions/outbox.ts';
import type { Reply } from '../core/sessions/reply.ts';
import { Session, type SessionFacts } from '../core/sessions/session.ts';
import type { Connection } from './connection.ts';
import { SessionEffects, type SessionEffectsPorts } from './session-effects.ts';
import type { ReplyTo } from './session-handle.ts';

export class SessionStreams {
  readonly #ports: SessionEffectsPorts;
  readonly #machine: Session;
  readonly #effects: SessionEffects;

  /** @param missed - a reader of the stream that belongs to no request came back with a gap. */
  constructor(id: string, facts: SessionFacts, ports: SessionEffectsPorts, missed: () => void) {
    this.#ports = ports;
    this.#machine = new Session(facts);
    this.#effects = new SessionEffects(id, this.#machine, ports, missed);
  }

  /** Connections that are open for it, undecided replies included. */
  get connectionCount(): number {
    return this.#effects.connectionCount;
  }

  get isOpening(): boolean {
    return this.#machine.state === 'opening';
  }

  get isEnded(): boolean {
    return this.#machine.state === 'ended';
  }

  get isListening(): boolean {
    return this.#machine.main.attachment !== undefined;
  }

  get hasReplies(): boolean {
    return this.#machine.hasReplies;
  }

  initialized(): void {
    this.#machine.initialized();
  }

  /** A POST with so many requests awaits its answers. */
  beginReply({ connection, accepts }: ReplyTo, requests: number, isBatch: boolean): Reply {
    this.#effects.connectionCount += 1;
    const outbox: Outbox = [];
    const reply = this.#machine.beginReply(connection, accepts, requests, isBatch, outbox);
    this.#effects.carryOut(outbox);
    return reply;
  }

  /** @returns why the reader gets none. */
  attach(
    connection: Connection,
    lastEventId: string | undefined,
    preamble: ((eventId: string) => string) | undefined,
  ): Refusal | undefined {
    const outbox: Outbox = [];
    const stream = this.#machine.attach(connection, lastEventId, outbox, preamble);
    if ('error' in stream) return stream;
    this.#effects.connectionCount += 1;
    this.#effects.carryOut(outbox);
    return undefined;
  }

  isRead(lastEventId: string | undefined): boolean {
    return this.#machine.isRead(lastEventId);
  }

  /** The reply has been undecided long enough. */
  decide(reply: Reply): void {
    this.#do((outbox) => this.#machine.decide(reply, outbox));
  }

  /** @param reply - which is awaited on this connection. */
  left(connection: Connection, reply: Reply | undefined): void {
    this.#effects.connectionCount -= 1;
    this.#machine.left(connection, reply);
  }

  unrelated(data: string): void {
    const outbox: Outbox = [];
    this.#machine.unrelated(data, outbox);
    this.#effects.carryOut(outbox);
  }

  /** @param reply - undefined in 2024, where all that is said goes to the session's stream. */
  related(reply: Reply | undefined, data: string): void {
    const outbox: Outbox = [];
    if (reply === undefined) this.#machine.unrelated(data, outbox);
    else this.#machine.related(reply, data, outbox);
    this.#effects.carryOut(outbox);
  }

  /** @param reply - as above. */
  answer(reply: Reply | undefined, id: string, data: string, refusal: Refusal | undefined): void {
    const outbox: Outbox = [];
    if (reply === undefined) this.#machine.answerOnMain(id, data, outbox);
    else this.#machine.answer(reply, id, data, outbox, refusal);
    this.#effects.carryOut(outbox);
  }

  /** A request of the reply was cancelled: nothing comes for it any more. */
  withdraw(reply: Reply): void {
    this.#do((outbox) => this.#machine.withdraw(reply, outbox));
  }

  /** The reader is to come back for the rest. */
  release(reply: Reply): void {
    this.#do((outbox) => {
      this.#machine.decide(reply, outbox);
      reply.stream?.release('polled', '', outbox);
    });
  }

  /** The reader on this connection is to come back elsewhere or later. */
  drain(connection: Connection): void {
    const retry = `retry: ${this.#ports.connections.retryMs()}\n\n`;
    this.#do((outbox) => {
      for (const stream of this.#machine.streams()) {
        if (stream.attachment === connection) stream.release('drained', retry, outbox);
      }
    });
  }

  end(reason: CloseReason): void {
    this.#do((outbox) => this.#machine.end(reason, outbox));
  }

  /** Of what is rare; each message and each answer is written out instead. */
  #do(decide: (outbox: Outbox) => void): void {
    const outbox: Outbox = [];
    decide(outbox);
    this.#effects.carryOut(outbox);
  }
}
