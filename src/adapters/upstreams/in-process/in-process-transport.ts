/**
 * The SDKs' `Transport`, with our engine at the other end instead of a wire. Both majors of the
 * SDK run on it unchanged. It turns messages into the SDK's objects and back; it holds no queue.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#custom-transports
 */
import { heedPromise } from '../../../core/heed-promise.ts';
import { Message } from '../../../core/protocol/message.ts';
import { writePayload } from './payload.ts';
import type { Payload } from './payload.ts';
import type {
  SdkId,
  SdkMessage,
  SdkMessageExtra,
  SdkSendOptions,
  SdkTransport,
} from './sdk-server.ts';

/** Where a server's messages go. */
export interface TransportSink {
  message(message: Message, relatedTo: string | undefined): void;
  oversized(id: string | undefined): void;
  closeStream(id: string): void;
  /** The transport was closed, by us or by the server. Called once. */
  closed(): void;
}

const INVALID_PARAMS = '{"code":-32602,"message":"params and params._meta must be objects."}';
const NOT_SERIALISABLE =
  '{"code":-32603,"message":"Internal error: the server\'s answer has no JSON form."}';
const DELIVERY_FAILED = '{"code":-32603,"message":"Internal error."}';

export class InProcessTransport implements SdkTransport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: SdkMessage, extra?: SdkMessageExtra) => void) | undefined;
  readonly #sink: TransportSink;
  readonly #charsMax: number;
  #isClosed = false;

  /** @param charsMax - characters of one payload; a longer one is dropped and reported. */
  constructor(sink: TransportSink, charsMax: number) {
    this.#sink = sink;
    this.#charsMax = charsMax;
  }

  /** Nothing to start: whoever owns the transport delivers only after the server is connected. */
  async start(): Promise<void> {}

  /** Hands over one message. Never throws: a request that cannot be delivered is answered. */
  deliver(message: Message): void {
    if (this.#isClosed) {
      return;
    }
    const { kind, id } = message;
    if (kind !== 'response' && !hasValidParams(message.value)) {
      this.#answerWithError(message, INVALID_PARAMS);
      return;
    }
    const extra =
      kind === 'request' && id !== undefined
        ? { closeSSEStream: (): void => this.#closeStream(id) }
        : undefined;
    const failed = (error: unknown): void => this.#undelivered(message, error);
    try {
      const left: unknown = this.onmessage?.(toSdkMessage(message), extra);
      if (left !== undefined) heedPromise(left, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** What fails in the server's own listener, too, is nobody's loss. */
  #undelivered(message: Message, error: unknown): void {
    this.#answerWithError(message, DELIVERY_FAILED);
    try {
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    } catch {
      // Nobody is left to be told.
    }
  }

  /** @throws when a request or notification has no JSON form; its sender gets to know. */
  async send(message: SdkMessage, options?: SdkSendOptions): Promise<void> {
    if (this.#isClosed) {
      throw new Error('The connection is closed.');
    }
    const related = options?.relatedRequestId;
    const relatedTo = related === undefined ? undefined : String(related);
    if (message.method === undefined) {
      this.#sendResponse(message, relatedTo);
      return;
    }
    const { id, method, params } = message;
    const kind = id === undefined ? 'notification' : 'request';
    const payload = params === undefined ? undefined : writePayload(kind, params);
    if (payload !== undefined && payload.text.length > this.#charsMax) {
      this.#sink.oversized(undefined);
      throw new Error(`The ${method} message is larger than ${this.#charsMax} characters.`);
    }
    this.#emit(kind, id, method, false, payload, params, relatedTo);
  }

  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    try {
      this.onclose?.();
    } finally {
      this.#sink.closed();
    }
  }

  #sendResponse(message: SdkMessage, relatedTo: string | undefined): void {
    const { id } = message;
    const isError = message.error !== undefined;
    const value = isError ? message.error : message.result;
    let payload: Payload | undefined;
    try {
      payload = writePayload('response', value);
    } catch {
      // BigInt, a cycle: the one call is answered below.
    }
    if (payload === undefined) {
      this.#emitError(id, NOT_SERIALISABLE);
    } else if (payload.text.length > this.#charsMax) {
      this.#sink.oversized(idToken(id));
    } else {
      this.#emit('response', id, undefined, isError, payload, value, relatedTo);
    }
  }

  #emit(
    kind: Message['kind'],
    id: SdkId | undefined,
    method: string | undefined,
    isError: boolean,
    payload: Payload | undefined,
    value: unknown,
    relatedTo: string | undefined,
  ): void {
    const token = kind === 'notification' ? undefined : idToken(id);
    // The value goes along with its text, so that nobody parses what was just written.
    const message = new Message(kind, token, method, isError, payload?.text, payload?.spans, {
      value,
    });
    this.#sink.message(message, relatedTo);
  }

  #emitError(id: SdkId | undefined, error: string): void {
    this.#sink.message(Message.error(idToken(id), error), undefined);
  }

  #answerWithError(message: Message, error: string): void {
    if (message.kind === 'request' && message.id !== undefined) {
      this.#sink.message(Message.error(message.id, error), undefined);
    }
  }

  #closeStream(id: string): void {
    if (!this.#isClosed) {
      this.#sink.closeStream(id);
    }
  }
}

function idToken(id: SdkId | undefined): string {
  return id === undefined ? 'null' : JSON.stringify(id);
}

function toSdkMessage(message: Message): SdkMessage {
  const value = message.value as object | undefined;
  if (message.kind === 'response') {
    const id = JSON.parse(message.id ?? 'null') as SdkId;
    const body = value ?? {};
    return message.isError
      ? { jsonrpc: '2.0', id, error: body }
      : { jsonrpc: '2.0', id, result: body };
  }
  const params = value === undefined ? {} : { params: value };
  const method = message.method ?? '';
  return message.kind === 'request'
    ? { jsonrpc: '2.0', id: Number(message.id), method, ...params }
    : { jsonrpc: '2.0', method, ...params };
}

/**
 * The SDKs drop a message whose `params` do not fit their base schema without an answer, so the
 * caller would wait for ever.
 */
function hasValidParams(params: unknown): boolean {
  if (params === undefined) {
    return true;
  }
  if (!isObject(params)) {
    return false;
  }
  const meta = params['_meta'];
  if (meta === undefined) {
    return true;
  }
  return isObject(meta) && ['undefined', 'string', 'number'].includes(typeof meta['progressToken']);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
