/** One request and its reply on `node:http`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CloseReason } from '../../core/close-reasons.ts';
import type { BodyOutcome, HttpExchange, RequestHead, StreamSink } from '../../core/ports.ts';
import { answerAndDiscard } from './discard.ts';
import { hasBody, readNodeBody } from './node-body.ts';
import type { NodeContext } from './node-context.ts';
import { NodeHead } from './node-head.ts';
import { isUnasked } from './pipeline.ts';
import { cutWhenStalled, NOWHERE, ResponseStream } from './response-stream.ts';
import { canTakeSocket, takeSocket } from './socket-stream.ts';
import type { SocketStream } from './socket-stream.ts';
import { writeHead } from './write-head.ts';

/**
 * Unread bodies up to this many bytes are read and dropped by Node, and the connection lives on.
 */
const CHEAP_BODY_BYTES = 65_536;

/**
 * A GET whose stream is over at once was turned away, though its status does not say so: a browser
 * takes any other for final.
 */
export const TURNED_AWAY = 429;

interface Pair {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

export class NodeExchange implements HttpExchange {
  readonly head: RequestHead;
  readonly #context: NodeContext;
  /** Let go when a long stream begins: what need not live for hours must not. */
  #pair: Pair | undefined;
  #isContinueDue: boolean;
  #isAnswered = false;
  /** Whether its body came too slowly to be read to the end. */
  #isSlow = false;
  #isComplete = false;
  /** Whether somebody else began the reply, such as a host's middleware whose time was over. */
  #isOthers = false;
  #onGone: ((why?: CloseReason) => void) | undefined;
  #longStream: SocketStream | undefined;
  #replyStream: ResponseStream | undefined;

  /** @param isContinueDue - the client waits for `100 Continue` before it sends its body. */
  constructor(pair: Pair, context: NodeContext, isContinueDue: boolean) {
    this.head = new NodeHead(pair.req, context);
    this.#context = context;
    this.#pair = pair;
    this.#isContinueDue = isContinueDue;
  }

  readBody(bytesMax: number, done: (outcome: BodyOutcome) => void): void {
    if (this.#isAnswered || this.#pair === undefined) {
      throw new Error('The body was asked for after the reply began.');
    }
    const { req, res } = this.#pair;
    if (this.#isContinueDue && !(Number(req.headers['content-length']) > bytesMax)) {
      this.#isContinueDue = false;
      res.writeContinue();
    }
    const { limits, pipelines } = this.#context;
    // How long all of it may take, `node:http` sees to, where it was read from the beginning.
    const msMax = pipelines.has(req.socket) ? limits.requestMsMax : Infinity;
    const isAsked = isUnasked(res) ? () => !isUnasked(res) : undefined;
    readNodeBody(req, { bytesMax, limits, msMax, isAsked }, (outcome) => {
      this.#isSlow = outcome.kind === 'refused' && outcome.refusal.error === 'BODY_TOO_SLOW';
      done(outcome);
    });
  }

  respond(status: number, headers: readonly string[], body: string): void {
    const { req, res } = this.#begin(status);
    if (res.destroyed || res.headersSent) return;
    const flat = replyHeaders(status, headers, body);
    const content = hasContent(req, status) ? body : '';
    if (this.#isBodyLeft(req)) {
      closeAfter(req, flat);
      return answerAndDiscard(req, res, this.#context, () => {
        writeHead(res, status, flat);
        if (content === '') res.flushHeaders();
        else res.write(content);
      });
    }
    if (this.#context.isClosing) closeAfter(req, flat);
    writeHead(res, status, flat);
    res.end(content);
    this.#context.wroteReply(res, content.length);
    cutWhenStalled(res, this.#context.limits.stallMsMax);
  }

  openStream(
    status: number,
    headers: readonly string[],
    first: string,
    isLong: boolean,
  ): StreamSink {
    const isTurnedAway = !isLong && this.head.method === 'GET';
    const { req, res } = this.#begin(isTurnedAway ? TURNED_AWAY : status);
    if (res.headersSent) {
      this.#isOthers = true;
      queueMicrotask(() => this.#closed());
      return NOWHERE;
    }
    const isBodyLeft = this.#isBodyLeft(req);
    if (isLong && !isBodyLeft && canTakeSocket(req, res, this.#context)) {
      const stream = takeSocket(req, res, this.#context, status, headers, first);
      if (this.#onGone !== undefined) stream.onClientGone(this.#onGone);
      this.#onGone = undefined;
      this.#pair = undefined;
      this.#longStream = stream;
      return stream;
    }
    const flat = [...headers];
    if (isLong || isBodyLeft || this.#context.isClosing) closeAfter(req, flat);
    if (isLong && req.httpVersionMajor === 1) this.#context.occupied.add(req.socket);
    if (isBodyLeft) {
      this.#context.answered.add(res);
      req.resume();
    }
    if (!res.destroyed) writeHead(res, status, flat);
    this.#replyStream = new ResponseStream(res, this.#context, first);
    return this.#replyStream;
  }

  onClientGone(listener: (why?: CloseReason) => void): void {
    if (this.#longStream !== undefined) return this.#longStream.onClientGone(listener);
    const before = this.#onGone;
    this.#onGone = before === undefined ? listener : (why) => (before(why), listener(why));
    if (this.#pair === undefined) return;
    const { req, res } = this.#pair;
    // `close` comes after a whole reply too, and may have come already.
    if (this.#isOthers || res.destroyed || (res.socket === null && req.socket.destroyed))
      queueMicrotask(() => this.#closed());
    else if (before === undefined) this.#watch(this.#pair);
  }

  #watch({ req, res }: Pair): void {
    const { socket } = req;
    // A response also "finishes" when its connection is destroyed and its writes are called off.
    res.prependOnceListener('finish', () => {
      this.#isComplete = !socket.destroyed;
    });
    res.once('close', () => this.#closed());
    if (res.socket !== null) return;
    // A response that waits behind others is not told when the connection ends before its turn.
    const onClose = (): void => this.#closed();
    socket.once('close', onClose);
    res.once('close', () => socket.removeListener('close', onClose));
  }

  #closed(): void {
    const onGone = this.#onGone;
    this.#onGone = undefined;
    // Whoever was answered in our place waits for nothing of ours.
    const isServed = this.#isComplete && this.#isAnswered && !this.#isOthers;
    if (isServed || this.#replyStream?.isCut === true) return;
    const socket = this.#pair?.req.socket;
    onGone?.(socket === undefined ? undefined : this.#context.cuts.get(socket));
  }

  #begin(status: number): Pair {
    if (this.#isAnswered || this.#pair === undefined) {
      throw new Error('The exchange was answered twice.');
    }
    this.#isAnswered = true;
    this.#context.line.answered(this.#pair.req.socket, status);
    return this.#pair;
  }

  /** Whether so much of the body may still come that the connection is not worth waiting for it. */
  #isBodyLeft(req: IncomingMessage): boolean {
    if (req.complete || !hasBody(req)) return false;
    // However little is left of it, it is not waited for.
    if (this.#isSlow) return true;
    return this.#isContinueDue || !(Number(req.headers['content-length']) <= CHEAP_BODY_BYTES);
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-8.6 */
function replyHeaders(status: number, headers: readonly string[], body: string): string[] {
  const flat = [...headers];
  if (!isBodiless(status)) flat.push('Content-Length', String(Buffer.byteLength(body)));
  return flat;
}

function hasContent(req: IncomingMessage, status: number): boolean {
  return req.method !== 'HEAD' && !isBodiless(status);
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

/** HTTP/2 has no such header. @see https://www.rfc-editor.org/rfc/rfc9113#section-8.2.2 */
function closeAfter(req: IncomingMessage, flat: string[]): void {
  if (req.httpVersionMajor === 1) flat.push('Connection', 'close');
}
