/**
 * An event stream through a `ServerResponse`: chunked, so that the connection survives for the next
 * request. For replies, which end soon; streams that idle for hours are `SocketStream`s where that
 * is possible.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { StreamSink } from '../../core/ports.ts';
import type { NodeContext } from './node-context.ts';
import { reset } from './reset.ts';
import { takenBytes } from './taken-bytes.ts';

/** The stream of a reply that somebody else began: not a byte of ours may stand in it. */
export const NOWHERE: StreamSink = {
  write: () => {},
  end: () => {},
  destroy: () => {},
  queuedBytes: () => 0,
};

export class ResponseStream implements StreamSink {
  readonly #res: ServerResponse;
  readonly #context: NodeContext;
  readonly #socket: Socket | null;
  #isOpen = true;
  #isCut = false;

  /** `res` has its head set; `first` leaves together with it. */
  constructor(res: ServerResponse, context: NodeContext, first: string) {
    this.#res = res;
    this.#context = context;
    this.#socket = res.socket;
    res.on('error', ignore);
    if (this.#socket !== null) context.replying.add(this.#socket);
    if (first === '') res.flushHeaders();
    else this.#write(first);
  }

  // Node corks the connection until the next tick: writes of one tick leave in one system call.
  write(text: string): void {
    if (this.#isOpen && !this.#res.destroyed && text !== '') this.#write(text);
  }

  end(last: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#res.destroyed) return;
    if (this.#socket !== null) this.#context.replying.delete(this.#socket);
    if (last === '') this.#res.end();
    else this.#res.end(last);
    this.#context.wroteReply(this.#res, last.length);
    cutWhenStalled(this.#res, this.#context.limits.stallMsMax);
  }

  destroy(): void {
    this.#isOpen = false;
    this.#isCut = true;
    const socket = this.#res.socket;
    if (socket === null || socket.destroyed) this.#res.destroy();
    else reset(socket);
  }

  /** Whether we ended the connection ourselves. */
  get isCut(): boolean {
    return this.#isCut;
  }

  queuedBytes(): number {
    return this.#isCut || this.#res.destroyed ? 0 : this.#res.writableLength;
  }

  /** Of HTTP/1: other streams of HTTP/2 are on the same connection. */
  takenBytes(): number | undefined {
    const { socket } = this.#res;
    const isOwn = socket !== null && this.#res.req.httpVersionMajor === 1;
    return isOwn ? takenBytes(socket) : undefined;
  }

  /** Of a connection that is gone, whoever asked for the reply is told. */
  isBehind(): boolean {
    return this.#res.socket === null && !this.#res.writableFinished;
  }

  #write(text: string): void {
    this.#res.write(text);
    this.#context.wroteReply(this.#res, text.length);
  }
}

/**
 * A reply that is over for us must not wait forever for a reader that takes nothing. Node's socket
 * timeout starts again whenever the kernel takes bytes, and is replaced by the keep-alive timeout
 * after the reply.
 */
export function cutWhenStalled(res: ServerResponse, stallMs: number): void {
  if (res.writableFinished || res.writableLength === 0) return;
  const { socket } = res;
  if (!socket) {
    // Nobody can take what waits behind another reply: its time begins with its turn.
    res.once('socket', () => cutWhenStalled(res, stallMs));
    return;
  }
  const before = socket.timeout ?? 0;
  socket.setTimeout(stallMs);
  res.once('timeout', () => reset(socket));
  // What comes next on the connection may take as long as it likes: before Node begins with it.
  res.prependOnceListener('finish', () => socket.setTimeout(before));
}

function ignore(): void {
  // The end of the connection is told by `close`.
}
