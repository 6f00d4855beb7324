/** A gateway behind an issuer of access tokens, and what its clients send. */
import type { GatewayConfig, GatewayOptions, JwtAuthConfig } from 'tidegate/gateway';
import { childOf, configOf, gatewayHost, type GatewayHost } from '../gateway/gateway-host.ts';
import { initialize, note, postOf, rpc } from '../wire/conversation.ts';
import type { WireReply } from '../wire/wire-reply.ts';
import { type Issuer, PUBLIC_URL } from './issuer.ts';

export const LISTEN: GatewayConfig['listen'] = {
  host: '127.0.0.1',
  port: 0,
  publicUrl: PUBLIC_URL,
  allowedOrigins: undefined,
  drainMs: 500,
};

/** Two servers, `files` and `other`, that take tokens of this issuer. */
export function trusting(
  issuer: Issuer,
  auth: Partial<JwtAuthConfig> = {},
  more: Partial<GatewayConfig> = {},
): GatewayConfig {
  const way = { kind: 'jwt', issuer: issuer.url, allowedHosts: ['127.0.0.1'], ...auth } as const;
  return behind(way, more);
}

export function behind(
  auth: GatewayConfig['auth'],
  more: Partial<GatewayConfig> = {},
): GatewayConfig {
  return configOf({ files: childOf(), other: childOf() }, { listen: LISTEN, auth, ...more });
}

export function hostOf(config: GatewayConfig, options?: GatewayOptions): Promise<GatewayHost> {
  return gatewayHost(config, options);
}

/** Begins a session with a token. */
export function open(host: GatewayHost, token: string, path = '/files/mcp'): Promise<WireReply> {
  return openAs(host, { authorization: `Bearer ${token}` }, path);
}

export function openAs(
  host: GatewayHost,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  path = '/files/mcp',
): Promise<WireReply> {
  return host.send(postOf(path, initialize('2025-11-25'), headers)).whole();
}

/** A session whose every request shows the token of the moment. */
export class TokenSession {
  readonly #host: GatewayHost;
  readonly #path: string;
  readonly #id: string | undefined;
  token: string;

  private constructor(host: GatewayHost, path: string, id: string | undefined, token: string) {
    this.#host = host;
    this.#path = path;
    this.#id = id;
    this.token = token;
  }

  static async open(host: GatewayHost, token: string, path = '/files/mcp'): Promise<TokenSession> {
    const reply = await open(host, token, path);
    if (reply.status !== 200) throw new Error(`initialize: ${reply.bytes}`);
    const session = new TokenSession(host, path, reply.header('mcp-session-id'), token);
    await session.#post(note('notifications/initialized')).whole();
    return session;
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    return {
      authorization: `Bearer ${this.token}`,
      'mcp-session-id': this.#id,
      'mcp-protocol-version': '2025-11-25',
    };
  }

  call(tool = 'now'): WireReply {
    return this.#post(rpc(7, 'tools/call', { name: tool, arguments: {} }));
  }

  listen(): WireReply {
    const headers = { ...this.headers, accept: 'text/event-stream' };
    return this.#host.send({ path: this.#path, headers });
  }

  #post(body: unknown): WireReply {
    return this.#host.send(postOf(this.#path, body, this.headers));
  }
}
