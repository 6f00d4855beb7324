/**
 * A TLS connection through a proxy: CONNECT first, then TLS with the server itself, so that the
 * proxy sees a name and no more.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
 */
import { request, type ClientRequest } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';
import type { ProxyServer } from './proxy-choice.ts';

export interface TunnelTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions;
}

type Done = (error: Error | undefined, socket?: Socket) => void;

export class Tunnel {
  readonly #proxy: ProxyServer;
  readonly #target: TunnelTarget;
  readonly #done: Done;
  #connect: ClientRequest | undefined;
  #socket: Socket | undefined;
  #isOver = false;

  /** @param done - told once TLS stands: whoever fails before has sent the server nothing. */
  constructor(proxy: ProxyServer, target: TunnelTarget, done: Done) {
    this.#proxy = proxy;
    this.#target = target;
    this.#done = done;
  }

  open(): void {
    const { url, credential } = this.#proxy;
    const { host, port } = this.#target;
    const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
    const connecting = (url.protocol === 'https:' ? requestTls : request)({
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? undefined : url.port,
      method: 'CONNECT',
      path: authority,
      agent: false,
      headers: {
        host: authority,
        ...(credential === undefined ? {} : { 'proxy-authorization': credential }),
      },
    });
    this.#connect = connecting;
    connecting.on('connect', (response, socket, head) => {
      if (response.statusCode !== 200 || head.length > 0) {
        socket.destroy();
        this.fail(new Error(`the proxy refused (HTTP status ${response.statusCode})`));
      } else if (this.#isOver) socket.destroy();
      else this.#secure(socket, host);
    });
    // A proxy that answers CONNECT as if it were another method.
    connecting.on('response', (response) => {
      this.fail(new Error(`the proxy refused (HTTP status ${response.statusCode})`));
    });
    connecting.on('error', (error) => this.fail(proxyError(error)));
    connecting.end();
  }

  /** Gives it up; nothing happens once it stands. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connect?.destroy();
    this.#socket?.destroy();
    this.#done(error);
  }

  #secure(socket: Socket, host: string): void {
    this.#socket = socket;
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const secure = connect({ ...this.#target.tls, ...servername, socket });
    this.#socket = secure;
    const failed = (error: Error): void => this.fail(error);
    secure.once('error', failed);
    secure.once('secureConnect', () => {
      if (this.#isOver) return;
      this.#isOver = true;
      secure.off('error', failed);
      this.#done(undefined, secure);
    });
  }
}

/** Tells a proxy that is down from a server that is, without its address. */
function proxyError(error: Error): Error {
  return new Error(`the proxy: ${(error as NodeJS.ErrnoException).code ?? 'connection failed'}`);
}
