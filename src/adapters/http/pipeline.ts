/**
 * Requests of one connection of HTTP/1 that came before the reply to the one before them was over.
 * What is replied to them is kept until their turn, so only a few are handled before it; the others
 * wait as they came.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.3.2
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionLimits } from './connection-limits.ts';

export class Pipeline {
  readonly #socket: Socket;
  readonly #limits: ConnectionLimits;
  readonly #onOverfull: () => void;
  readonly #waiting: (() => void)[] = [];
  /** Replies whose turn has not come. */
  readonly #behind = new Set<ServerResponse>();
  #last: ServerResponse | undefined;
  /** Requests that were handled, and whose turn to be replied to has not come. */
  #early = 0;
  #isCut = false;

  /** @param onOverfull - called once, when more wait than may: the connection is cut then. */
  constructor(socket: Socket, limits: ConnectionLimits, onOverfull: () => void) {
    this.#socket = socket;
    this.#limits = limits;
    this.#onOverfull = onOverfull;
    // Each request that waits behind another listens for the end of the connection.
    socket.setMaxListeners(0);
    socket.once('close', () => {
      this.#waiting.length = 0;
      this.#behind.clear();
    });
  }

  /**
   * Handles a request at once, or when there is a place for it, the first that came first; at the
   * latest when it is its turn to be replied to. Never, where the connection ends before.
   */
  enter(res: ServerResponse, handle: () => void): void {
    if (this.#isCut) return;
    this.#waiting.push(handle);
    this.#last = res;
    this.#behind.add(res);
    res.once('socket', () => this.#turnCame(res));
    this.#handleEarly();
    if (this.#waiting.length > this.#limits.pipelinedWaitingMax) this.#cut();
  }

  /** Of the requests that came before their turn, the reply to the last. */
  get last(): ServerResponse | undefined {
    return this.#last;
  }

  /** Bytes of replies that are kept until it is their turn. */
  get keptBytes(): number {
    let bytes = 0;
    for (const res of this.#behind) bytes += res.writableLength;
    return bytes;
  }

  /**
   * Whether the last request waits with a body that is not here. It is not read meanwhile, or was
   * not asked for, so it is not slow.
   */
  get isBodyHeld(): boolean {
    const last = this.#last;
    return last?.req.complete === false && (this.#waiting.length > 0 || isUnasked(last));
  }

  /** Of one that was handled; or of one that waits, and is handled now with a place of its own. */
  #turnCame(res: ServerResponse): void {
    this.#behind.delete(res);
    // The end of a connection ends its reply, too, and gives the turn to one that nobody waits for.
    if (this.#socket.destroyed) this.#waiting.length = 0;
    this.#early -= 1;
    this.#handleEarly();
  }

  #handleEarly(): void {
    while (this.#early < this.#limits.pipelinedHandledMax) {
      const handle = this.#waiting.shift();
      if (handle === undefined) return;
      this.#early += 1;
      handle();
    }
  }

  #cut(): void {
    this.#isCut = true;
    this.#waiting.length = 0;
    this.#socket.destroy();
    this.#onOverfull();
  }
}

/**
 * Whether a client that waits to be asked for its body cannot be asked yet: that is told in the
 * turn of its request, like all that is replied to it.
 */
export function isUnasked({ req, socket }: ServerResponse): boolean {
  return socket === null && req.headers.expect !== undefined;
}
