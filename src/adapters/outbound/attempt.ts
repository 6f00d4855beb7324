/** One request under way: on one connection, and once more on another if the first was dead. */
import type { OutboundEnd, OutboundEvents, OutboundRequest } from '../../core/outbound.ts';
import type { Connection, RequestEvents } from './connection.ts';
import type { Route } from './connections.ts';
import type { ReplyHead } from './reply-head.ts';
import { RequestText } from './request-text.ts';

/** More replies that only announce another one are taken for an attack. */
const INFORMATIONAL_MAX = 16;

export class Attempt implements RequestEvents {
  readonly #asked: OutboundRequest;
  readonly #events: OutboundEvents;
  readonly #onGone: (attempt: Attempt) => void;
  place = -1;
  #route: Route | undefined;
  #connection: Connection | undefined;
  #isRepeat = false;
  #isReused = false;
  #isBegun = false;
  #isSent = false;
  #hasHead = false;
  #isOver = false;
  #informational = 0;

  constructor(asked: OutboundRequest, events: OutboundEvents, onGone: (attempt: Attempt) => void) {
    this.#asked = asked;
    this.#events = events;
    this.#onGone = onGone;
  }

  start(route: Route): void {
    // Where kept connections turn out to be dead, the next request shall not meet one.
    const text = RequestText.of(this.#asked, route.path, route.lines, this.#isRepeat);
    if (text === undefined) {
      this.failLater('A header holds characters that no header may hold.');
      return;
    }
    this.#route = route;
    this.#isBegun = false;
    this.#connection = route.server.take(this.#isRepeat);
    this.#connection.send(text, this);
  }

  failLater(detail: string): void {
    process.nextTick(() => this.#end({ kind: 'unsent', detail }));
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cut();
    this.#onGone(this);
  }

  onBegin(isReused: boolean): void {
    this.#isBegun = true;
    this.#isReused = isReused;
  }

  onSent(): void {
    if (this.#isOver || this.#isSent) return;
    this.#isSent = true;
    this.#events.onSent();
  }

  onInformational(): void {
    this.#informational += 1;
    if (this.#informational <= INFORMATIONAL_MAX) return;
    this.#cut();
    this.#end({ kind: 'cut', detail: 'too many informational replies' });
  }

  onHead(head: ReplyHead): void {
    this.#hasHead = true;
    this.onSent();
    if (!this.#isOver) this.#events.onHead(head);
  }

  onBytes(data: Uint8Array): void {
    this.#events.onBytes(data);
  }

  onWhole(head: ReplyHead, isReusable: boolean): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) {
      const { server } = this.#route as Route;
      if (isReusable && !this.#isRepeat) server.give(connection, head.keepMs);
      else server.drop(connection);
    }
    this.#end({ kind: 'complete' });
  }

  onFailed(error: Error): void {
    this.#cut();
    const isStale = this.#isReused && !this.#hasHead && this.#asked.isRepeatable;
    if (isStale && !this.#isRepeat && this.#route !== undefined) {
      this.#isRepeat = true;
      this.start(this.#route);
      return;
    }
    this.#end({ kind: this.#isBegun ? 'cut' : 'unsent', detail: detailOf(error) });
  }

  #cut(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) this.#route?.server.drop(connection);
  }

  #end(end: OutboundEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onGone(this);
    this.#events.onEnd(end);
  }
}

/** A code where there is one: a message of Node's may hold an address that is nobody's business. */
function detailOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code ?? error.message;
}
