/**
 * One HTTP request and its reply, read as messages: one JSON text, or an event stream. Bounded
 * while it comes in; whatever is wrong with it ends this reply and nothing else.
 */
import type {
  OutboundEnd,
  OutboundEvents,
  OutboundHead,
  OutboundRequest,
} from '../core/outbound.ts';
import type { Bagged } from '../core/bag.ts';
import { Message } from '../core/protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from '../core/protocol/read-message.ts';
import { SseParser, type SseEvent } from '../core/protocol/sse-parser.ts';
import { ByteCollector } from './byte-collector.ts';
import type { ClientContext } from './client-context.ts';
import { eventIdHeader } from './event-id.ts';
import { retryAfterMs } from './reconnect-delay.ts';

export type ReplyEnd =
  /** It was received to its end; what it held was reported before. */
  | { readonly kind: 'complete' }
  /** A status of 300 or more. `error` is the JSON-RPC error in its body, if there is one. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly error: Message | undefined;
      readonly retryAfterMs: number | undefined;
      /** By a server in this process. */
      readonly isLocal?: boolean | undefined;
    }
  /** Nothing reached the server. */
  | { readonly kind: 'unsent'; readonly detail: string; readonly hint?: string | undefined }
  /** The connection broke. */
  | { readonly kind: 'cut'; readonly detail: string }
  /** It is no reply of this protocol: media type, coding, text or size. */
  | { readonly kind: 'bad'; readonly detail: string };

export interface ReplyEvents {
  onHead?(head: OutboundHead): void;
  onMessage(message: Message): void;
  /** An event that is no message: another name, or data that is no JSON-RPC. */
  onOtherEvent?(event: SseEvent): void;
  /** A message was larger than the bound and skipped. */
  onOversized(): void;
  /** The last event, exactly once, unless the reply was aborted. */
  onEnd(end: ReplyEnd): void;
}

/** An error reply longer than this is not looked at. */
const ERROR_BYTES_MAX = 65_536;
/** A server should end a stream with its last answer; one that does not is not waited for. */
const LINGER_MS = 1000;

export class Reply implements Bagged, OutboundEvents {
  readonly #context: ClientContext;
  readonly #events: ReplyEvents;
  readonly #resumedFrom: string;
  /** What reads an event stream, once it is one. */
  #stream:
    | { readonly parser: SseParser; readonly decoder: InstanceType<typeof TextDecoder> }
    | undefined;
  #head: OutboundHead | undefined;
  #form: 'stream' | 'json' | 'error' | 'empty' = 'empty';
  #body: ByteCollector | undefined;
  #isOver = false;
  /** Whether nothing more of it can come. */
  #isWhole = false;
  readonly #abortRequest: () => void;
  /** Characters of the request that are not sent yet. */
  #waitingChars: number;
  #disarm: (() => void) | undefined;
  place = -1;
  /** Milliseconds the server asks us to wait before we come back for the rest. */
  retryMs: number | undefined;

  /** @param lastEventId - where the stream that is asked for goes on; empty for a new one. */
  constructor(
    context: ClientContext,
    request: OutboundRequest,
    events: ReplyEvents,
    lastEventId: string = '',
  ) {
    this.#context = context;
    this.#events = events;
    this.#resumedFrom = lastEventId;
    this.#waitingChars = request.body?.length ?? 0;
    context.meter.add(this.#waitingChars);
    this.#abortRequest = context.http.send(request, this);
  }

  /** What resumes the stream; empty when the server gave no id, or none that can be sent back. */
  get lastEventId(): string {
    const id = this.#stream?.parser.lastEventId ?? this.#resumedFrom;
    return eventIdHeader(id) === undefined ? '' : id;
  }

  /** Whether it is, or was, an event stream. */
  get isStream(): boolean {
    return this.#form === 'stream';
  }

  /** Gives it up; nothing is reported any more. */
  abort(): void {
    this.#isOver = true;
    this.#disarm?.();
    this.onSent();
    this.#abortRequest();
  }

  /**
   * What was asked for has come: nothing is reported any more. The rest is read for a moment, so
   * that the connection can be used again, and then cut.
   */
  release(): void {
    this.#isOver = true;
    if (this.#isWhole) return;
    this.#disarm = this.#context.clock.after(LINGER_MS, () => this.#abortRequest());
  }

  /** Told by the connection, as the next three are. */
  onSent(): void {
    this.#context.meter.remove(this.#waitingChars);
    this.#waitingChars = 0;
  }

  onHead(head: OutboundHead): void {
    this.#head = head;
    const coding = head.header('content-encoding')?.trim().toLowerCase() ?? 'identity';
    if (coding !== 'identity' && coding !== '') {
      this.#fail('the reply has a content coding that was not asked for');
      return;
    }
    const type = mediaType(head);
    if (head.status < 200 || head.status > 299) {
      this.#form = 'error';
      this.#body = new ByteCollector(ERROR_BYTES_MAX);
    } else if (type === 'text/event-stream') {
      this.#form = 'stream';
      this.#stream = { parser: this.#newParser(), decoder: new TextDecoder() };
    } else if (type === 'application/json') {
      this.#form = 'json';
      this.#body = new ByteCollector(this.#context.messageBytesMax);
    } else if (head.status !== 202 && head.status !== 204 && type !== '') {
      this.#fail('the reply is neither JSON nor an event stream');
      return;
    }
    this.#events.onHead?.(head);
  }

  onBytes(chunk: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#stream !== undefined) {
      const { parser, decoder } = this.#stream;
      // The specification of event streams has bytes that are no UTF-8 replaced, not refused.
      parser.push(decoder.decode(chunk, { stream: true }));
    } else if (this.#body !== undefined && !this.#body.add(chunk)) {
      if (this.#form === 'error') {
        this.#abortRequest();
        this.#end(this.#refusal(undefined));
      } else {
        this.#skipped('too-long');
        this.#events.onOversized();
        this.#fail('the reply is too large');
      }
    }
  }

  onEnd(end: OutboundEnd): void {
    this.#isWhole = true;
    this.onSent();
    this.#disarm?.();
    if (end.kind === 'complete') this.#whole();
    else this.#end(end);
  }

  #newParser(): SseParser {
    const chars = this.#context.messageBytesMax;
    return new SseParser(
      {
        onEvent: (event) => this.#event(event),
        onRetry: (ms) => {
          this.retryMs = ms;
        },
        onOverflow: () => {
          this.#skipped('too-long');
          if (!this.#isOver) this.#events.onOversized();
        },
      },
      { lineCharsMax: chars, eventCharsMax: chars },
      this.#resumedFrom,
    );
  }

  #whole(): void {
    if (this.#isOver) return;
    if (this.#form === 'error') {
      this.#end(this.#refusal(errorIn(this.#body)));
      return;
    }
    if (this.#form === 'json') {
      const text = this.#body?.text();
      if (text === undefined) {
        this.#skipped('not-utf8');
        this.#fail('the reply is not UTF-8');
        return;
      }
      if (!this.#texts(text)) {
        this.#fail('the reply is not JSON-RPC');
        return;
      }
    }
    this.#end({ kind: 'complete' });
  }

  #event(event: SseEvent): void {
    if (this.#isOver) return;
    if (event.event !== 'message') this.#events.onOtherEvent?.(event);
    // An event of empty data only carries an id to resume from.
    else if (event.data !== '' && !this.#texts(event.data)) this.#events.onOtherEvent?.(event);
  }

  /** Reports the messages of one JSON text. @returns whether it was JSON-RPC. */
  #texts(text: string): boolean {
    const outcome = readMessage(text, UPSTREAM_BOUNDS);
    if (outcome.kind === 'refused') {
      this.#skipped('not-json-rpc');
      return false;
    }
    const entries = outcome.kind === 'message' ? [outcome.message] : outcome.entries;
    for (const entry of entries) {
      if (this.#isOver) return true;
      if (entry instanceof Message) this.#events.onMessage(entry);
      else this.#skipped('not-json-rpc');
    }
    return true;
  }

  #refusal(error: Message | undefined): ReplyEnd {
    const head = this.#head;
    return {
      kind: 'refused',
      status: head?.status ?? 0,
      error: error?.refusedWith(head?.refusal),
      retryAfterMs: retryAfterMs(head?.header('retry-after'), head?.header('date')),
      isLocal: head?.isLocal,
    };
  }

  #fail(detail: string): void {
    this.#isWhole = true;
    this.#abortRequest();
    this.#end({ kind: 'bad', detail });
  }

  #end(end: ReplyEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onEnd(end);
  }

  #skipped(reason: 'too-long' | 'not-utf8' | 'not-json-rpc'): void {
    const { name, telemetry } = this.#context;
    telemetry.count('upstream_lines_skipped_total', { upstream: name, reason });
  }
}

function mediaType(head: OutboundHead): string {
  const [type = ''] = (head.header('content-type') ?? '').split(';');
  return type.trim().toLowerCase();
}

function errorIn(body: ByteCollector | undefined): Message | undefined {
  const text = body?.text();
  if (text === undefined || text === '') return undefined;
  const outcome = readMessage(text, UPSTREAM_BOUNDS);
  if (outcome.kind !== 'message') return undefined;
  const { message } = outcome;
  return message.isError ? message : undefined;
}
