/**
 * One HTTP/1.1 connection with a server, and the one request that is on it. It is made when there
 * is something to send, and made again when it was closed before that was sent.
 */
import type { Socket } from 'node:net';
import { Connecting, type Destination } from './connecting.ts';
import { type ReplyEvents, ReplyReader } from './reply-reader.ts';
import type { RequestText } from './request-text.ts';
import type { WriteTurn, Writing } from './write-turn.ts';

/** Bytes of one reply that are read before others have their turn: as many as one read takes. */
const READ_BYTES = 65_536;

/** Whoever has a request on it. */
export interface RequestEvents extends ReplyEvents {
  /** It is about to be written. @param isReused - whether others were before. */
  onBegin(isReused: boolean): void;
  /** The kernel has all of it. */
  onSent(): void;
  /** Instead of the rest of the reply. */
  onFailed(error: Error): void;
}

export interface ConnectionEvents {
  /** It was closed, by whomever; a request that was on it has been told. */
  closed(connection: Connection): void;
}

export class Connection implements Writing {
  readonly #to: Destination;
  readonly #turn: WriteTurn;
  readonly #events: ConnectionEvents;
  readonly #reader = new ReplyReader();
  #connecting: Connecting | undefined;
  #socket: Socket | undefined;
  #uses = 0;
  #user: RequestEvents | undefined;
  /** What the user asks for, until it is written. */
  #request: RequestText | undefined;
  /** Bytes of its reply since others had their turn. */
  #unrestedBytes = 0;
  /** Among those that are kept; -1 while it is in use. */
  place = -1;
  /** The moment after which it is not used again; its owner's. */
  keptUntil = 0;

  constructor(to: Destination, turn: WriteTurn, events: ConnectionEvents) {
    this.#to = to;
    this.#turn = turn;
    this.#events = events;
  }

  /** Whether it stands and has nothing left to write. */
  get isIdle(): boolean {
    const socket = this.#socket;
    return socket !== undefined && !socket.destroyed && socket.writableLength === 0;
  }

  send(request: RequestText, user: RequestEvents): void {
    this.#request = request;
    this.#user = user;
    if (this.#socket === undefined) {
      this.#connect();
      return;
    }
    this.#socket.ref();
    this.#turn.add(this);
  }

  write(): void {
    const request = this.#request;
    const user = this.#user;
    const socket = this.#socket;
    if (request === undefined || user === undefined) return;
    if (socket === undefined || socket.destroyed) {
      this.#connect();
      return;
    }
    this.#request = undefined;
    this.#uses += 1;
    this.#unrestedBytes = 0;
    this.#reader.begin(user);
    user.onBegin(this.#uses > 1);
    request.writeTo(socket);
    if (socket.writableLength === 0) user.onSent();
    else socket.write('', () => user.onSent());
  }

  /** Its user is done with it. It does not keep the process alive. */
  rest(): void {
    this.#user = undefined;
    this.#socket?.unref();
  }

  /** Cuts it, or gives up making it; resolves when there is no socket any more. */
  async destroy(): Promise<void> {
    this.#user = undefined;
    this.#request = undefined;
    this.#reader.stop();
    this.#connecting?.fail(new Error('the connection was given up'));
    const socket = this.#socket;
    if (socket === undefined) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy();
    await closed;
  }

  #connect(): void {
    this.#uses = 0;
    this.#connecting = new Connecting(this.#to, (error, socket) => {
      this.#connecting = undefined;
      if (socket === undefined) this.#fail(error ?? new Error('no connection'));
      else this.#stands(socket);
    });
  }

  #stands(socket: Socket): void {
    let fault: Error | undefined;
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#received(socket, bytes));
    socket.on('end', () => this.#ended(socket));
    socket.on('error', (error) => {
      fault = error;
    });
    socket.on('close', () => this.#closed(socket, fault));
    this.write();
  }

  #received(socket: Socket, bytes: Buffer): void {
    // A server that speaks unasked would have the next request take this for its reply.
    const fault = this.#isAsking ? this.#reader.push(bytes) : 'a reply to no request';
    if (fault !== undefined) this.#cut(socket, fault);
    // What comes behind a whole reply is looked for at once.
    else if (this.#isAsking) this.#restWhenMuch(socket, bytes.length);
  }

  /**
   * The system is read up to 32 times in one turn of the event loop, with two megabytes for
   * everybody else to wait for. Of a server that floods, others have their turn after each read;
   * they are counted together, because TLS cuts what was read into many small ones.
   */
  #restWhenMuch(socket: Socket, bytes: number): void {
    this.#unrestedBytes += bytes;
    if (this.#unrestedBytes < READ_BYTES) return;
    this.#unrestedBytes = 0;
    socket.pause();
    setImmediate(() => socket.resume());
  }

  #ended(socket: Socket): void {
    const fault = this.#isAsking ? this.#reader.end() : 'other side closed';
    if (fault !== undefined) this.#cut(socket, fault);
  }

  /** A request that is not written yet is not harmed: it is written on another socket. */
  #cut(socket: Socket, fault: string): void {
    socket.destroy();
    if (this.#isAsking) this.#fail(new Error(fault));
  }

  #closed(socket: Socket, fault: Error | undefined): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    if (this.#isAsking) this.#fail(fault ?? new Error('other side closed'));
    this.#events.closed(this);
  }

  /** Whether a request was written whose reply is not whole. */
  get #isAsking(): boolean {
    return this.#user !== undefined && this.#request === undefined;
  }

  #fail(error: Error): void {
    const user = this.#user;
    this.#user = undefined;
    this.#request = undefined;
    this.#reader.stop();
    user?.onFailed(error);
  }
}
