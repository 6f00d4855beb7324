/**
 * Answers for connections whose bytes `node:http` could not make a request of, or made one of that
 * no application is shown. Always JSON, always the last.
 */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorResponse, type Refusal } from '../../core/errors.ts';
import { writeHead } from './write-head.ts';

/** The status for an error of Node's parser or of its request timers. */
export function statusOfParserError(code: string | undefined): number {
  return STATUSES.get(code ?? '') ?? 400;
}

const STATUSES: ReadonlyMap<string, number> = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['HPE_INVALID_METHOD', 405],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

const DETAILS: Readonly<Record<number, string>> = {
  400: 'This is not a valid HTTP/1.1 request.',
  405: 'This HTTP method is not served here; see the Allow header.',
  408: 'The request took too long to arrive.',
  413: 'The body is larger than this server takes.',
  417: 'Only 100-continue may be expected.',
  431: 'The request headers are larger than this server takes.',
  501: 'No transfer coding but chunked is undone here.',
  505: 'HTTP/1.1 is spoken here; HTTP/2 only where a TLS handshake agreed on it.',
};

/** Writes a refusal and closes. A peer that resets or does not read is cut by `end`'s timeout. */
export function refuseRaw(socket: Duplex, status: number): void {
  const detail = DETAILS[status];
  const body = errorResponse({ error: 'INVALID_REQUEST', detail });
  const allow = status === 405 ? 'Allow: GET, POST, DELETE, OPTIONS\r\n' : '';
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n${allow}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

/** Connections that end with the refusal of a request. */
const refused = new WeakSet<Duplex>();

/**
 * Whether what came behind a refused request is not to be carried out: it can have no reply.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export function isRefused(socket: Duplex): boolean {
  return refused.has(socket);
}

/** Refuses a request that `node:http` read, in its turn, and closes. */
export function refuseRequest(
  res: ServerResponse,
  status: number,
  refusal: Refusal = { error: 'INVALID_REQUEST', detail: DETAILS[status] },
): void {
  const body = errorResponse(refusal);
  const length = String(Buffer.byteLength(body));
  const headers = ['Content-Type', 'application/json', 'Content-Length', length];
  // HTTP/2 has no such header.
  if (res.req.httpVersionMajor === 1) {
    headers.push('Connection', 'close');
    refused.add(res.req.socket);
  }
  writeHead(res, status, headers);
  res.end(body);
}
