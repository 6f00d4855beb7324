/** The HTTP requests of one 2025 session, with the headers that name it. */
import type { OutboundHead, OutboundRequest } from '../core/outbound.ts';
import type { Message } from '../core/protocol/message.ts';
import type { ClientContext } from './client-context.ts';
import { resumeLines } from './event-id.ts';
import { isRepeatable } from './failed-call.ts';
import { POST_HEADERS } from './modern-request.ts';

/**
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
const SESSION_ID = /^[\x21-\x7e]{1,1024}$/;

export class SessionRequests {
  readonly #context: ClientContext;
  #session = 0;
  #sessionId: string | undefined;
  #version: string | undefined;
  /** What names the session, flat. */
  #names: readonly string[] = [];
  /** Of every POST but the first; frozen, so that its text is made once. */
  #headers: readonly string[];

  constructor(context: ClientContext) {
    this.#context = context;
    this.#headers = Object.freeze([...context.headers, ...POST_HEADERS]);
  }

  /** Counts sessions: a server may give two of them the same id. */
  get session(): number {
    return this.#session;
  }

  /** Undefined before the handshake, and with servers that have none. */
  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  /** The revision agreed on; undefined before. */
  get version(): string | undefined {
    return this.#version;
  }

  agreed(version: string): void {
    this.#name(this.#sessionId, version);
  }

  /** The session is over: what follows belongs to none. */
  forget(): void {
    this.#session += 1;
    this.#name(undefined, undefined);
  }

  /** Takes the session's id from the reply to `initialize`. */
  opened(head: OutboundHead): void {
    const id = head.header('mcp-session-id');
    this.#name(id !== undefined && SESSION_ID.test(id) ? id : undefined, this.#version);
  }

  post(message: Message): OutboundRequest {
    const isFirst = message.method === 'initialize';
    return {
      method: 'POST',
      url: this.#context.url,
      headers: isFirst ? [...this.#context.headers, ...POST_HEADERS] : this.#headers,
      body: message.toText(),
      isRepeatable: isRepeatable(message.method),
    };
  }

  /** The standalone stream, or with an event id the rest of any stream. */
  get(lastEventId: string): OutboundRequest {
    const accept = ['Accept', 'text/event-stream', 'Accept-Encoding', 'identity'];
    return {
      method: 'GET',
      url: this.#context.url,
      headers: [...this.#context.headers, ...accept, ...this.#names, ...resumeLines(lastEventId)],
      isRepeatable: true,
    };
  }

  delete(): OutboundRequest {
    return {
      method: 'DELETE',
      url: this.#context.url,
      headers: [...this.#context.headers, ...this.#names],
      isRepeatable: true,
    };
  }

  #name(sessionId: string | undefined, version: string | undefined): void {
    this.#sessionId = sessionId;
    this.#version = version;
    this.#names = [
      ...(version === undefined ? [] : ['MCP-Protocol-Version', version]),
      ...(sessionId === undefined ? [] : ['Mcp-Session-Id', sessionId]),
    ];
    this.#headers = Object.freeze([...this.#context.headers, ...POST_HEADERS, ...this.#names]);
  }
}
