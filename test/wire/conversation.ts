/**
 * Clients of the handshake eras, said by hand: every header and every byte is the test's to choose.
 */
import type { Json, WireReply, WireRequest } from './wire-reply.ts';
import type { WireServer } from './wire-server.ts';

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export const INITIALIZE_ID = 0;

export function rpc(id: unknown, method: string, params?: Json): Json {
  return { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) };
}

export function note(method: string, params?: Json): Json {
  return { jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) };
}

/** A call of the tool that answers when the test says so. */
export function callLater(id: unknown, progressToken?: unknown): Json {
  const meta = progressToken === undefined ? {} : { _meta: { progressToken } };
  return rpc(id, 'tools/call', { name: 'later', arguments: {}, ...meta });
}

/** A call of the tool that answers at once. */
export function callNow(id: unknown): Json {
  return rpc(id, 'tools/call', { name: 'now', arguments: {} });
}

export function initialize(version: string, capabilities: Json = {}): Json {
  const clientInfo = { name: 'wire', version: '1.0.0' };
  return rpc(INITIALIZE_ID, 'initialize', { protocolVersion: version, capabilities, clientInfo });
}

export function postOf(path: string, body: unknown, headers: Headers = {}): WireRequest {
  return {
    method: 'POST',
    path,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

export interface SessionOptions {
  readonly version?: string;
  readonly token?: string;
  readonly capabilities?: Json;
}

/** A session of Streamable HTTP. */
export class Session2025 {
  readonly server: WireServer;
  readonly id: string;
  readonly version: string;
  readonly initializeReply: WireReply;
  readonly #token: string | undefined;

  private constructor(server: WireServer, reply: WireReply, version: string, token?: string) {
    this.server = server;
    this.id = reply.header('mcp-session-id') ?? '';
    this.initializeReply = reply;
    this.version = version;
    this.#token = token;
  }

  static async open(
    server: WireServer,
    { version = '2025-11-25', token, capabilities }: SessionOptions = {},
  ): Promise<Session2025> {
    const headers = { authorization: token === undefined ? undefined : `Bearer ${token}` };
    const request = postOf('/mcp', initialize(version, capabilities), headers);
    const reply = await server.fetch(request);
    const session = new Session2025(server, reply, version, token);
    if (reply.status !== 200) throw new Error(`initialize: ${reply.bytes}`);
    await session.post(note('notifications/initialized')).whole();
    return session;
  }

  headers(more: Headers = {}): Headers {
    return {
      'mcp-session-id': this.id,
      'mcp-protocol-version': this.version === '2025-03-26' ? undefined : this.version,
      authorization: this.#token === undefined ? undefined : `Bearer ${this.#token}`,
      ...more,
    };
  }

  post(body: unknown, headers: Headers = {}): WireReply {
    return this.server.send(postOf('/mcp', body, this.headers(headers)));
  }

  /** A GET: the stream that belongs to no request, or the one an event id names. */
  listen(lastEventId?: string, headers: Headers = {}): WireReply {
    const accept = 'text/event-stream';
    const own = this.headers({ accept, 'last-event-id': lastEventId, ...headers });
    return this.server.send({ path: '/mcp', headers: own });
  }

  end(headers: Headers = {}): WireReply {
    return this.server.send({ method: 'DELETE', path: '/mcp', headers: this.headers(headers) });
  }
}

/** A session of HTTP with SSE. */
export class Session2024 {
  readonly server: WireServer;
  readonly stream: WireReply;
  /** The path and query the `endpoint` event leads to. */
  readonly path: string;
  readonly #token: string | undefined;

  private constructor(server: WireServer, stream: WireReply, path: string, token?: string) {
    this.server = server;
    this.stream = stream;
    this.path = path;
    this.#token = token;
  }

  /** Opened, not initialized. */
  static async open(server: WireServer, { token }: SessionOptions = {}): Promise<Session2024> {
    const authorization = token === undefined ? undefined : `Bearer ${token}`;
    const request = { path: '/sse', headers: { accept: 'text/event-stream', authorization } };
    const stream = await server.open(request);
    if (stream.status !== 200) throw new Error(`GET /sse: ${(await stream.whole()).bytes}`);
    const { data } = await stream.block(0);
    const url = new URL(data ?? '', `http://127.0.0.1:${server.port}/sse`);
    return new Session2024(server, stream, url.pathname + url.search, token);
  }

  static async initialized(server: WireServer, options: SessionOptions = {}): Promise<Session2024> {
    const session = await Session2024.open(server, options);
    await session.post(initialize('2024-11-05', options.capabilities)).whole();
    await session.stream.message(0);
    await session.post(note('notifications/initialized')).whole();
    return session;
  }

  get id(): string {
    return new URLSearchParams(this.path.split('?')[1]).get('sessionId') ?? '';
  }

  post(body: unknown, headers: Headers = {}): WireReply {
    const authorization = this.#token === undefined ? undefined : `Bearer ${this.#token}`;
    return this.server.send(postOf(this.path, body, { authorization, ...headers }));
  }

  /** An EventSource that lost its connection comes back with the id of the last event. */
  async comeBack(lastEventId: string, headers: Headers = {}): Promise<WireReply> {
    const authorization = this.#token === undefined ? undefined : `Bearer ${this.#token}`;
    const own = { accept: 'text/event-stream', authorization, 'last-event-id': lastEventId };
    return this.server.open({ path: '/sse', headers: { ...own, ...headers } });
  }
}
