/** HTTP requests of ours over `node:http` and `node:https`, with connections that are kept. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type {
  Outbound,
  OutboundEnd,
  OutboundEvents,
  OutboundHead,
  OutboundRequest,
} from '../../core/ports.ts';
import { CONNECT_MS_MAX, Connections, type ConnectionOptions } from './connections.ts';
import type { SsrfGuard } from './ssrf-guard.ts';

export class HttpOutbound implements Outbound {
  readonly #guard: SsrfGuard;
  readonly #connections: Connections;
  /**
   * A list, because a Set keeps what it held: its old tables point to the next ones, and with those
   * every request that was in them outlives the young generation.
   */
  readonly #open: Attempt[] = [];
  /** The last target: one server has one or two URLs. */
  #target: Target | undefined;
  #onEmpty: (() => void) | undefined;

  /** @throws TypeError when a proxy's URL is malformed. */
  constructor(guard: SsrfGuard, options: ConnectionOptions = {}) {
    this.#guard = guard;
    this.#connections = new Connections(options);
  }

  send(asked: OutboundRequest, events: OutboundEvents): () => void {
    const attempt = new Attempt(
      asked,
      events,
      (next) => this.#start(next),
      (ended) => this.#gone(ended),
    );
    attempt.place = this.#open.push(attempt) - 1;
    this.#start(attempt);
    return () => attempt.abort();
  }

  async close(): Promise<void> {
    for (const attempt of this.#open.slice()) attempt.abort();
    this.#connections.close();
    if (this.#open.length > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.#connections.close();
  }

  /** The last one takes its place. */
  #gone(attempt: Attempt): void {
    const { place } = attempt;
    if (this.#open[place] !== attempt) return;
    const last = this.#open.pop();
    if (last !== undefined && last !== attempt) {
      this.#open[place] = last;
      last.place = place;
    }
    if (this.#open.length === 0) this.#onEmpty?.();
  }

  #start(attempt: Attempt): void {
    const { asked } = attempt;
    const { url, fault } = this.#targetOf(asked.url);
    if (url === undefined) {
      attempt.failLater(fault);
      return;
    }
    try {
      const sent = this.#connections.request(url, {
        method: asked.method,
        headers: headersOf(asked.headers),
        lookup: this.#guard.lookup,
        isFresh: attempt.isRepeat,
      });
      attempt.began(sent, url.protocol === 'https:');
    } catch {
      attempt.failLater('A header holds characters that no header may hold.');
    }
  }

  #targetOf(text: string): Target {
    if (this.#target?.text !== text) this.#target = this.#checked(text);
    return this.#target;
  }

  #checked(text: string): Target {
    if (!URL.canParse(text)) return { text, url: undefined, fault: 'The URL is malformed.' };
    const url = new URL(text);
    const fault = this.#guard.faultOf(url);
    return fault === undefined ? { text, url, fault } : { text, url: undefined, fault };
  }
}

/** A URL as it was asked for, and whether it may be called: that depends on nothing else. */
type Target = { readonly text: string } & (
  | { readonly url: URL; readonly fault: undefined }
  | { readonly url: undefined; readonly fault: string }
);

/** One request under way. */
class Attempt {
  readonly asked: OutboundRequest;
  isRepeat = false;
  /** Among the open ones. */
  place = 0;
  readonly #events: OutboundEvents;
  readonly #again: (attempt: Attempt) => void;
  readonly #onGone: (attempt: Attempt) => void;
  #request: ClientRequest | undefined;
  #isConnected = false;
  #hasHead = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    asked: OutboundRequest,
    events: OutboundEvents,
    again: (attempt: Attempt) => void,
    onGone: (attempt: Attempt) => void,
  ) {
    this.asked = asked;
    this.#events = events;
    this.#again = again;
    this.#onGone = onGone;
  }

  failLater(detail: string): void {
    process.nextTick(() => {
      this.#end({ kind: 'unsent', detail });
      this.#onGone(this);
    });
  }

  began(sent: ClientRequest, isTls: boolean): void {
    this.#request = sent;
    sent.on('socket', (socket) => this.#watchConnect(socket, isTls));
    sent.on('finish', () => {
      if (!this.#isOver) this.#events.onSent();
    });
    sent.on('response', (response) => this.#opened(response));
    sent.on('error', (error) => this.#failed(sent, error));
    sent.on('close', () => {
      if (sent !== this.#request) return;
      clearTimeout(this.#timer);
      this.#end({ kind: 'cut', detail: 'the connection closed' });
      this.#onGone(this);
    });
    sent.end(this.asked.body);
  }

  abort(): void {
    this.#isOver = true;
    this.#request?.destroy();
  }

  #watchConnect(socket: Socket, isTls: boolean): void {
    if (!socket.connecting) {
      this.#isConnected = true;
      return;
    }
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      this.#isConnected = true;
      clearTimeout(this.#timer);
    });
    this.#timer = setTimeout(
      () => this.#request?.destroy(new Error('the connection was not made in time')),
      CONNECT_MS_MAX,
    );
    this.#timer.unref();
  }

  #opened(response: IncomingMessage): void {
    // Its end is what we act on; an error is just one way to end.
    response.on('error', () => {});
    if (this.#isOver) return;
    this.#hasHead = true;
    this.#events.onHead(new Head(response));
    response.on('data', (chunk: Buffer) => {
      if (!this.#isOver) this.#events.onBytes(chunk);
    });
    response.on('end', () => this.#end({ kind: 'complete' }));
  }

  #failed(sent: ClientRequest, error: Error): void {
    if (this.#isOver || sent !== this.#request) return;
    const isStale = sent.reusedSocket && !this.#hasHead && this.asked.isRepeatable;
    if (isStale && !this.isRepeat) {
      this.isRepeat = true;
      this.#isConnected = false;
      this.#again(this);
      return;
    }
    const kind = this.#isConnected ? 'cut' : 'unsent';
    this.#end({ kind, detail: detailOf(error) });
  }

  #end(end: OutboundEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onEnd(end);
  }
}

class Head implements OutboundHead {
  readonly #response: IncomingMessage;

  constructor(response: IncomingMessage) {
    this.#response = response;
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  header(name: string): string | undefined {
    const value = this.#response.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }
}

/** Of several values of one name the last wins: ours come after the operator's. */
function headersOf(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < lines.length; i += 2) {
    headers[(lines[i] ?? '').toLowerCase()] = lines[i + 1] ?? '';
  }
  return headers;
}

/** A code where there is one: a message may hold an address that is nobody's business. */
function detailOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
