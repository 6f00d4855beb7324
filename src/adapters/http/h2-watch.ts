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
  #queuedBytes = 0;

  /** @param everyMs - a ping, which must be answered before the next, or be on its way. */
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
    const before = this.#queuedBytes;
    this.#queuedBytes = queuedOn(this.#socket);
    // A slow reader comes to the ping when it has taken what was sent before it.
    const isOnItsWay = this.#queuedBytes < before;
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

/** What Node keeps below a socket. */
interface Handle {
  readonly writeQueueSize?: number;
  readonly _parent?: Handle | null;
}

/**
 * Bytes that the system has not taken yet, which only the handle below that of TLS knows: the
 * session writes past its socket. Where there is none, no reader counts as slow.
 */
function queuedOn(socket: Socket): number {
  return (socket as { _handle?: Handle | null })._handle?._parent?.writeQueueSize ?? 0;
}

/** Ends a connection without waiting for its peer to take anything, which `destroy` alone does. */
export function endSession(session: ServerHttp2Session, socket: Socket): void {
  session.destroy();
  socket.destroy();
}
