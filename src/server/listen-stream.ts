/**
 * One `subscriptions/listen` of a client: acknowledgment first, then the changes it opted in to,
 * then, when the end is ours, its completion result.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { ERRORS, errorResponse, type Refusal } from '../core/errors.ts';
import type { Origin } from '../core/grant.ts';
import { META, statusOfAnswer } from '../core/protocol/eras/stateless-2026.ts';
import { Message } from '../core/protocol/message.ts';
import { encodeEvent } from '../core/protocol/sse-encoder.ts';
import {
  filterText,
  isEmptyFilter,
  readFilter,
  type Filter,
  type Subscription,
} from '../core/sessions/subscription.ts';
import type { Connection, ConnectionOwner } from './connection.ts';
import type { Hearing } from './hearing.ts';
import type { Listener } from './listener.ts';
import type { ModernUpstream } from './modern-upstream.ts';
import type { Undecided, UndecidedReply } from './undecided.ts';

/** What is honoured of a listen that ends before its server said anything. */
const NOTHING: Filter = readFilter(undefined);

export class ListenStream implements Listener, ConnectionOwner, UndecidedReply {
  readonly id: string;
  readonly origin: Origin | undefined;
  readonly #upstream: ModernUpstream;
  readonly #hearing: Hearing;
  readonly #ended: (stream: ListenStream) => void;
  #connection: Connection | undefined;
  #isAcknowledged = false;
  #subscription: Subscription | undefined;
  #undecided: Undecided | undefined;

  constructor(
    { id, origin }: Pick<Message, 'id' | 'origin'>,
    upstream: ModernUpstream,
    hearing: Hearing,
    ended: (stream: ListenStream) => void,
  ) {
    this.id = id ?? 'null';
    this.origin = origin;
    this.#upstream = upstream;
    this.#hearing = hearing;
    this.#ended = ended;
  }

  open(connection: Connection, filter: Filter): void {
    this.#connection = connection;
    if (isEmptyFilter(filter)) {
      this.acknowledged(filter);
      return;
    }
    const subscription = this.#upstream.listen(filter, this);
    if (this.#connection === undefined) this.#upstream.unlisten(subscription);
    else this.#subscription = subscription;
  }

  get isUndecided(): boolean {
    return this.#connection !== undefined && !this.#connection.isOpen;
  }

  undecided(): Undecided {
    this.#undecided = { reply: this };
    return this.#undecided;
  }

  /** Its server takes long: the head goes out, and heartbeats after it. */
  decide(): void {
    if (this.isUndecided) this.#connection?.open('', undefined);
  }

  /**
   * A subscription of which nothing is honoured would be an idle stream for ever: it completes at
   * once.
   */
  acknowledged(honoured: Filter): void {
    if (this.#connection !== undefined) this.#acknowledge(this.#connection, honoured);
    if (isEmptyFilter(honoured)) this.complete();
  }

  hears(change: Message): boolean {
    return this.#hearing.hears(change);
  }

  deliver(frame: string): void {
    this.#connection?.write(frame);
  }

  ended(failure: Message | Refusal | undefined): void {
    this.#subscription = undefined;
    const isMessage = failure instanceof Message;
    // One that listens already is no refused request: an end of ours is its result, whatever forced
    // it.
    if (failure === undefined || (!isMessage && this.#isAcknowledged)) {
      this.complete();
      return;
    }
    const text = isMessage
      ? failure.withId(this.id).toText()
      : errorResponse({ ...failure, id: this.id });
    const status = isMessage ? statusOfAnswer(failure) : ERRORS[failure.error].httpStatus;
    const connection = this.#release();
    if (connection?.isOpen) connection.end('completed', encodeEvent('message', text));
    else connection?.json(status, text);
  }

  /**
   * A graceful end of ours: the result, then the close. Without an acknowledgment sent, that goes
   * first.
   */
  complete(): void {
    const { infoText } = this.#upstream;
    const info = infoText === '' ? '' : `,${infoText}`;
    const meta = `"_meta":{"${META.subscriptionId}":${this.id}${info}}`;
    const text = Message.result(this.id, `{"resultType":"complete",${meta}}`).toText();
    const connection = this.#release();
    if (connection === undefined) return;
    if (!this.#isAcknowledged) this.#acknowledge(connection, NOTHING);
    connection.end('completed', encodeEvent('message', text));
  }

  drain(): void {
    this.complete();
  }

  expired(): void {
    this.complete();
  }

  connectionLost(): void {
    this.#release();
  }

  #acknowledge(connection: Connection, honoured: Filter): void {
    this.#isAcknowledged = true;
    const meta = `"_meta":{"${META.subscriptionId}":${this.id}}`;
    const params = `{${meta},"notifications":${filterText(honoured)}}`;
    const method = 'notifications/subscriptions/acknowledged';
    const frame = encodeEvent('message', Message.notification(method, params).toText());
    if (connection.isOpen) connection.write(frame);
    else connection.open(frame, undefined);
  }

  #release(): Connection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    if (this.#undecided !== undefined) this.#undecided.reply = undefined;
    if (this.#subscription !== undefined) this.#upstream.unlisten(this.#subscription);
    this.#subscription = undefined;
    if (connection !== undefined) this.#ended(this);
    return connection;
  }
}
