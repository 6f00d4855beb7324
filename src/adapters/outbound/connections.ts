/** The connections of requests of ours, kept for the next, and the way each takes. */
import { Agent as PlainAgent, type ClientRequest, request, type RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import type { LookupFunction } from 'node:net';
import { type Environment, ProxyChoice, type ProxyOption } from './proxy-choice.ts';
import { TunnelAgent } from './tunnel-agent.ts';

/**
 * Milliseconds a connection is kept without use: below the 5 s after which common servers close
 * theirs, so that no request is sent into a closing connection.
 */
const KEEP_MS = 4000;
const KEPT_MAX = 64;
/** Milliseconds a connection may take to be made, TLS and proxy included. */
export const CONNECT_MS_MAX = 10_000;

export interface ConnectionOptions {
  /** Certificates to trust besides the platform's, as PEM. */
  readonly ca?: string | undefined;
  readonly proxy?: ProxyOption;
  /** Default: that of the process. */
  readonly env?: Environment | undefined;
}

export interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly lookup: LookupFunction;
  /** Whether it must not go out on a connection that was used before. */
  readonly isFresh: boolean;
}

type Keep = 'kept' | 'fresh';

export class Connections {
  readonly #proxies: ProxyChoice;
  readonly #ca: { readonly ca?: string };
  readonly #agents = new Map<string, PlainAgent | TlsAgent>();

  /** @throws TypeError when a proxy's URL is malformed. */
  constructor({ ca, proxy, env = process.env }: ConnectionOptions) {
    this.#proxies = new ProxyChoice(proxy, env);
    this.#ca = ca === undefined ? {} : { ca };
  }

  /**
   * Begins a request. A proxy finds the address of a server itself: `lookup` is for direct ones.
   * @throws TypeError when a header holds what no header may hold.
   */
  request(url: URL, asked: Asked): ClientRequest {
    const { method, headers, lookup } = asked;
    const keep = asked.isFresh ? 'fresh' : 'kept';
    const proxy = this.#proxies.for(url);
    if (url.protocol === 'https:') {
      const agent =
        proxy === undefined
          ? this.#agent(`tls ${keep}`, () => new TlsAgent({ ...KEPT[keep], ...this.#ca }))
          : this.#agent(`tunnel ${keep}`, () => {
              const options = { ...KEPT[keep], ...this.#ca, connectMsMax: CONNECT_MS_MAX };
              return new TunnelAgent(proxy, options);
            });
      return requestTls(url, { method, headers, agent, lookup });
    }
    const plain = this.#agent(`plain ${keep}`, () => new PlainAgent(KEPT[keep]));
    if (proxy === undefined) return request(url, { method, headers, agent: plain, lookup });
    const through: RequestOptions = {
      method,
      // RFC 9112 section 3.2.2: a proxy is told the whole URL.
      path: url.href,
      headers: {
        ...headers,
        host: url.host,
        ...(proxy.credential === undefined ? {} : { 'proxy-authorization': proxy.credential }),
      },
    };
    if (proxy.url.protocol === 'http:') return request(proxy.url, { ...through, agent: plain });
    const agent = this.#agent(`proxy ${keep}`, () => new TlsAgent(KEPT[keep]));
    return requestTls(proxy.url, { ...through, agent });
  }

  /** Cuts every connection, used or not. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  #agent<T extends PlainAgent | TlsAgent>(key: string, make: () => T): PlainAgent | TlsAgent {
    const kept = this.#agents.get(key) ?? make();
    this.#agents.set(key, kept);
    return kept;
  }
}

const KEPT: Readonly<Record<Keep, object>> = {
  kept: { keepAlive: true, maxFreeSockets: KEPT_MAX, timeout: KEEP_MS },
  fresh: { keepAlive: false },
};
