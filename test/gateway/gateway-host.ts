/** A gateway on a real port over real processes; gone when the test is over. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createGateway,
  type Gateway,
  type GatewayConfig,
  type GatewayOptions,
  type ServerConfig,
  type ServerSource,
} from 'tidegate/gateway';
import { serve } from 'tidegate/node';
import { onTestFinished } from 'vitest';
import { ROOT } from '../source-files.ts';
import { initialize, note, postOf, rpc, type Headers } from '../wire/conversation.ts';
import { WireReply, type WireRequest } from '../wire/wire-reply.ts';

export const TOKEN = 'gateway-token-0123456789';

/** Milliseconds a test waits for what has to happen. */
const PATIENCE_MS = 15_000;

export interface GatewayHost {
  readonly gateway: Gateway;
  readonly config: GatewayConfig;
  readonly port: number;
  readonly log: readonly LogLine[];
  send(request: WireRequest): WireReply;
  close(): Promise<void>;
}

export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

export async function gatewayHost(
  config: GatewayConfig,
  options: GatewayOptions = {},
): Promise<GatewayHost> {
  const log: LogLine[] = [];
  const gateway = createGateway(config, {
    telemetry: {
      log: (level, event, fields) => void log.push({ level, event, ...fields }),
      count: () => {},
      request: () => {},
      streamClosed: () => {},
    },
    ...options,
  });
  const served = await serve(gateway, { port: 0, drainMs: config.listen.drainMs });
  const replies: WireReply[] = [];
  const close = async (): Promise<void> => {
    for (const reply of replies) reply.leave();
    await served.close();
  };
  onTestFinished(close);
  return {
    gateway,
    config,
    port: served.port,
    log,
    send(request) {
      const reply = new WireReply(served.port, request);
      replies.push(reply);
      return reply;
    },
    close,
  };
}

/** @param servers - by name. */
export function configOf(
  servers: Readonly<Record<string, ServerConfig>>,
  more: Partial<GatewayConfig> = {},
): GatewayConfig {
  return {
    listen: {
      host: '127.0.0.1',
      port: 0,
      publicUrl: undefined,
      allowedOrigins: undefined,
      drainMs: 2000,
    },
    auth: { kind: 'token', token: TOKEN },
    all: undefined,
    servers: Object.entries(servers).map(([name, server]) => ({ ...server, name })),
    ...more,
  };
}

export function serverOf(source: ServerSource, more: Partial<ServerConfig> = {}): ServerConfig {
  return {
    name: 'unnamed',
    source,
    isolation: 'session',
    eras: 'all',
    limits: {},
    endpointForm: 'relative',
    priming: 'auto',
    heartbeat: 'comment',
    isRequired: true,
    ...more,
  };
}

/** The child of the fixtures. */
export function childOf(
  env: Readonly<Record<string, string>> = {},
  more: Partial<ServerConfig> = {},
): ServerConfig {
  const args = [join(ROOT, 'test/fixtures/gateway/child.mjs')];
  return serverOf({ kind: 'command', command: process.execPath, args, env, cwd: undefined }, more);
}

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-gateway-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Process ids that children noted in a file. */
export function pidsIn(file: string): readonly number[] {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').map(Number);
  } catch {
    return [];
  }
}

/** Resolves once `condition` holds; fails with `what` when it does not in time. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const BEARER = { authorization: `Bearer ${TOKEN}` };

/** A session of Streamable HTTP at `/<name>/mcp`. */
export class GatewaySession {
  readonly #host: GatewayHost;
  readonly #path: string;
  readonly #headers: Headers;
  #nextId = 1;

  private constructor(host: GatewayHost, path: string, headers: Headers) {
    this.#host = host;
    this.#path = path;
    this.#headers = headers;
  }

  static async open(host: GatewayHost, name: string): Promise<GatewaySession> {
    const path = `/${name}/mcp`;
    const reply = host.send(postOf(path, initialize('2025-11-25'), BEARER));
    await reply.whole();
    if (reply.status !== 200) throw new Error(`initialize: ${reply.bytes}`);
    const session = new GatewaySession(host, path, {
      ...BEARER,
      'mcp-session-id': reply.header('mcp-session-id'),
      'mcp-protocol-version': '2025-11-25',
    });
    await session.post(note('notifications/initialized')).whole();
    return session;
  }

  post(body: unknown): WireReply {
    return this.#host.send(postOf(this.#path, body, this.#headers));
  }

  call(tool: string): WireReply {
    return this.post(rpc(this.#nextId++, 'tools/call', { name: tool, arguments: {} }));
  }

  /** What a tool said, or how it failed. */
  async said(tool: string): Promise<string> {
    const reply = await this.call(tool).whole();
    const text = reply.blocks.length > 0 ? JSON.stringify(reply.messages.at(-1)) : reply.text;
    const { result, error } = JSON.parse(text) as {
      result?: { content: readonly { text: string }[] };
      error?: { code: number };
    };
    return result?.content[0]?.text ?? `error ${error?.code}`;
  }

  end(): WireReply {
    return this.#host.send({ method: 'DELETE', path: this.#path, headers: this.#headers });
  }

  listen(): WireReply {
    const headers = { ...this.#headers, accept: 'text/event-stream' };
    return this.#host.send({ path: this.#path, headers });
  }
}
