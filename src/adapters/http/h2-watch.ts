/**
 * Whether the peer of a connection of HTTP/2 is still there and understood. TCP does not tell:
 * after a frame that breaks the protocol, the connection is neither read any more nor closed, and
 * what is open on it would stay for good.
 */
import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

export class H2Watch {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #isAnswered = true;

  /** @param everyMs - a ping, which must be answered before the next. */
  constructor(session: ServerHttp2Session, socket: Socket, everyMs: number) {
    this.#session = session;
    this.#socket = socket;
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const session = this.#session;
    // One that was destroyed already waits for a peer that does not take its goodbye.
    if (session.destroyed || !this.#isAnswered) {
      endSession(session, this.#socket);
      return;
    }
    if (session.closed) return;
    this.#isAnswered = false;
    session.ping((error) => {
      this.#isAnswered = error === null;
    });
  }
}

/** Ends a connection without waiting for its peer to take anything, which `destroy` alone does. */
export function endSession(session: ServerHttp2Session, socket: Socket): void {
  session.destroy();
  socket.destroy();
}
