/**
 * Whether the peer of a connection of HTTP/2 takes what waits for it, however slowly. Node counts
 * what it hands to the system, all of a large reply at once: behind a slow link whoever takes all
 * the time looks to it like one that takes nothing.
 */
import type { Socket } from 'node:net';

export class H2Progress {
  readonly #socket: Socket;
  #queuedBytes: number;
  #takenBytes: number;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#queuedBytes = queuedBytes(socket);
    this.#takenBytes = takenBytes(socket);
  }

  /** Whether something was taken since the last look, with something waiting then. */
  look(): boolean {
    const before = this.#takenBytes;
    const wasWaiting = this.#queuedBytes > 0;
    this.#queuedBytes = queuedBytes(this.#socket);
    this.#takenBytes = takenBytes(this.#socket);
    return wasWaiting && this.#takenBytes > before;
  }
}

/** What Node keeps below a socket. */
interface Handle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
  readonly _parent?: Handle | null;
}

/** Bytes that the system has not taken yet. */
export function queuedBytes(socket: Socket): number {
  return handleOf(socket)?.writeQueueSize ?? 0;
}

/** Bytes that the system has taken, of all there ever were. */
export function takenBytes(socket: Socket): number {
  const handle = handleOf(socket);
  return (handle?.bytesWritten ?? 0) - (handle?.writeQueueSize ?? 0);
}

/**
 * Below that of TLS, past which the session writes to its socket. Where there is none, no reader
 * counts as slow.
 */
function handleOf(socket: Socket): Handle | null | undefined {
  return (socket as { _handle?: Handle | null })._handle?._parent;
}
