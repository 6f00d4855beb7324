/** The HTTP requests of one 2025 session, with the headers that name it. */
import type { OutboundHead, OutboundRequest } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import type { ClientContext } from './client-context.ts';
import { isRepeatable } from './failed-call.ts';
import { POST_HEADERS } from './modern-request.ts';

/**
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
const SESSION_ID = /^[\x21-\x7e]{1,1024}$/;

export class SessionRequests {
  readonly #context: ClientContext;
  /** Undefined before the handshake, and with servers that have none. */
  sessionId: string | undefined;
  /** The revision agreed on; undefined before. */
  version: string | undefined;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  /** Takes the session's id from the reply to `initialize`. */
  opened(head: OutboundHead): void {
    const id = head.header('mcp-session-id');
    this.sessionId = id !== undefined && SESSION_ID.test(id) ? id : undefined;
  }

  post(message: Message): OutboundRequest {
    const own = message.method === 'initialize' ? [] : this.#names();
    return {
      method: 'POST',
      url: this.#context.url,
      headers: [...this.#context.headers, ...POST_HEADERS, ...own],
      body: message.toText(),
      isRepeatable: isRepeatable(message.method),
    };
  }

  /** The standalone stream, or with an event id the rest of any stream. */
  get(lastEventId: string): OutboundRequest {
    const resume = lastEventId === '' ? [] : ['Last-Event-ID', lastEventId];
    const accept = ['Accept', 'text/event-stream', 'Accept-Encoding', 'identity'];
    return {
      method: 'GET',
      url: this.#context.url,
      headers: [...this.#context.headers, ...accept, ...this.#names(), ...resume],
      isRepeatable: true,
    };
  }

  delete(): OutboundRequest {
    return {
      method: 'DELETE',
      url: this.#context.url,
      headers: [...this.#context.headers, ...this.#names()],
      isRepeatable: true,
    };
  }

  #names(): readonly string[] {
    const { version, sessionId } = this;
    return [
      ...(version === undefined ? [] : ['MCP-Protocol-Version', version]),
      ...(sessionId === undefined ? [] : ['Mcp-Session-Id', sessionId]),
    ];
  }
}
