/** A server over HTTP in the test's hand: every byte of every reply is the test's to choose. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { remote, type RemoteOptions } from 'tidegate';
import type { UpstreamConnection, UpstreamEra } from '../../../src/core/ports.ts';
import { Message } from '../../../src/core/protocol/message.ts';
import { eventually } from '../../wire/signal.ts';
import { Recorder, Sight } from '../recorder.ts';

export interface Said {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** One request and the means to answer it. */
export class Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Said;
  isGone = false;

  constructor(request: IncomingMessage, response: ServerResponse, body: string) {
    this.request = request;
    this.response = response;
    this.body = body === '' ? {} : (JSON.parse(body) as Said);
    response.on('close', () => {
      this.isGone = true;
    });
  }

  get method(): string {
    return this.request.method ?? '';
  }

  header(name: string): string | undefined {
    return this.request.headers[name] as string | undefined;
  }

  status(status: number, headers: Record<string, string> = {}, body = ''): void {
    this.response.writeHead(status, headers).end(body);
  }

  json(value: unknown, headers: Record<string, string> = {}, status = 200): void {
    this.status(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value));
  }

  result(result: unknown, headers: Record<string, string> = {}): void {
    this.json({ jsonrpc: '2.0', id: this.body.id, result }, headers);
  }

  /** Opens, or goes on with, an event stream. */
  stream(text: string): void {
    if (!this.response.headersSent) {
      this.response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    }
    this.response.write(text);
  }

  event(value: unknown, id?: string): void {
    this.stream(`${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(value)}\n\n`);
  }
}

export class HandServer {
  readonly asked: Asked[] = [];
  /** Answers; undefined where it does not want to. */
  answer: (asked: Asked) => void = () => {};
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        const asked = new Asked(request, response, body);
        this.asked.push(asked);
        this.answer(asked);
      });
    });
  }

  static async start(answer: (asked: Asked) => void): Promise<HandServer> {
    const server = new HandServer();
    server.answer = answer;
    await server.listen();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mcp`;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    onTestFinished(() => this.stop());
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  of(method: string): readonly Asked[] {
    return this.asked.filter((each) => each.body.method === method || each.method === method);
  }

  async until(count: number, method: string): Promise<Asked> {
    await eventually(() => this.of(method).length >= count, `${count} × ${method}`);
    return this.of(method)[count - 1] as Asked;
  }
}

/** What most servers of 2025 do, but for what the test says otherwise. */
export function server2025(special: (asked: Asked) => boolean): (asked: Asked) => void {
  return (asked) => {
    if (special(asked)) return;
    if (asked.method === 'GET') asked.status(405);
    else if (asked.method === 'DELETE') asked.status(200);
    else if (asked.body.id === undefined || asked.body.method === undefined) asked.status(202);
    else if (asked.body.method === 'initialize') {
      asked.result(
        {
          protocolVersion: '2025-11-25',
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: 'hand', version: '1' },
        },
        { 'mcp-session-id': 'session-1' },
      );
    } else asked.result({ of: asked.body.method });
  };
}

export interface Dialled {
  readonly connection: UpstreamConnection;
  readonly recorder: Recorder;
  readonly sight: Sight;
  /** Sends a call of a tool and resolves with what it is answered. */
  readonly call: (id: number, name?: string) => Promise<unknown>;
  readonly answerTo: (id: number) => Promise<unknown>;
}

export function dial(url: string, era: UpstreamEra, options: RemoteOptions = {}): Dialled {
  const sight = new Sight();
  const recorder = new Recorder();
  const upstream = remote(url, { telemetry: sight, ...options });
  onTestFinished(() => upstream.close());
  const connection = upstream.connect(era, recorder);
  const answerTo = async (id: number): Promise<unknown> => {
    const find = (): Message | undefined =>
      recorder.messages().find((each) => each.kind === 'response' && each.id === String(id));
    await recorder.until(() => find() !== undefined, `the answer to ${id}`);
    return find()?.value;
  };
  const call = (id: number, name = 'tool'): Promise<unknown> => {
    const meta = era === 'modern' ? MODERN_META : {};
    const params = JSON.stringify({ name, arguments: {}, _meta: meta });
    connection.send(Message.request(String(id), 'tools/call', params));
    return answerTo(id);
  };
  return { connection, recorder, sight, call, answerTo };
}

const MODERN_META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A session of 2025, or of 2024, after its handshake. */
export async function dialSession(url: string, options: RemoteOptions = {}): Promise<Dialled> {
  const dialled = dial(url, 'legacy', options);
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x' } };
  dialled.connection.send(Message.request('0', 'initialize', JSON.stringify(params)));
  await dialled.answerTo(0);
  dialled.connection.send(Message.notification('notifications/initialized'));
  return dialled;
}

export function dialModern(url: string, options: RemoteOptions = {}): Dialled {
  return dial(url, 'modern', options);
}
