/**
 * Whether the peer of a connection of HTTP/2 takes what waits for it, however slowly. Node counts
 * what it hands to the system, all of a large reply at once: behind a slow link whoever takes all
 * the time looks to it like one that takes nothing.
 */
import type { Socket } from 'node:net';
import { queuedBytes, takenBytes } from './taken-bytes.ts';

export class H2Progress {
  readonly #socket: Socket;
  #queuedBytes: number;
  #takenBytes: number;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#queuedBytes = queuedBytes(socket);
    this.#takenBytes = takenBytes(socket) ?? 0;
  }

  /** Whether something was taken since the last look, with something waiting then. */
  look(): boolean {
    const before = this.#takenBytes;
    const wasWaiting = this.#queuedBytes > 0;
    this.#queuedBytes = queuedBytes(this.#socket);
    this.#takenBytes = takenBytes(this.#socket) ?? 0;
    return wasWaiting && this.#takenBytes > before;
  }
}
