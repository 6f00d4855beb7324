/**
 * The reply to a request of 2026 that waits before anything may be decided of it: it is a stream
 * after the time of one heartbeat, as that of every call that waits. Whatever goes on with it goes
 * on where it is.
 */
import { type ErrorCode, ERRORS, errorResponse } from '../core/errors.ts';
import type { HttpExchange } from '../core/ports.ts';
import { encodeEvent } from '../core/protocol/sse-encoder.ts';
import { BegunExchange } from './begun-exchange.ts';
import type { Connection, ConnectionOwner } from './connection.ts';
import type { Undecided, UndecidedReply } from './undecided.ts';

export class WaitingReply implements ConnectionOwner, UndecidedReply {
  /** For whoever goes on. */
  readonly exchange: BegunExchange;
  readonly #id: string;
  readonly #undecided: Undecided = { reply: this };
  #connection: Connection | undefined;

  /** @param id - what the request is answered by. */
  constructor(exchange: HttpExchange, id: string) {
    this.exchange = new BegunExchange(exchange);
    this.#id = id;
  }

  begin(connection: Connection): Undecided {
    this.#connection = connection;
    return this.#undecided;
  }

  decide(): void {
    if (this.#connection?.isOpen === false) this.#connection.open('', undefined);
  }

  /** Nothing is waited for any more. @returns whether there is still anybody to answer. */
  over(): boolean {
    const connection = this.#take();
    connection?.handOver();
    return connection !== undefined;
  }

  drain(): void {
    // Whatever it waits for is told to come to an end.
  }

  expired(): void {
    this.#refuse('CREDENTIAL_EXPIRED');
  }

  ceased(): void {
    this.#refuse('SHUTTING_DOWN');
  }

  connectionLost(): void {
    this.#take();
  }

  #refuse(error: ErrorCode): void {
    const connection = this.#take();
    if (connection === undefined) return;
    const text = errorResponse({ error, id: this.#id });
    if (connection.isOpen) connection.end('completed', encodeEvent('message', text));
    else connection.json(ERRORS[error].httpStatus, text);
  }

  #take(): Connection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#undecided.reply = undefined;
    return connection;
  }
}
