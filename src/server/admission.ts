/**
 * The steps every request passes, in this order, whatever its route. A step passes or refuses;
 * nothing of the body is read before the last has passed.
 *
 * Who was verified in this process already is not asked for a Host or a credential again.
 *
 * 1. Host and Origin   2. preflight   3. health   4. resource metadata   5. no token in the URL
 * 6. identity   7. route   8. method   9. drain
 */
import type { AuditTrail } from '../core/access.ts';
import { type ErrorCode, ERRORS, type Refusal } from '../core/errors.ts';
import type { Gate } from '../core/gate.ts';
import { type Grant, UNKNOWN_GRANT } from '../core/grant.ts';
import type {
  HttpExchange,
  Identity,
  Principal,
  Randomness,
  RequestHead,
  Telemetry,
} from '../core/ports.ts';
import { corsHeaders, preflightHeaders } from '../core/security/cors.ts';
import type { HostOriginGuard } from '../core/security/host-origin.ts';
import { comeBack, waitMsOf } from './come-back.ts';
import type { EndpointContext } from './context.ts';
import { Inbound, refuseExchange } from './inbound.ts';
import { type Known, recordRefusal } from './record-refusal.ts';
import { health, type HealthSource } from './routes/health.ts';
import { type MetadataSource, resourceMetadata } from './routes/resource-metadata.ts';
import { ROUTES, type Route } from './routes/table.ts';

const ALLOW_ALL = 'GET, POST, DELETE, OPTIONS';

/** What every request meets before any route: one endpoint's, or a gateway's before any server. */
export interface Door extends HealthSource, MetadataSource {
  readonly guard: HostOriginGuard;
  /** Calls back once, and never throws. */
  readonly identity: Identity;
  readonly telemetry: Telemetry;
  readonly random: Randomness;
  /** What the server is called in the record. */
  readonly name: string;
  readonly audit?: AuditTrail | undefined;
  readonly gate?: Gate | undefined;
}

export function admit(context: EndpointContext, exchange: HttpExchange): void {
  const { count } = context.revocations;
  enter(context, exchange, (headers, principal, grant) => {
    const inbound = new Inbound(context, exchange, headers, principal, grant, count);
    const fault = inbound.trustFault ?? context.serves?.(principal);
    if (fault !== undefined) {
      inbound.turnAway(fault);
      return;
    }
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
  const headers = corsHeaders(head, door.guard);
  if (head.method === 'OPTIONS') {
    exchange.respond(204, ['Allow', ALLOW_ALL, ...preflightHeaders(head, door.guard)], '');
    return;
  }
  if (isOpenToAll(door, exchange, headers)) return;
  if (caller !== undefined) {
    then(headers, caller, exchange.grant ?? UNKNOWN_GRANT);
    return;
  }
  const refuse = (refusal: Refusal): void => refuseExchange(door, exchange, headers, refusal);
  const recordStranger = (refusal: ErrorCode, why?: string): void => {
    const address = head.remoteAddress;
    door.audit?.record({ event: 'unauthenticated', address, server: door.name, refusal, why });
  };
  if (holdsToken(head)) {
    recordStranger('CREDENTIAL_IN_URL');
    refuse({ error: 'CREDENTIAL_IN_URL' });
    return;
  }
  const verify = (): void => {
    door.identity.verify(head, (outcome) => {
      if (outcome.kind === 'principal') {
        const { principal, grant } = outcome;
        count(door, exchange, headers, { principal, grant }, () => then(headers, principal, grant));
        return;
      }
      const { why = 'none' } = outcome;
      door.telemetry.count('auth_total', { outcome: 'refused', why });
      recordStranger(outcome.refusal.error, outcome.why);
      refuse(outcome.refusal);
    });
  };
  if (door.gate === undefined) verify();
  else {
    door.gate.arrive(head.remoteAddress, (full) => {
      if (full !== undefined) recordRefusal(door, exchange, full);
      settle(door, exchange, headers, full, verify);
    });
  }
}

/** What is open to everybody is answered here. @returns whether the path was one of it. */
function isOpenToAll(door: Door, exchange: HttpExchange, headers: readonly string[]): boolean {
  const answer =
    health(door, exchange, routePath(exchange.head.path, ''), headers) ??
    resourceMetadata(door, exchange, headers);
  if (answer === 'wrong-method') {
    const allow = ['Allow', 'GET, HEAD'];
    refuseExchange(door, exchange, headers, { error: 'METHOD_NOT_ALLOWED', headers: allow });
  }
  return answer !== undefined;
}

/** A stream that may not be opened yet is given an end and a time, not an error. */
function settle(
  door: Door,
  exchange: HttpExchange,
  headers: readonly string[],
  full: Refusal | undefined,
  next: () => void,
): void {
  if (full === undefined) next();
  else if (isStream(exchange.head) && ERRORS[full.error].retryable)
    comeBack(exchange, headers, waitMsOf(full));
  else refuseExchange(door, exchange, headers, full);
}

function isStream({ method }: RequestHead): boolean {
  return method === 'GET';
}

/** On every verb. */
function count(
  door: Door,
  exchange: HttpExchange,
  headers: readonly string[],
  known: Known,
  then: () => void,
): void {
  const { gate, name: server } = door;
  if (gate === undefined) {
    then();
    return;
  }
  const visitor = { address: exchange.head.remoteAddress, principal: known.principal, server };
  const go = (full: Refusal | undefined, next: () => void): void => {
    if (full !== undefined) recordRefusal(door, exchange, full, known);
    settle(door, exchange, headers, full, next);
  };
  const open = (): void => gate.open(visitor, (full) => go(full, then));
  gate.enter(visitor, (full) => go(full, isStream(exchange.head) ? open : then));
}

/**
 * Whoever sends a token in a URL has told it to logs and histories; it is not read, and saying so
 * is kinder than a 401. @see https://www.rfc-editor.org/rfc/rfc9700#section-4.3.2
 */
function holdsToken({ query }: RequestHead): boolean {
  return query.includes('access_token') && new URLSearchParams(query).has('access_token');
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
  const end = path.endsWith('/') ? -1 : undefined;
  return path.slice(prefix.length, end);
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
    const { connections } = context;
    comeBack(exchange, inbound.headers, connections.retryMs());
    return;
  }
  handler.run(inbound);
}
