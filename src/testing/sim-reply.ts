/**
 * The client's end of one exchange: an event stream taken apart, or a body collected; every byte is
 * inspected.
 */
import { SseParser, type SseEvent } from '../core/protocol/sse-parser.ts';
import type { Ledger } from './ledger.ts';
import type { MemoryExchange, ReplyListener } from './memory-exchange.ts';
import type { ReplyHeaders } from './reply-headers.ts';

/** Longer than any canary, so that one cut in two is found. */
const OVERLAP = 64;

export interface SimReplyEvents {
  /** An event stream begins. */
  onStream?(reply: SimReply): void;
  onEvent?(reply: SimReply, event: SseEvent): void;
  /** A reply that is no stream is whole. */
  onBody?(reply: SimReply, body: string): void;
  /** The stream ended cleanly. */
  onEnd?(reply: SimReply): void;
  /** The connection broke; `status` is 0 when nothing had come. */
  onLost?(reply: SimReply): void;
}

export class SimReply implements ReplyListener {
  status = 0;
  headers: ReplyHeaders | undefined;
  exchange: MemoryExchange | undefined;
  /** Milliseconds the server asked to wait before reconnecting. */
  retryMs: number | undefined;
  readonly #owner: string;
  readonly #ledger: Ledger;
  readonly #events: SimReplyEvents;
  readonly #parser: SseParser;
  #isStream = false;
  #body = '';
  #tail = '';

  constructor(owner: string, ledger: Ledger, events: SimReplyEvents, lastEventId = '') {
    this.#owner = owner;
    this.#ledger = ledger;
    this.#events = events;
    const parse = {
      onEvent: (event: SseEvent) => events.onEvent?.(this, event),
      onRetry: (ms: number) => (this.retryMs = ms),
    };
    this.#parser = new SseParser(parse, undefined, lastEventId);
  }

  get isStream(): boolean {
    return this.#isStream;
  }

  /** What to resume with: the id of the last event that came whole. */
  get lastEventId(): string {
    return this.#parser.lastEventId;
  }

  onHead(status: number, headers: ReplyHeaders): void {
    this.status = status;
    this.headers = headers;
    this.#ledger.inspect(this.#owner, headers.flat.join(' '));
    this.#isStream = headers.get('content-type') === 'text/event-stream';
    if (this.#isStream) this.#events.onStream?.(this);
  }

  onText(text: string): void {
    const whole = this.#tail + text;
    this.#ledger.inspect(this.#owner, whole);
    this.#tail = whole.slice(-OVERLAP);
    if (this.#isStream) this.#parser.push(text);
    else this.#body += text;
  }

  onEnd(): void {
    if (this.#isStream) this.#events.onEnd?.(this);
    else this.#events.onBody?.(this, this.#body);
  }

  onLost(): void {
    this.#events.onLost?.(this);
  }
}
