/** Requests of ours to an application in this process: no socket, the same exchange. */
import type { Refusal } from '../../core/errors.ts';
import type { Asked, Grant } from '../../core/grant.ts';
import type {
  Application,
  BodyOutcome,
  HttpExchange,
  Principal,
  RequestHead,
  StreamSink,
} from '../../core/ports.ts';
import type { Outbound, OutboundEvents, OutboundRequest } from '../../core/outbound.ts';

const ENCODER = new TextEncoder();

export class ApplicationOutbound implements Outbound {
  readonly #app: Application;
  readonly #caller: Principal | undefined;
  readonly #open = new Set<LocalExchange>();

  /** @param caller - on whose behalf; verified already. Default: the requests' own credential. */
  constructor(app: Application, caller?: Principal) {
    this.#app = app;
    this.#caller = caller;
  }

  send(request: OutboundRequest, events: OutboundEvents): () => void {
    const exchange = new LocalExchange(request, events, this.#caller, () =>
      this.#open.delete(exchange),
    );
    this.#open.add(exchange);
    // Nothing may be reported before this returns.
    queueMicrotask(() => {
      if (!exchange.isOver) events.onSent();
      if (!exchange.isOver) this.#app.handle(exchange);
    });
    return () => exchange.abort();
  }

  async close(): Promise<void> {
    for (const exchange of this.#open) exchange.abort();
  }
}

class LocalExchange implements HttpExchange, StreamSink {
  readonly head: RequestHead;
  readonly caller: Principal | undefined;
  readonly grant: Grant | undefined;
  readonly asked: Asked | undefined;
  isOver = false;
  readonly #request: OutboundRequest;
  readonly #events: OutboundEvents;
  readonly #onEnd: () => void;
  #onGone: (() => void) | undefined;
  #isGone = false;

  constructor(
    request: OutboundRequest,
    events: OutboundEvents,
    caller: Principal | undefined,
    onEnd: () => void,
  ) {
    this.caller = caller;
    this.grant = request.origin?.grant;
    this.asked = request.origin;
    this.#request = request;
    this.#events = events;
    this.#onEnd = onEnd;
    this.head = headOf(request);
  }

  readBody(bytesMax: number, done: (outcome: BodyOutcome) => void): void {
    const text = this.#request.body ?? '';
    // Four bytes is the most a character takes; whoever sends that little is not measured.
    const isLarge = text.length * 4 > bytesMax && ENCODER.encode(text).length > bytesMax;
    if (isLarge) done({ kind: 'refused', refusal: { error: 'BODY_TOO_LARGE' } });
    else done({ kind: 'body', text });
  }

  respond(status: number, headers: readonly string[], body: string, refusal?: Refusal): void {
    if (this.isOver) return;
    this.#opened(status, headers, refusal);
    if (body !== '') this.write(body);
    this.end('');
  }

  openStream(status: number, headers: readonly string[], first: string): StreamSink {
    if (this.isOver) return this;
    this.#opened(status, headers);
    this.write(first);
    return this;
  }

  onClientGone(listener: () => void): void {
    // What waited may be begun later: it would wait for ever for a client that has left.
    if (this.#isGone) return queueMicrotask(listener);
    const before = this.#onGone;
    this.#onGone = before === undefined ? listener : () => (before(), listener());
  }

  write(text: string): void {
    if (!this.isOver) this.#events.onBytes(ENCODER.encode(text));
  }

  end(last: string): void {
    if (last !== '') this.write(last);
    if (!this.#finish()) return;
    this.#events.onEnd({ kind: 'complete' });
  }

  destroy(): void {
    if (!this.#finish()) return;
    this.#events.onEnd({ kind: 'cut', detail: 'the stream was cut' });
  }

  /** Whatever is written is taken at once. */
  queuedBytes(): number {
    return 0;
  }

  abort(): void {
    if (!this.#finish()) return;
    this.#isGone = true;
    this.#onGone?.();
  }

  #opened(status: number, headers: readonly string[], refusal?: Refusal): void {
    const header = (name: string): string | undefined => headerIn(headers, name);
    this.#events.onHead({ status, header, refusal, isLocal: true });
  }

  #finish(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.#onEnd();
    return true;
  }
}

function headOf({ method, url, headers, origin }: OutboundRequest): RequestHead {
  const { pathname, search, host } = new URL(url);
  const all = ['Host', host, ...headers];
  const names = all.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  return {
    method,
    path: pathname,
    query: search.slice(1),
    remoteAddress: origin?.address ?? '127.0.0.1',
    header: (name) => headerIn(all, name),
    headerCount: (name) => names.filter((each) => each === name).length,
    headerNames: () => names,
  };
}

function headerIn(lines: readonly string[], name: string): string | undefined {
  const at = lines.findIndex((line, i) => i % 2 === 0 && line.toLowerCase() === name);
  return at === -1 ? undefined : lines[at + 1];
}
