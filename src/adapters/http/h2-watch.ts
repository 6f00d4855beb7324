/**
 * Whether the peer of a connection of HTTP/2 is still there and understood. TCP does not tell:
 * after a frame that breaks the protocol, the connection is neither read any more nor closed, and
 * what is open on it would stay for good.
 */
import type { Http2Session, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { H2Progress } from './h2-progress.ts';

export class H2Watch {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  readonly #progress: H2Progress;
  #isAnswered = true;

  /** @param everyMs - a ping, which must be answered before the next, or be on its way. */
  constructor(session: ServerHttp2Session, socket: Socket, everyMs: number) {
    this.#session = session;
    this.#socket = socket;
    this.#progress = new H2Progress(socket);
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const session = this.#session;
    // A slow reader comes to the ping when it has taken what was sent before it.
    const isOnItsWay = this.#progress.look();
    // One that was destroyed already waits for a peer that does not take its goodbye.
    if (session.destroyed || (!this.#isAnswered && !isOnItsWay)) {
      endSession(session, this.#socket);
      return;
    }
    if (session.closed || !this.#isAnswered) return;
    this.#isAnswered = false;
    session.ping((error) => {
      this.#isAnswered = error === null;
    });
  }
}

/** Ends a connection without waiting for its peer to take anything, which `destroy` alone does. */
export function endSession(session: Http2Session, socket: Socket): void {
  session.destroy();
  socket.destroy();
}
