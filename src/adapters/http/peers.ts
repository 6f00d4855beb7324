/** What is known of connections besides their sockets: who is behind them, and what they showed. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type ClientCertificate, clientCertificate } from './client-certificate.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

export class Peers {
  readonly #trusted: TrustedProxies | undefined;
  /**
   * Sources that the PROXY protocol told, by the proxy's address and port: TLS shows another socket
   * than the one the header came over.
   */
  readonly #sources = new Map<string, string>();
  readonly #certificates = new WeakMap<Socket, ClientCertificate | null>();

  constructor(trusted: TrustedProxies | undefined) {
    this.#trusted = trusted;
  }

  /** Whether this peer passes others' connections on. */
  isTrusted(address: string): boolean {
    return this.#trusted?.has(address) === true;
  }

  /** Notes whose connection it is by the word of a trusted proxy. */
  introduce(socket: Socket, source: string): void {
    const end = endOf(socket);
    this.#sources.set(end, source);
    socket.once('close', () => this.#sources.delete(end));
  }

  /** The address of the client, by its connection and by what trusted proxies say. */
  addressOf(socket: Socket, line: (name: string) => string | undefined): string {
    const source = this.#sources.size === 0 ? undefined : this.#sources.get(endOf(socket));
    const address = source ?? socket.remoteAddress ?? '';
    return this.#trusted?.clientAddress(address, line) ?? address;
  }

  /** What this connection showed does not count, from its first request on. */
  disbelieve(socket: Socket): void {
    this.#certificates.set(socket, null);
  }

  /** Of a connection with TLS whose client showed one. */
  certificateOf(socket: Socket): ClientCertificate | undefined {
    if (!('encrypted' in socket)) return undefined;
    const known = this.#certificates.get(socket);
    if (known !== undefined) return known ?? undefined;
    const found = clientCertificate(socket as TLSSocket);
    this.#certificates.set(socket, found ?? null);
    return found;
  }
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Lines of `headers` as Node joined them. */
export function lineOf(headers: IncomingHttpHeaders): (name: string) => string | undefined {
  return (name) => {
    const found = headers[name];
    return Array.isArray(found) ? found.join(',') : found;
  };
}
