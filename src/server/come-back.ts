import type { Refusal } from '../core/errors.ts';
import type { HttpExchange } from '../core/ports.ts';
import { encodeRetry } from '../core/protocol/sse-encoder.ts';
import { STREAM_HEADERS } from './connection.ts';

/** Milliseconds that whoever is refused a stream waits, when nobody says how long. */
const RETRY_MS = 5000;

/**
 * A stream that cannot be had now. A 429 or 503 would be final for a browser's EventSource, and one
 * of two attempts for others: it is given an empty stream and the time to wait before it tries
 * again, here or wherever the load balancer sends it.
 */
export function comeBack(
  exchange: HttpExchange,
  headers: readonly string[],
  retryMs: number,
): void {
  exchange.openStream(200, STREAM_HEADERS.concat(headers), encodeRetry(retryMs), false).end('');
}

/** How long a refusal asks to wait, in milliseconds. */
export function waitMsOf({ headers = [] }: Refusal): number {
  const at = headers.indexOf('Retry-After');
  return at === -1 ? RETRY_MS : Number(headers[at + 1]) * 1000;
}
