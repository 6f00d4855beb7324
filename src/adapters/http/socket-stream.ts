/**
 * An event stream straight on its socket, for streams that idle for hours. The body ends with the
 * connection (RFC 9112 section 6.3), so an event is one write and nothing of `node:http` is needed
 * any more: request, response and parser are let go.
 *
 * At 5,000 idle streams on Node 20, with clients in another process, a stream keeps 6.6 to 7.6 KB
 * resident, through its `ServerResponse` 13 to 14, a bare `net.Socket` 4.4. Request and response
 * are 4 KB of that, the parser 3. One event costs 8 us of CPU instead of 11.
 */
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { CloseReason } from '../../core/close-reasons.ts';
import type { StreamSink } from '../../core/ports.ts';
import type { NodeContext } from './node-context.ts';
import { reset } from './reset.ts';
import { takenBytes } from './taken-bytes.ts';

export class SocketStream implements StreamSink {
  readonly #socket: Socket;
  readonly #context: NodeContext;
  #onGone: ((why?: CloseReason) => void) | undefined;
  #isOpen = true;

  constructor(socket: Socket, context: NodeContext, head: string) {
    this.#socket = socket;
    this.#context = context;
    context.detached.add(socket);
    socket.on('close', () => this.#closed());
    socket.write(head);
    context.wroteOn(socket, head.length);
  }

  /**
   * Has `listener` called once if the peer leaves before the end was taken; not after `destroy`.
   */
  onClientGone(listener: (why?: CloseReason) => void): void {
    if (!this.#socket.destroyed) this.#onGone = listener;
    else if (this.#isOpen) queueMicrotask(() => listener(this.#why()));
  }

  write(text: string): void {
    const socket = this.#socket;
    if (!this.#isOpen || socket.destroyed || text === '') return;
    socket.write(socket.writableLength === 0 ? text : this.#context.sharedBytes.of(text));
    this.#context.wroteOn(socket, text.length);
  }

  end(last: string): void {
    if (!this.#isOpen) return;
    this.write(last);
    this.#isOpen = false;
    this.#socket.once('timeout', resetStalled);
    this.armStallTimer();
    this.#socket.destroySoon();
  }

  /** No timer while the stream is open: the application watches its queue. After its end we do. */
  armStallTimer(): void {
    this.#socket.setTimeout(this.#isOpen ? 0 : this.#context.limits.stallMsMax);
  }

  destroy(): void {
    this.#isOpen = false;
    this.#onGone = undefined;
    if (!this.#socket.destroyed) reset(this.#socket);
  }

  queuedBytes(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  takenBytes(): number | undefined {
    return takenBytes(this.#socket);
  }

  #closed(): void {
    const onGone = this.#onGone;
    this.#onGone = undefined;
    this.#context.detached.delete(this.#socket);
    // Node answers a FIN that comes before `detach` with one of its own: the socket is finished
    // then, our stream is not.
    if (this.#isOpen || !this.#socket.writableFinished) onGone?.(this.#why());
  }

  #why(): CloseReason | undefined {
    return this.#context.cuts.get(this.#socket);
  }
}

/**
 * Whether the connection under a response can be taken: `node:http` of HTTP/1 on a socket of Node,
 * the response first in line. Elsewhere (HTTP/2, injected requests, other runtimes) it is false.
 */
export function canTakeSocket(
  req: IncomingMessage,
  res: ServerResponse,
  context: NodeContext,
): boolean {
  const { socket } = res;
  return (
    socket instanceof Socket &&
    !socket.destroyed &&
    !res.headersSent &&
    req.method !== 'HEAD' &&
    req.httpVersionMajor === 1 &&
    !context.pipelines.has(socket) &&
    listenerNamed(socket, 'close', 'bound socketOnClose') !== undefined &&
    listenerNamed(socket, 'data', 'bound socketOnData') !== undefined
  );
}

/** Opens a stream on the socket of a response that `canTakeSocket` found fit. */
export function takeSocket(
  req: IncomingMessage,
  res: ServerResponse,
  context: NodeContext,
  status: number,
  headers: readonly string[],
  first: string,
): SocketStream {
  const socket = res.socket as Socket;
  const stream = new SocketStream(socket, context, headText(res, status, headers) + first);
  // The parser may be at work on this very request further up the call stack.
  setImmediate(detach, req, res, socket, stream);
  return stream;
}

/** The head as text, with what a framework has set on the response before us. */
function headText(res: ServerResponse, status: number, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
  const names = new Set<string>(['connection', 'transfer-encoding', 'content-length', 'date']);
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i] ?? '', headers[i + 1] ?? ''];
    validateHeaderName(name);
    validateHeaderValue(name, value);
    names.add(name.toLowerCase());
    text += `${name}: ${value}\r\n`;
  }
  for (const [name, value] of Object.entries(res.getHeaders())) {
    if (names.has(name) || value === undefined) continue;
    for (const line of Array.isArray(value) ? value : [value]) text += `${name}: ${line}\r\n`;
  }
  return `${text}Date: ${new Date().toUTCString()}\r\nConnection: close\r\n\r\n`;
}

/**
 * Takes the connection away from `node:http` the way it ends one itself: the response is told it
 * finished, so that its pair and the queue of the connection are let go; then the listeners of
 * `node:http` are taken off, and the one for the connection's end is run once, which returns the
 * parser to its pool. They are known by name: those of others stay. What is not found only costs
 * memory.
 */
function detach(
  req: IncomingMessage,
  res: ServerResponse,
  socket: Socket,
  stream: SocketStream,
): void {
  if (socket.destroyed) return;
  req.resume();
  res.emit('finish');
  // Node has armed its keep-alive timer for the next request.
  stream.armStallTimer();
  socket.on('data', cut);
  socket.on('end', cut);
  socket.on('error', ignore);
  const onClose = listenerNamed(socket, 'close', 'bound socketOnClose');
  for (const [event, name] of HTTP_LISTENERS) {
    const listener = listenerNamed(socket, event, name);
    if (listener !== undefined) socket.removeListener(event, listener);
  }
  onClose?.call(socket);
  socket.resume();
}

type Listener = (this: Socket, ...args: unknown[]) => void;

const HTTP_LISTENERS = [
  ['data', 'bound socketOnData'],
  ['end', 'bound socketOnEnd'],
  ['close', 'bound socketOnClose'],
  ['drain', 'bound socketOnDrain'],
  ['timeout', 'socketOnTimeout'],
  ['error', 'socketOnError'],
] as const;

function listenerNamed(socket: Socket, event: string, name: string): Listener | undefined {
  return socket.listeners(event).find((listener) => listener.name === name) as Listener | undefined;
}

/**
 * A client has nothing to send after its request, and nobody is left to read what it is sent after
 * it left.
 */
function cut(this: Socket): void {
  this.destroy();
}

function resetStalled(this: Socket): void {
  reset(this);
}

function ignore(): void {
  // The end of the connection is told by `close`.
}
