/**
 * Collects a request body from `node:http`, bounded while it streams. What is refused is not read
 * on: the exchange that answers decides what becomes of the rest.
 */
import type { IncomingMessage } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { ErrorCode } from '../../core/errors.ts';
import type { BodyOutcome } from '../../core/ports.ts';
import { type BodyBounds, collectBody, decodeBody } from './collect-body.ts';

/**
 * Whether a body comes: by the head in HTTP/1.1, by whether the head ended the stream in HTTP/2.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6.3
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-8.1
 */
export function hasBody(req: IncomingMessage): boolean {
  const { headers } = req;
  if (req.httpVersionMajor > 1) {
    const { stream } = req as { stream?: Partial<ServerHttp2Stream> };
    return stream?.endAfterHeaders !== true;
  }
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && Number(length) !== 0;
}

/**
 * Calls `done` once. A body that a framework has read before us is taken from `req.body`: text and
 * bytes as they are, an object by writing it as JSON again, which keeps values but not the spelling
 * of numbers beyond 2^53 nor repeated keys. Mount the handler before a body parser where that
 * matters. One that was put elsewhere is refused: its client sent it, and is not told otherwise.
 */
export function readNodeBody(
  req: IncomingMessage,
  bounds: BodyBounds,
  done: (outcome: BodyOutcome) => void,
): void {
  const { bytesMax } = bounds;
  if (req.readableEnded) return done(readBefore(req, bytesMax));
  if (req.destroyed) return done({ kind: 'aborted' });
  if (req.headers['content-encoding'] !== undefined) return done(refused('UNSUPPORTED_MEDIA_TYPE'));
  if (!hasBody(req)) return done({ kind: 'body', text: '' });
  // Not a number (chunked) compares false, and is counted as it comes.
  if (Number(req.headers['content-length']) > bytesMax) return done(refused('BODY_TOO_LARGE'));
  collectBody(req, bounds, done);
}

function readBefore(req: IncomingMessage, bytesMax: number): BodyOutcome {
  const { body } = req as { body?: unknown };
  if (body === undefined && hasBody(req)) return refused('BODY_READ_BEFORE');
  return readParsed(body, bytesMax);
}

function readParsed(body: unknown, bytesMax: number): BodyOutcome {
  if (body === undefined || body === null) return { kind: 'body', text: '' };
  if (Buffer.isBuffer(body)) {
    return body.length > bytesMax ? refused('BODY_TOO_LARGE') : decodeBody(body);
  }
  const text = typeof body === 'string' ? body : stringify(body);
  if (text === undefined) return refused('JSON_TOO_COMPLEX');
  if (Buffer.byteLength(text) > bytesMax) return refused('BODY_TOO_LARGE');
  return { kind: 'body', text };
}

/** Undefined when the value cannot be written: V8 parses deeper nesting than it can serialise. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function refused(error: ErrorCode): BodyOutcome {
  return { kind: 'refused', refusal: { error } };
}
