/** The connections of requests of ours, kept for the next, and the way each takes. */
import type { LookupFunction } from 'node:net';
import type { Client } from 'undici';
import type { Destination } from './connecting.ts';
import { Connection } from './connection.ts';
import {
  type Environment,
  ProxyChoice,
  type ProxyOption,
  type ProxyServer,
} from './proxy-choice.ts';

/** Connections with one server that are kept without use. */
const KEPT_MAX = 64;
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
  /** Sent besides the request's own headers. */
  readonly headers: Readonly<Record<string, string>>;
}

export class Connections {
  readonly #proxies: ProxyChoice;
  readonly #ca: string | undefined;
  readonly #lookup: LookupFunction;
  readonly #servers = new Map<string, KeptConnections>();
  readonly #all = new Set<Connection>();
  #make: typeof Client | undefined;

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

  /** Whether the library is there. */
  get isReady(): boolean {
    return this.#make !== undefined;
  }

  /** Loads the library, which a process that calls no server never needs. */
  async prepare(): Promise<void> {
    const { Client: make } = await import('undici');
    this.#make = make;
  }

  route(url: URL): Route {
    const proxy = this.#proxies.for(url);
    const path = `${url.pathname}${url.search}`;
    if (proxy === undefined) return { server: this.#server(url, 'direct'), path, headers: {} };
    if (url.protocol === 'https:') {
      return { server: this.#server(url, 'tunnel', proxy), path, headers: {} };
    }
    const { credential } = proxy;
    return {
      server: this.#server(proxy.url, 'proxy'),
      // RFC 9112 section 3.2.2: a proxy is told the whole URL.
      path: url.href,
      headers: {
        host: url.host,
        ...(credential === undefined ? {} : { 'proxy-authorization': credential }),
      },
    };
  }

  /** One that was not used yet. */
  open(origin: string, to: Destination, kept: KeptConnections): Connection {
    if (this.#make === undefined) throw new Error('not prepared');
    const connection = new Connection(this.#make, origin, to, kept);
    this.#all.add(connection);
    return connection;
  }

  /** Cuts it. */
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
    const kept = new KeptConnections(this, url.origin, {
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

/** The connections with one server that wait for a request; the one used last goes first. */
export class KeptConnections {
  readonly #all: Connections;
  readonly #origin: string;
  readonly #to: Destination;
  readonly #kept: Connection[] = [];

  constructor(all: Connections, origin: string, to: Destination) {
    this.#all = all;
    this.#origin = origin;
    this.#to = to;
  }

  /** @param isFresh - whether it must be one that was not used before. */
  take(isFresh: boolean): Connection {
    const kept = isFresh ? undefined : this.#kept.pop();
    if (kept === undefined) return this.#all.open(this.#origin, this.#to, this);
    kept.place = -1;
    return kept;
  }

  /** Takes back one whose reply was received to its end. */
  give(connection: Connection): void {
    if (!connection.isOpen || this.#kept.length >= KEPT_MAX) {
      this.drop(connection);
      return;
    }
    connection.place = this.#kept.push(connection) - 1;
  }

  drop(connection: Connection): void {
    void this.#all.drop(connection);
  }

  /** Told by a connection. One in use is looked after by whoever uses it. */
  closed(connection: Connection): void {
    const { place } = connection;
    if (place === -1) return;
    connection.place = -1;
    const last = this.#kept.pop();
    if (last !== undefined && last !== connection) {
      this.#kept[place] = last;
      last.place = place;
    }
    this.drop(connection);
  }
}
