/** One connection that is being made: directly, with TLS, or through a proxy; bounded in time. */
import { isIP, connect as connectPlain, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { ProxyServer } from './proxy-choice.ts';
import { Tunnel } from './tunnel.ts';

/** Milliseconds a connection may take to be made, TLS and proxy included. */
const CONNECT_MS_MAX = 10_000;
/** Milliseconds of silence until the kernel asks whether the other side is still there. */
const PROBE_AFTER_MS = 60_000;

export interface Destination {
  readonly isTls: boolean;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Finds and checks the address of a name. */
  readonly lookup?: LookupFunction | undefined;
  /** Certificates to trust besides the platform's, as PEM. */
  readonly ca?: string | undefined;
  /** What is asked for a tunnel to it. */
  readonly tunnel?: ProxyServer | undefined;
  /** The last session of TLS with it, which saves a handshake. */
  session?: Buffer | undefined;
}

type Done = (error: Error | undefined, socket?: Socket) => void;

export class Connecting {
  readonly #done: Done;
  readonly #timer: NodeJS.Timeout;
  #socket: Socket | undefined;
  #tunnel: Tunnel | undefined;
  #isOver = false;

  /** @param done - told once the connection stands, TLS included, or why it does not. */
  constructor(to: Destination, done: Done) {
    this.#done = done;
    this.#timer = setTimeout(() => {
      this.fail(new Error('the connection was not made in time'));
    }, CONNECT_MS_MAX);
    this.#timer.unref();
    if (to.tunnel !== undefined) this.#dig(to, to.tunnel);
    else if (to.isTls) this.#secure(to);
    else this.#watch(connectPlain(socketOptions(to)), 'connect');
  }

  /** Gives it up; nothing happens once it stands. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#tunnel?.fail(error);
    this.#done(error);
  }

  #dig(to: Destination, proxy: ProxyServer): void {
    const { host, port } = to;
    const tunnel = new Tunnel(proxy, { host, port, tls: trustOf(to) }, (error, socket) => {
      if (socket === undefined) this.fail(error ?? new Error('no tunnel'));
      else if (this.#isOver) socket.destroy();
      else this.#stands(socket);
    });
    this.#tunnel = tunnel;
    tunnel.open();
  }

  #secure(to: Destination): void {
    const { host, session } = to;
    const socket = connectTls({
      ...socketOptions(to),
      ...trustOf(to),
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(session === undefined ? {} : { session }),
    });
    socket.on('session', (next) => {
      to.session = next;
    });
    // One that the server does not know any more must not be offered again.
    socket.once('error', () => {
      to.session = undefined;
    });
    this.#watch(socket, 'secureConnect');
  }

  #watch(socket: Socket, event: 'connect' | 'secureConnect'): void {
    this.#socket = socket;
    const failed = (error: Error): void => this.fail(error);
    socket.once('error', failed);
    socket.once(event, () => {
      socket.off('error', failed);
      if (!this.#isOver) this.#stands(socket);
    });
  }

  #stands(socket: Socket): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, PROBE_AFTER_MS);
    this.#done(undefined, socket);
  }
}

function socketOptions({ host, port, lookup }: Destination): {
  readonly host: string;
  readonly port: number;
  readonly lookup?: LookupFunction;
} {
  return { host, port, ...(lookup === undefined ? {} : { lookup }) };
}

function trustOf({ ca }: Destination): ConnectionOptions {
  return { ALPNProtocols: ['http/1.1'], ...(ca === undefined ? {} : { ca }) };
}
