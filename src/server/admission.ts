/**
 * The steps every request passes, in this order, whatever its route. A step passes or refuses;
 * nothing of the body is read before the last has passed.
 *
 * Who was verified in this process already is not asked for a Host or a credential again.
 *
 * 1. Host and Origin   2. preflight   3. health   4. identity   5. route   6. method   7. drain
 */
import type { AuditTrail } from '../core/access.ts';
import type { Grant } from '../core/grant.ts';
import type { HttpExchange, Identity, Principal, Randomness, Telemetry } from '../core/ports.ts';
import { encodeRetry } from '../core/protocol/sse-encoder.ts';
import { corsHeaders, preflightHeaders } from '../core/security/cors.ts';
import type { HostOriginGuard } from '../core/security/host-origin.ts';
import { STREAM_HEADERS } from './connection.ts';
import type { EndpointContext } from './context.ts';
import { Inbound, refuseExchange } from './inbound.ts';
import { health, type HealthSource } from './routes/health.ts';
import { ROUTES, type Route } from './routes/table.ts';

const ALLOW_ALL = 'GET, POST, DELETE, OPTIONS';

/** What every request meets before any route: one endpoint's, or a gateway's before any server. */
export interface Door extends HealthSource {
  readonly guard: HostOriginGuard;
  readonly identity: Identity;
  readonly telemetry: Telemetry;
  readonly random: Randomness;
  /** What the server is called in the record. */
  readonly name: string;
  readonly audit?: AuditTrail | undefined;
}

export function admit(context: EndpointContext, exchange: HttpExchange): void {
  enter(context, exchange, (headers, principal, grant) => {
    const inbound = new Inbound(context, exchange, headers, principal, grant);
    // Whoever calls in this process has the endpoint already, and names no server.
    const prefix = exchange.caller === undefined ? context.prefix : '';
    route(inbound, routePath(exchange.head.path, prefix));
  });
}

/** The steps before the route. `then` runs for who may come in; anybody else was answered. */
export function enter(
  door: Door,
  exchange: HttpExchange,
  then: (headers: readonly string[], principal: Principal, grant?: Grant) => void,
): void {
  const { head, caller } = exchange;
  const fault = caller === undefined ? door.guard.check(head) : undefined;
  if (fault !== undefined) {
    refuseExchange(door, exchange, [], fault);
    return;
  }
  const headers = corsHeaders(head.header('origin'), door.guard);
  if (head.method === 'OPTIONS') {
    exchange.respond(204, ['Allow', ALLOW_ALL, ...preflightHeaders(head, door.guard)], '');
    return;
  }
  if (health(door, exchange, routePath(head.path, ''), headers)) return;
  if (caller !== undefined) {
    then(headers, caller);
    return;
  }
  door.identity.verify(head, (outcome) => {
    if (outcome.kind === 'refused') {
      door.telemetry.count('auth_total', { outcome: 'refused' });
      door.audit?.record({
        event: 'unauthenticated',
        address: head.remoteAddress,
        server: door.name,
        refusal: outcome.refusal.error,
      });
      refuseExchange(door, exchange, headers, outcome.refusal);
      return;
    }
    then(headers, outcome.principal, outcome.grant);
  });
}

function route(inbound: Inbound, path: string): void {
  const routes = ROUTES.get(path);
  if (routes === undefined) inbound.refuse({ error: 'ROUTE_NOT_FOUND' });
  else take(inbound, routes);
}

/**
 * The path behind the prefix; empty for a path elsewhere. `/mcp/` is served like `/mcp`: clients
 * follow a redirect badly or not at all.
 */
function routePath(path: string, prefix: string): string {
  if (!path.startsWith(prefix)) return '';
  const end = path.length > 1 && path.endsWith('/') ? -1 : undefined;
  return path.slice(prefix.length, end);
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
