/**
 * An exchange whose reply may be a stream before it is known what is replied: what is replied then
 * goes out on that stream, without a status of its own.
 */
import type { CloseReason } from '../core/close-reasons.ts';
import type { Refusal } from '../core/errors.ts';
import type { Asked, Grant } from '../core/grant.ts';
import type {
  BodyOutcome,
  HttpExchange,
  Principal,
  RequestHead,
  StreamSink,
} from '../core/ports.ts';
import { encodeEvent } from '../core/protocol/sse-encoder.ts';

export class BegunExchange implements HttpExchange {
  readonly #exchange: HttpExchange;
  #sink: StreamSink | undefined;

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
  }

  get head(): RequestHead {
    return this.#exchange.head;
  }

  get caller(): Principal | undefined {
    return this.#exchange.caller;
  }

  get grant(): Grant | undefined {
    return this.#exchange.grant;
  }

  get asked(): Asked | undefined {
    return this.#exchange.asked;
  }

  readBody(bytesMax: number, done: (outcome: BodyOutcome) => void): void {
    this.#exchange.readBody(bytesMax, done);
  }

  respond(status: number, headers: readonly string[], body: string, refusal?: Refusal): void {
    if (this.#sink === undefined) this.#exchange.respond(status, headers, body, refusal);
    else this.#sink.end(body === '' ? '' : encodeEvent('message', body));
  }

  openStream(
    status: number,
    headers: readonly string[],
    first: string,
    isLong: boolean,
  ): StreamSink {
    if (this.#sink === undefined) {
      this.#sink = this.#exchange.openStream(status, headers, first, isLong);
    } else if (first !== '') {
      this.#sink.write(first);
    }
    return this.#sink;
  }

  onClientGone(listener: (why?: CloseReason) => void): void {
    this.#exchange.onClientGone(listener);
  }
}
