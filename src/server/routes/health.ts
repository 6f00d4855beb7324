/**
 * `/healthz`: this process lives. `/readyz`: it takes work. Open to anybody, and so they say
 * nothing else.
 */
import type { HttpExchange } from '../../core/ports.ts';
import { JSON_HEADERS } from '../connection.ts';
import type { OpenAnswer } from './open-answer.ts';

export interface HealthSource {
  /** Why no work is taken; absent where health is somebody else's to tell. */
  readonly whyNotReady?: (() => string | undefined) | undefined;
}

/** @returns undefined where the path is none of health. */
export function health(
  { whyNotReady }: HealthSource,
  exchange: HttpExchange,
  path: string,
  headers: readonly string[],
): OpenAnswer | undefined {
  if (whyNotReady === undefined || (path !== '/healthz' && path !== '/readyz')) return undefined;
  const { method } = exchange.head;
  if (method !== 'GET' && method !== 'HEAD') return 'wrong-method';
  if (path === '/healthz') {
    exchange.respond(200, [...JSON_HEADERS, ...headers], '{"status":"ok"}');
    return 'answered';
  }
  const reason = whyNotReady();
  const body = reason === undefined ? { status: 'ready' } : { status: 'not ready', reason };
  exchange.respond(
    reason === undefined ? 200 : 503,
    [...JSON_HEADERS, ...headers],
    JSON.stringify(body),
  );
  return 'answered';
}
