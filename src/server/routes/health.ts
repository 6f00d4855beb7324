/**
 * `/healthz`: this process lives. `/readyz`: it takes work. Open to anybody, and so they say
 * nothing else.
 */
import type { HttpExchange } from '../../core/ports.ts';
import { JSON_HEADERS } from '../connection.ts';
import type { EndpointContext } from '../context.ts';

/** Deaths in a row after which an upstream counts as looping. */
const CRASH_LOOP = 5;

/** @returns whether the path was one of health. */
export function health(
  context: EndpointContext,
  exchange: HttpExchange,
  path: string,
  headers: readonly string[],
): boolean {
  if (path !== '/healthz' && path !== '/readyz') return false;
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
  const reason = whyNotReady(context);
  const body = reason === undefined ? { status: 'ready' } : { status: 'not ready', reason };
  exchange.respond(
    reason === undefined ? 200 : 503,
    [...JSON_HEADERS, ...headers],
    JSON.stringify(body),
  );
  return true;
}

function whyNotReady(context: EndpointContext): string | undefined {
  if (context.isDraining) return 'shutting down';
  if (context.pool.failures >= CRASH_LOOP) return 'the upstream ends again and again';
  const served = context.served();
  if (served === undefined) return 'the upstream has not answered yet';
  return 'error' in served ? 'the upstream cannot be started' : undefined;
}
