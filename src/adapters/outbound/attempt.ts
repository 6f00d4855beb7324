/** One request under way: on one connection, and once more on another if the first was dead. */
import type { Dispatcher } from 'undici';
import type {
  OutboundEnd,
  OutboundEvents,
  OutboundHead,
  OutboundRequest,
} from '../../core/ports.ts';
import type { Connection } from './connection.ts';
import type { Route } from './connections.ts';

/** More replies that only announce another one are taken for an attack. */
const INFORMATIONAL_MAX = 16;

type Controller = Dispatcher.DispatchController;
type Fields = Readonly<Record<string, string | string[] | undefined>>;

export class Attempt implements Dispatcher.DispatchHandler {
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
    if (this.#isOver) return;
    const { method, body, headers } = this.#asked;
    this.#route = route;
    this.#isBegun = false;
    const connection = route.server.take(this.#isRepeat);
    this.#connection = connection;
    connection.send(
      {
        method,
        path: route.path,
        headers: headersOf(headers, route.headers),
        body: body ?? null,
        // Where kept connections turn out to be dead, the next request shall not meet one.
        reset: this.#isRepeat,
      },
      this,
    );
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

  onRequestStart(): void {
    this.#isBegun = true;
    this.#isReused = this.#connection?.begin() ?? false;
    // It is written right after this.
    queueMicrotask(() => this.#connection?.whenSent(() => this.#sent()));
  }

  onResponseStart(_controller: Controller, status: number, fields: Fields): void {
    if (this.#isOver) return;
    if (status < 200) {
      this.#informational += 1;
      if (this.#informational <= INFORMATIONAL_MAX) return;
      this.#cut();
      this.#end({ kind: 'cut', detail: 'too many informational replies' });
      return;
    }
    this.#hasHead = true;
    this.#sent();
    this.#events.onHead(new Head(status, fields));
  }

  onResponseData(_controller: Controller, chunk: Uint8Array): void {
    if (!this.#isOver) this.#events.onBytes(chunk);
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) this.#route?.server.give(connection);
    this.#end({ kind: 'complete' });
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.#isOver) return;
    this.#cut();
    if (isFaultOfOurs(error)) {
      this.failLater('A header holds characters that no header may hold.');
      return;
    }
    const isStale = this.#isReused && !this.#hasHead && this.#asked.isRepeatable;
    if (isStale && !this.#isRepeat && this.#route !== undefined) {
      this.#isRepeat = true;
      this.start(this.#route);
      return;
    }
    this.#end({ kind: this.#isBegun ? 'cut' : 'unsent', detail: detailOf(error) });
  }

  #sent(): void {
    if (this.#isOver || this.#isSent) return;
    this.#isSent = true;
    this.#events.onSent();
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

class Head implements OutboundHead {
  readonly status: number;
  readonly #fields: Fields;

  constructor(status: number, fields: Fields) {
    this.status = status;
    this.#fields = fields;
  }

  header(name: string): string | undefined {
    const value = this.#fields[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }
}

type Headers = Readonly<Record<string, string>>;

/** Of lists that are frozen, and so the same for many requests. */
const made = new WeakMap<readonly string[], { readonly more: Headers; readonly all: Headers }>();

/** Of several values of one name the last wins: ours come after the operator's. */
function headersOf(lines: readonly string[], more: Headers): Headers {
  const known = made.get(lines);
  if (known?.more === more) return known.all;
  const all: Record<string, string> = {};
  for (let i = 0; i + 1 < lines.length; i += 2) {
    all[(lines[i] ?? '').toLowerCase()] = lines[i + 1] ?? '';
  }
  Object.assign(all, more);
  if (Object.isFrozen(lines)) made.set(lines, { more, all });
  return all;
}

/** Whether the request could not be built: the library looks at it before anything else. */
function isFaultOfOurs(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED';
}

/** A code where there is one: a message of Node's may hold an address that is nobody's business. */
function detailOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || code.startsWith('UND_') ? error.message : code;
}
