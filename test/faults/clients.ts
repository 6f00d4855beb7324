/** Well-behaved clients of each era, as small as they can be, that notice everything they get. */
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { PATIENCE_MS } from './fault-host.ts';
import {
  type Block,
  exchange,
  messagesOf,
  openStream,
  type Reply,
  type StreamReader,
} from './http-exchange.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface Client {
  readonly era: string;
  /** Messages that nobody asked for. */
  readonly foreign: readonly string[];
  /** The text of the answer: one message, with this id. */
  request(id: number, method: string, params: Json): Promise<string>;
  close(): void;
}

export const MODERN = '2026-07-28';
const META = 'io.modelcontextprotocol/';

export function rpc(id: number | undefined, method: string, params: Json): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

export function initializeParams(protocolVersion: string, name: string): Json {
  return { protocolVersion, capabilities: {}, clientInfo: { name, version: '1.0.0' } };
}

export function jsonHeaders(
  user: string,
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer user-${user}`,
    ...more,
  };
}

/** The headers and params of a request that is on its own. */
export function modernRequest(
  user: string,
  method: string,
  params: Json,
): { readonly headers: Record<string, string>; readonly params: Json } {
  const name = params['name'];
  const mirrored = typeof name === 'string' ? { 'mcp-name': name } : {};
  const meta = {
    [`${META}protocolVersion`]: MODERN,
    [`${META}clientCapabilities`]: {},
    [`${META}clientInfo`]: { name: user, version: '1.0.0' },
    ...(params['_meta'] as Json | undefined),
  };
  const version = { 'mcp-protocol-version': MODERN, 'mcp-method': method };
  return {
    headers: jsonHeaders(user, { ...version, ...mirrored }),
    params: { ...params, _meta: meta },
  };
}

/** Reconnects like an EventSource: with the id of the last event, after the time it was told. */
export class Client2024 implements Client {
  readonly era = '2024';
  readonly foreign: string[] = [];
  lastEventId = '';
  reconnects = 0;
  /** The path and query that the `endpoint` event led to. */
  endpoint = '';
  readonly port: number;
  readonly user: string;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 1 });
  readonly #answers = new Map<number, (text: string) => void>();
  #stream: StreamReader | undefined;
  #retryMs = 50;
  #isClosed = false;
  #onEndpoint: () => void = () => {};

  private constructor(port: number, user: string) {
    this.port = port;
    this.user = user;
  }

  static async open(port: number, user: string): Promise<Client2024> {
    const client = new Client2024(port, user);
    const found = new Promise<void>((resolve) => {
      client.#onEndpoint = resolve;
    });
    await client.#connect();
    await within(found, 'the endpoint event');
    await client.request(0, 'initialize', initializeParams('2024-11-05', user));
    await client.post(rpc(undefined, 'notifications/initialized', {}));
    return client;
  }

  async request(id: number, method: string, params: Json): Promise<string> {
    const answer = new Promise<string>((resolve) => this.#answers.set(id, resolve));
    const reply = await this.post(rpc(id, method, params));
    if (reply.status !== 202) throw new Error(`${this.era}: ${reply.status} ${reply.text}`);
    return within(answer, `the answer to ${method} ${id} on a stream of 2024`);
  }

  async post(body: string): Promise<Reply> {
    const { port, endpoint: path } = this;
    const headers = jsonHeaders(this.user);
    return exchange({ port, method: 'POST', path, headers, body, agent: this.#agent });
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.close();
    this.#agent.destroy();
  }

  async #connect(): Promise<void> {
    const { port, user } = this;
    const cursor = this.lastEventId === '' ? {} : { 'last-event-id': this.lastEventId };
    const headers = {
      accept: 'text/event-stream',
      authorization: `Bearer user-${user}`,
      ...cursor,
    };
    this.#stream = await openStream(
      { port, path: '/sse', headers },
      (block) => this.#block(block),
      () => void this.#ended(),
    );
    const resume = String(this.#stream.headers['tidegate-resume']);
    if (this.reconnects > 0 && resume !== 'exact') this.foreign.push(`resumed with ${resume}`);
  }

  #block({ event, id, retry, data }: Block): void {
    if (id !== undefined) this.lastEventId = id;
    if (retry !== undefined) this.#retryMs = Number(retry);
    if (data === undefined || data === '') return;
    if (event === 'endpoint') {
      this.endpoint = `/${data}`;
      this.#onEndpoint();
      return;
    }
    const { id: answered } = JSON.parse(data) as { id?: number };
    const resolve = this.#answers.get(answered ?? Number.NaN);
    this.#answers.delete(answered ?? Number.NaN);
    if (resolve === undefined) this.foreign.push(data);
    else resolve(data);
  }

  async #ended(): Promise<void> {
    if (this.#isClosed) return;
    this.reconnects += 1;
    await delay(this.#retryMs);
    try {
      if (!this.#isClosed) await this.#connect();
    } catch (error) {
      this.foreign.push(String(error));
    }
  }
}

/** With its standalone stream open, on which nothing should ever come. */
export class Client2025 implements Client {
  readonly era = '2025';
  readonly foreign: string[] = [];
  readonly port: number;
  readonly user: string;
  session = '';
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 1 });
  #stream: StreamReader | undefined;
  #lastEventId = '';
  #isClosed = false;

  private constructor(port: number, user: string) {
    this.port = port;
    this.user = user;
  }

  static async open(port: number, user: string, hasStream = true): Promise<Client2025> {
    const client = new Client2025(port, user);
    const body = rpc(0, 'initialize', initializeParams('2025-11-25', user));
    const reply = await client.post(body);
    client.session = String(reply.headers['mcp-session-id']);
    if (reply.status !== 200) throw new Error(`${client.era}: ${reply.status} ${reply.text}`);
    await client.post(rpc(undefined, 'notifications/initialized', {}));
    if (hasStream) await client.#connect();
    return client;
  }

  get headers(): Record<string, string> {
    const session = this.session === '' ? {} : { 'mcp-session-id': this.session };
    return jsonHeaders(this.user, { 'mcp-protocol-version': '2025-11-25', ...session });
  }

  async request(id: number, method: string, params: Json): Promise<string> {
    const reply = await this.post(rpc(id, method, params));
    return soleMessage(this, reply);
  }

  async post(body: string): Promise<Reply> {
    const { port, headers } = this;
    return exchange({ port, method: 'POST', path: '/mcp', headers, body, agent: this.#agent });
  }

  async end(): Promise<Reply> {
    const { port, headers } = this;
    return exchange({ port, method: 'DELETE', path: '/mcp', headers, agent: this.#agent });
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.close();
    this.#agent.destroy();
  }

  async #connect(): Promise<void> {
    const { port } = this;
    const cursor = this.#lastEventId === '' ? {} : { 'last-event-id': this.#lastEventId };
    const headers = { ...this.headers, accept: 'text/event-stream', ...cursor };
    this.#stream = await openStream(
      { port, path: '/mcp', headers },
      ({ id, data }) => {
        if (id !== undefined) this.#lastEventId = id;
        if (data !== undefined && data !== '') this.foreign.push(data);
      },
      () => {
        if (!this.#isClosed)
          void this.#connect().catch((error) => this.foreign.push(String(error)));
      },
    );
  }
}

export class Client2026 implements Client {
  readonly era = '2026';
  readonly foreign: string[] = [];
  readonly port: number;
  readonly user: string;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 1 });

  constructor(port: number, user: string) {
    this.port = port;
    this.user = user;
  }

  async request(id: number, method: string, given: Json): Promise<string> {
    return soleMessage(this, await this.post(id, method, given));
  }

  async post(id: number, method: string, given: Json): Promise<Reply> {
    const { headers, params } = modernRequest(this.user, method, given);
    const body = rpc(id, method, params);
    const { port } = this;
    return exchange({ port, method: 'POST', path: '/mcp', headers, body, agent: this.#agent });
  }

  close(): void {
    this.#agent.destroy();
  }
}

export async function within<T>(
  promise: Promise<T>,
  what: string,
  state: () => string = () => '',
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited in vain for ${what}. ${state()}`)),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([promise, patience]);
  } finally {
    clearTimeout(timer);
  }
}

/** The text that a call of a tool was answered with. */
export function textOf(answer: string): string {
  const { result } = JSON.parse(answer) as { result?: { content?: { text?: string }[] } };
  return result?.content?.[0]?.text ?? `no text in ${answer}`;
}

function soleMessage(client: { era: string }, reply: Reply): string {
  const messages = messagesOf(reply);
  if (messages.length === 1) return messages[0] ?? '';
  throw new Error(`${client.era}: ${reply.status} with ${messages.length} messages: ${reply.text}`);
}
