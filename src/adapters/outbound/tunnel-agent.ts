/**
 * TLS connections through a proxy: CONNECT first, then TLS with the server itself, so that the
 * proxy sees a name and no more.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
 */
import { request, type ClientRequest } from 'node:http';
import { Agent, type AgentOptions, request as requestTls, type RequestOptions } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { ProxyServer } from './proxy-choice.ts';

export interface TunnelOptions extends AgentOptions {
  /** Milliseconds until the connection with the server stands, the proxy's part included. */
  readonly connectMsMax: number;
}

/** As the agent has it; the socket of a failure is not looked at. */
type Done = (error: Error | null, socket: Duplex) => void;
type TunnelDone = (error: Error | null, socket?: Duplex) => void;

export class TunnelAgent extends Agent {
  readonly #proxy: ProxyServer;
  readonly #connectMsMax: number;
  readonly #opening = new Set<Tunnel>();

  constructor(proxy: ProxyServer, { connectMsMax, ...options }: TunnelOptions) {
    super(options);
    this.#proxy = proxy;
    this.#connectMsMax = connectMsMax;
  }

  // Reports the connection once TLS stands: whoever fails before has sent nothing to the server.
  override createConnection(options: RequestOptions, done?: Done): undefined {
    const tunnel = new Tunnel(
      this.#proxy,
      options as ConnectionOptions,
      this.#connectMsMax,
      (error, socket) => {
        this.#opening.delete(tunnel);
        done?.(error, socket as Duplex);
      },
    );
    this.#opening.add(tunnel);
    tunnel.open();
  }

  override destroy(): void {
    for (const tunnel of this.#opening) tunnel.fail(new Error('the connection was given up'));
    super.destroy();
  }
}

class Tunnel {
  readonly #proxy: ProxyServer;
  readonly #options: ConnectionOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #done: TunnelDone;
  #connect: ClientRequest | undefined;
  #socket: Socket | undefined;
  #isOver = false;

  constructor(proxy: ProxyServer, options: ConnectionOptions, msMax: number, done: TunnelDone) {
    this.#proxy = proxy;
    this.#options = options;
    this.#done = done;
    this.#timer = setTimeout(
      () => this.fail(new Error('the connection was not made in time')),
      msMax,
    );
    this.#timer.unref();
  }

  open(): void {
    const { url, credential } = this.#proxy;
    const { host = '', port = 443 } = this.#options;
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

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#connect?.destroy();
    this.#socket?.destroy();
    this.#done(error);
  }

  #secure(socket: Socket, host: string): void {
    this.#socket = socket;
    const { host: _host, port: _port, path: _path, ...rest } = this.#options;
    const secure: TLSSocket = connect({
      ...rest,
      socket,
      ...(isIP(host) === 0 ? { servername: rest.servername ?? host } : {}),
    });
    this.#socket = secure;
    const failed = (error: Error): void => this.fail(error);
    secure.once('error', failed);
    secure.once('secureConnect', () => {
      if (this.#isOver) return;
      this.#isOver = true;
      clearTimeout(this.#timer);
      secure.off('error', failed);
      this.#done(null, secure);
    });
  }
}

/** Tells a proxy that is down from a server that is, without its address. */
function proxyError(error: Error): Error {
  return new Error(`the proxy: ${(error as NodeJS.ErrnoException).code ?? 'connection failed'}`);
}
