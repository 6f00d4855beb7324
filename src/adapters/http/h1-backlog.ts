/**
 * What waits to be taken on one connection of HTTP/1: of the reply whose turn it is, and of those
 * that are kept until theirs. Made when more waits than little, and kept as long as the connection.
 */
import type { Socket } from 'node:net';
import type { Pipeline } from './pipeline.ts';
import { reset } from './reset.ts';
import type { Reader, UnsentBytes } from './unsent-bytes.ts';

export class H1Backlog implements Reader {
  readonly #socket: Socket;
  readonly #pipelines: Pick<WeakMap<Socket, Pipeline>, 'get'>;
  readonly #onCut: () => void;

  /** @param onCut - told when it was cut, because too much waits on all connections together. */
  constructor(
    socket: Socket,
    all: Pick<UnsentBytes, 'delete'>,
    pipelines: Pick<WeakMap<Socket, Pipeline>, 'get'>,
    onCut: () => void,
  ) {
    this.#socket = socket;
    this.#pipelines = pipelines;
    this.#onCut = onCut;
    socket.once('close', () => all.delete(this));
  }

  unsentBytes(): number {
    if (this.#socket.destroyed) return 0;
    return this.#socket.writableLength + (this.#pipelines.get(this.#socket)?.keptBytes ?? 0);
  }

  cut(): void {
    reset(this.#socket);
    this.#onCut();
  }
}
