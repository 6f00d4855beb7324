/** The connections of requests of ours, kept for the next, and the way each takes. */
import type { LookupFunction } from 'node:net';
import type { Destination } from './connecting.ts';
import { Connection, type ConnectionEvents } from './connection.ts';
import { type ConnectionSource, KeptConnections } from './kept-connections.ts';
import {
  type Environment,
  ProxyChoice,
  type ProxyOption,
  type ProxyServer,
} from './proxy-choice.ts';
import { WriteTurn } from './write-turn.ts';

/** Servers whose connections are kept; of more, the one known longest is forgotten. */
const SERVERS_MAX = 64;

export interface ConnectionOptions {
  /** Certificates to trust besides the platform's, as PEM. */
  readonly ca?: string | undefined;
  readonly proxy?: ProxyOption;
  /** Default: that of the process. */
  readonly env?: Environment | undefined;
}

/** How requests for one URL go out. */
export interface Route {
  readonly server: KeptConnections;
  /** What the request line names. */
  readonly path: string;
  /** Header lines besides the request's own, each with its end. */
  readonly lines: string;
}

export class Connections implements ConnectionSource {
  readonly #proxies: ProxyChoice;
  readonly #ca: string | undefined;
  readonly #lookup: LookupFunction;
  readonly #servers = new Map<string, KeptConnections>();
  readonly #all = new Set<Connection>();
  readonly #turn = new WriteTurn();

  /**
   * @param lookup - finds and checks the address of a name. A proxy finds the address of a server
   * itself: it is for what is called directly.
   * @throws TypeError when a proxy's URL is malformed.
   */
  constructor(lookup: LookupFunction, { ca, proxy, env = process.env }: ConnectionOptions) {
    this.#proxies = new ProxyChoice(proxy, env);
    this.#ca = ca;
    this.#lookup = lookup;
  }

  route(url: URL): Route {
    const proxy = this.#proxies.for(url);
    const path = `${url.pathname}${url.search}`;
    const host = `host: ${url.host}\r\n`;
    if (proxy === undefined) return { server: this.#server(url, 'direct'), path, lines: host };
    if (url.protocol === 'https:') {
      return { server: this.#server(url, 'tunnel', proxy), path, lines: host };
    }
    const { credential } = proxy;
    const own = credential === undefined ? '' : `proxy-authorization: ${credential}\r\n`;
    // RFC 9112 section 3.2.2: a proxy is told the whole URL.
    return { server: this.#server(proxy.url, 'proxy'), path: url.href, lines: `${host}${own}` };
  }

  open(to: Destination, events: ConnectionEvents): Connection {
    const connection = new Connection(to, this.#turn, events);
    this.#all.add(connection);
    return connection;
  }

  async drop(connection: Connection): Promise<void> {
    await connection.destroy();
    this.#all.delete(connection);
  }

  /** Cuts every connection, used or not; resolves when no socket is left. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((connection) => this.drop(connection)));
  }

  #server(url: URL, way: 'direct' | 'tunnel' | 'proxy', tunnel?: ProxyServer): KeptConnections {
    const key = `${way} ${url.origin}`;
    const known = this.#servers.get(key);
    if (known !== undefined) return known;
    const isTls = url.protocol === 'https:';
    const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
    const kept = new KeptConnections(this, {
      isTls,
      port,
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      tunnel,
      lookup: way === 'direct' ? this.#lookup : undefined,
      ca: way === 'proxy' ? undefined : this.#ca,
    });
    if (this.#servers.size >= SERVERS_MAX) {
      for (const oldest of this.#servers.keys()) {
        this.#servers.delete(oldest);
        break;
      }
    }
    this.#servers.set(key, kept);
    return kept;
  }
}
