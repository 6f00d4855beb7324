/**
 * `/healthz`: this process lives. `/readyz`: it takes work. Open to anybody, and so they say
 * nothing else.
 */
import type { HttpExchange } from '../../core/ports.ts';
import { JSON_HEADERS } from '../connection.ts';

export interface HealthSource {
  /** Why no work is taken; absent where health is somebody else's to tell. */
  readonly whyNotReady?: (() => string | undefined) | undefined;
}

/** @returns whether the path was one of health. */
export function health(
  { whyNotReady }: HealthSource,
  exchange: HttpExchange,
  path: string,
  headers: readonly string[],
): boolean {
  if (whyNotReady === undefined || (path !== '/healthz' && path !== '/readyz')) return false;
  const { method } = exchange.head;
  if (method !== 'GET' && method !== 'HEAD') {
    exchange.respond(
      405,
      [...JSON_HEADERS, ...headers, 'Allow', 'GET, HEAD'],
      '{"status":"refused"}',
    );
    return true;
  }
  if (path === '/healthz') {
    exchange.respond(200, [...JSON_HEADERS, ...headers], '{"status":"ok"}');
    return true;
  }
  const reason = whyNotReady();
  const body = reason === undefined ? { status: 'ready' } : { status: 'not ready', reason };
  exchange.respond(
    reason === undefined ? 200 : 503,
    [...JSON_HEADERS, ...headers],
    JSON.stringify(body),
  );
  return true;
}
