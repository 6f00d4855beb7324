/**
 * The steps every request passes, in this order, whatever its route. A step passes or refuses;
 * nothing of the body is read before the last has passed.
 *
 * Who was verified in this process already is not asked for a Host or a credential again.
 *
 * 1. Host and Origin   2. preflight   3. health   4. identity   5. route   6. method   7. drain
 */
import type { HttpExchange } from '../core/ports.ts';
import { encodeRetry } from '../core/protocol/sse-encoder.ts';
import { corsHeaders, preflightHeaders } from '../core/security/cors.ts';
import { STREAM_HEADERS } from './connection.ts';
import type { EndpointContext } from './context.ts';
import { Inbound, refuseExchange } from './inbound.ts';
import { health } from './routes/health.ts';
import { ROUTES, type Route } from './routes/table.ts';

const ALLOW_ALL = 'GET, POST, DELETE, OPTIONS';

export function admit(context: EndpointContext, exchange: HttpExchange): void {
  const { head, caller } = exchange;
  const fault = caller === undefined ? context.guard.check(head) : undefined;
  if (fault !== undefined) {
    refuseExchange(context, exchange, [], fault);
    return;
  }
  const headers = corsHeaders(head.header('origin'), context.guard);
  if (head.method === 'OPTIONS') {
    exchange.respond(204, ['Allow', ALLOW_ALL, ...preflightHeaders(head, context.guard)], '');
    return;
  }
  const path = routePath(head.path);
  if (health(context, exchange, path, headers)) return;
  if (caller !== undefined) {
    route(new Inbound(context, exchange, headers, caller), path);
    return;
  }
  context.identity.verify(head, (outcome) => {
    if (outcome.kind === 'refused') {
      context.telemetry.count('auth_total', { outcome: 'refused' });
      refuseExchange(context, exchange, headers, outcome.refusal);
      return;
    }
    route(new Inbound(context, exchange, headers, outcome.principal), path);
  });
}

function route(inbound: Inbound, path: string): void {
  const routes = ROUTES.get(path);
  if (routes === undefined) inbound.refuse({ error: 'ROUTE_NOT_FOUND' });
  else take(inbound, routes);
}

/** `/mcp/` is served like `/mcp`: clients follow a redirect badly or not at all. */
function routePath(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * A stream that is opened while we shut down. A 503 would be final for a browser's EventSource, so
 * it is given an empty stream and the time to wait before it tries again, here or wherever the load
 * balancer sends it.
 */
function comeBackLater({ context, exchange, headers }: Inbound): void {
  const retry = encodeRetry(context.connections.retryMs());
  exchange.openStream(200, STREAM_HEADERS.concat(headers), retry, false).end('');
}

function take(inbound: Inbound, routes: ReadonlyMap<string, Route>): void {
  const { context, exchange } = inbound;
  const handler = routes.get(exchange.head.method);
  if (handler === undefined) {
    const allow = [...routes.keys()].join(', ');
    inbound.refuse({ error: 'METHOD_NOT_ALLOWED', headers: ['Allow', allow] });
    return;
  }
  if (context.isDraining && handler.isNewWork) {
    comeBackLater(inbound);
    return;
  }
  handler.run(inbound);
}
