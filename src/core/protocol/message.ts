/**
 * One JSON-RPC message on its way through. Ids are kept as the JSON token they came as (`1`, `"1"`,
 * `9007199254740993`), payloads as the text they came as; whoever needs the value parses it once.
 * @see https://www.jsonrpc.org/specification
 */
import type { Refusal } from '../errors.ts';
import type { Origin } from '../grant.ts';
import { ownPart } from '../own-text.ts';

export type MessageKind = 'request' | 'notification' | 'response';

/** A half-open range of `payload`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the members we may rewrite lie inside `payload`; absent means the member is absent. */
export interface PayloadSpans {
  /** `params._meta.progressToken` of a request, `params.progressToken` of a notification. */
  readonly progressToken?: Span | undefined;
  /** `params.requestId` of `notifications/cancelled`. */
  readonly requestId?: Span | undefined;
  /** `_meta` as a whole, object braces included. */
  readonly meta?: Span | undefined;
  /** `_meta["io.modelcontextprotocol/subscriptionId"]`. */
  readonly subscriptionId?: Span | undefined;
}

const NO_SPANS: PayloadSpans = {};

export class Message {
  readonly kind: MessageKind;
  /**
   * The id's JSON token. Undefined for a notification; `null` for an error response without one.
   */
  readonly id: string | undefined;
  /** Undefined for a response. */
  readonly method: string | undefined;
  /** Whether a response carries `error` instead of `result`. */
  readonly isError: boolean;
  /** JSON text of `params`, `result` or `error`; undefined when the member is absent. */
  readonly payload: string | undefined;
  readonly spans: PayloadSpans;
  /** Of a request that goes on to a server in this process: whose it is. Never written out. */
  origin: Origin | undefined;
  /** Of an error that a server in this process refused with: the refusal. Never written out. */
  refusal: Refusal | undefined;
  /**
   * Of an error in place of an answer that the server refused to give: what happened, in our words.
   * Never written out.
   */
  reason: string | undefined;
  #value: unknown;
  #isParsed: boolean;
  /** Written once: a change that goes to many sessions is the same text in each. */
  #text: string | undefined;

  constructor(
    kind: MessageKind,
    id: string | undefined,
    method: string | undefined,
    isError: boolean,
    payload: string | undefined,
    spans: PayloadSpans = NO_SPANS,
    value?: { readonly value: unknown },
  ) {
    this.kind = kind;
    this.id = id;
    this.method = method;
    this.isError = isError;
    this.payload = payload;
    this.spans = spans;
    this.#value = value?.value;
    this.#isParsed = value !== undefined;
  }

  static request(id: string, method: string, payload?: string, spans?: PayloadSpans): Message {
    return new Message('request', id, method, false, payload, spans);
  }

  static notification(method: string, payload?: string, spans?: PayloadSpans): Message {
    return new Message('notification', undefined, method, false, payload, spans);
  }

  static result(id: string, payload: string): Message {
    return new Message('response', id, undefined, false, payload);
  }

  static error(id: string, payload: string): Message {
    return new Message('response', id, undefined, true, payload);
  }

  /** The payload as a value; parsed at most once. Treat it as frozen: others read it too. */
  get value(): unknown {
    if (!this.#isParsed) {
      this.#value = this.payload === undefined ? undefined : JSON.parse(this.payload);
      this.#isParsed = true;
    }
    return this.#value;
  }

  /** The same message under another id; payload and value are shared, not copied. */
  withId(id: string): Message {
    const message = new Message(
      this.kind,
      id,
      this.method,
      this.isError,
      this.payload,
      this.spans,
      this.#isParsed ? { value: this.#value } : undefined,
    );
    return message.sentFor(this.origin).refusedWith(this.refusal);
  }

  /** @returns the same message. */
  refusedWith(refusal: Refusal | undefined): this {
    this.refusal = refusal;
    return this;
  }

  /** @returns the same message. */
  because(reason: string): this {
    this.reason = reason;
    return this;
  }

  /** @returns the same message. */
  sentFor(origin: Origin | undefined): this {
    this.origin = origin;
    return this;
  }

  /** The same message with one span of its payload replaced by JSON text. The spans are dropped. */
  withReplaced(span: Span, text: string): Message {
    const payload = this.payload ?? '';
    const edited = payload.slice(0, span.start) + text + payload.slice(span.end);
    const message = new Message(this.kind, this.id, this.method, this.isError, edited);
    return message.sentFor(this.origin);
  }

  /** The JSON text of a span of the payload. */
  token(span: Span | undefined): string | undefined {
    const { payload } = this;
    if (span === undefined || payload === undefined) return undefined;
    return ownPart(payload, span.start, span.end);
  }

  /**
   * The whole message as one line of JSON-RPC. May hold line breaks if the payload came with them.
   */
  toText(): string {
    return (this.#text ??= this.#write());
  }

  #write(): string {
    const payload = this.payload;
    if (this.kind === 'response') {
      const member = this.isError ? 'error' : 'result';
      return `{"jsonrpc":"2.0","id":${this.id ?? 'null'},"${member}":${payload ?? '{}'}}`;
    }
    const id = this.id === undefined ? '' : `"id":${this.id},`;
    const params = payload === undefined ? '' : `,"params":${payload}`;
    return `{"jsonrpc":"2.0",${id}"method":${JSON.stringify(this.method)}${params}}`;
  }
}
