/**
 * One HTTP/1.1 connection with a server, and the one request that is on it. It is made when there
 * is something to send, and made again when it was closed before that was sent.
 */
import type { Socket } from 'node:net';
import type { Client, Dispatcher } from 'undici';
import { Connecting, type Destination } from './connecting.ts';

/**
 * Milliseconds a connection is kept without use: below the 5 s after which common servers close
 * theirs, so that no request is sent into a closing connection.
 */
const KEEP_MS = 4000;
/** A server that says when it closes is left this much earlier. */
const KEEP_MARGIN_MS = 1000;
/** Bytes of all header fields of one reply. */
const HEADER_BYTES_MAX = 16_384;

export interface ConnectionEvents {
  /** It was closed, by whomever; a request that was on it has been told. */
  closed(connection: Connection): void;
}

export class Connection {
  readonly #client: Client;
  readonly #to: Destination;
  #connecting: Connecting | undefined;
  #socket: Socket | undefined;
  #uses = 0;
  #isGivenUp = false;
  /** Among those that are kept; -1 while it is in use. */
  place = -1;

  constructor(make: typeof Client, origin: string, to: Destination, events: ConnectionEvents) {
    this.#to = to;
    this.#client = new make(origin, {
      connect: (_, done) => this.#connect(done),
      maxHeaderSize: HEADER_BYTES_MAX,
      // Whoever asks decides how long it waits for a reply.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_MS,
      keepAliveMaxTimeout: KEEP_MS,
      keepAliveTimeoutThreshold: KEEP_MARGIN_MS,
    });
    this.#client.on('disconnect', () => {
      this.#socket = undefined;
      events.closed(this);
    });
  }

  /** Whether it stands. */
  get isOpen(): boolean {
    return this.#socket !== undefined && !this.#socket.destroyed;
  }

  send(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(request, handler);
  }

  /** Its request is about to be written. @returns whether others were before. */
  begin(): boolean {
    this.#uses += 1;
    return this.#uses > 1;
  }

  /** Calls back once the kernel has all that was written. */
  whenSent(done: () => void): void {
    if (this.#socket === undefined) return;
    if (this.#socket.writableLength === 0) done();
    else this.#socket.write('', done);
  }

  /** Cuts it, or gives up making it; resolves when there is no socket any more. */
  async destroy(): Promise<void> {
    this.#isGivenUp = true;
    this.#connecting?.fail(new Error('the connection was given up'));
    await this.#client.destroy();
  }

  #connect(done: (...outcome: [null, Socket] | [Error, null]) => void): void {
    this.#connecting = new Connecting(this.#to, (error, socket) => {
      this.#connecting = undefined;
      if (socket === undefined) {
        done(error ?? new Error('no connection'), null);
        return;
      }
      this.#uses = 0;
      this.#socket = socket;
      done(null, socket);
    });
    if (this.#isGivenUp) this.#connecting.fail(new Error('the connection was given up'));
  }
}
