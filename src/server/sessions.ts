/**
 * How a session is opened and found. A stranger's id and an unknown one are the same to everybody.
 */
import { ERRORS, type Refusal } from '../core/errors.ts';
import type { Message } from '../core/protocol/message.ts';
import { checkNotification } from '../core/protocol/notification.ts';
import type { EndpointContext, Expiring } from './context.ts';
import { hearingOf } from './hearing.ts';
import type { Inbound } from './inbound.ts';
import { LegacySession } from './legacy-session.ts';
import type { SessionHandle } from './session-handle.ts';

/** The session of a 2025 request: by its header and its principal. */
export function findSession(inbound: Inbound): SessionHandle | Refusal {
  const { context, exchange, principal } = inbound;
  const id = exchange.head.header('mcp-session-id');
  if (id === undefined || id === '') return { error: 'SESSION_REQUIRED' };
  if (exchange.head.headerCount('mcp-session-id') > 1) return { error: 'HEADER_REPEATED' };
  const session = context.directory.find(id, principal);
  return session === undefined || session.era !== '2025' ? { error: 'SESSION_NOT_FOUND' } : session;
}

/**
 * What a request is refused with while it is not known what the server speaks: a session that is
 * not there is not there whatever it speaks, and its client should open another at once.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
export function refusalUnknown(inbound: Inbound, unknown: Refusal): Refusal {
  if (ERRORS[unknown.error].httpStatus !== 503) return unknown;
  const session = findSession(inbound);
  return 'error' in session && session.error === 'SESSION_NOT_FOUND' ? session : unknown;
}

export function openSession(inbound: Inbound, era: '2024' | '2025'): LegacySession | Refusal {
  const { context, principal } = inbound;
  if (context.directory.countOf(principal) >= context.limits.sessionsPerPrincipalMax) {
    evictIdle(inbound);
  }
  const { visitor } = inbound;
  const full = context.gate?.take(visitor, 'session');
  if (full !== undefined) return full;
  const giveBack = (): void => context.gate?.giveBack(visitor, 'session');
  const instance = context.pool.legacy(visitor);
  if ('error' in instance) {
    giveBack();
    return instance;
  }
  const expiring: Expiring = { session: undefined };
  const session = new LegacySession({
    id: context.random.sessionId(),
    principal,
    era,
    salt: Math.floor(context.random.fraction() * 0x1_0000_0000) | 0,
    limits: context.limits,
    log: context.log,
    connections: context.connections,
    instance,
    callCounts: context.legacyPending,
    hearing: hearingOf(inbound, era),
    taskOwners: context.pool.taskOwners('legacy', principal),
    endpointForm: context.endpointForm,
    priming: context.priming,
    publicUrl: context.publicUrl,
    decideLater: context.decideLater,
    recorded: context.recorded,
    resumed: (outcome) => context.telemetry.count('resume_total', { outcome }),
    ended: (ended, reason) => {
      context.directory.end(ended.id);
      giveBack();
      expiring.session = undefined;
      const ageMs = Math.round(context.clock.now() - ended.openedAt);
      context.telemetry.log('info', 'session_ended', {
        session: shortOf(ended.id),
        tenant: principal.tenant,
        era,
        reason,
        ageMs,
      });
    },
  });
  if (!context.directory.create(session.id, principal, session)) {
    session.end('session-evicted');
    return { error: 'TOO_MANY_SESSIONS' };
  }
  expiring.session = session;
  context.expireLater(expiring);
  const { tenant } = principal;
  context.telemetry.log('info', 'session_opened', { session: shortOf(session.id), tenant, era });
  return session;
}

/** A session keeps its handshake while it lives: that is bounded more tightly than a body. */
export function checkInitialize(message: Message, context: EndpointContext): Refusal | undefined {
  const isInitialize = message.method === 'initialize';
  const chars = message.payload?.length ?? 0;
  if (!isInitialize || chars <= context.limits.initializeCharsMax) return undefined;
  const detail = 'The params of initialize are larger than this server keeps.';
  return { error: 'INVALID_PARAMS', id: message.id, detail };
}

/**
 * What a session may be sent now: `initialize` once, and first. In 2024 the handshake is made for
 * clients that skip it. What is no request must not be one in disguise.
 */
export function checkOrder(message: Message, session: SessionHandle): Refusal | undefined {
  if (message.kind !== 'request') return checkNotification(message);
  if (message.method === 'initialize') {
    return session.isInitialized ? { error: 'ALREADY_INITIALIZED', id: message.id } : undefined;
  }
  const mayCall = session.isInitialized || session.era === '2024' || message.method === 'ping';
  return mayCall ? undefined : { error: 'NOT_INITIALIZED', id: message.id };
}

/** The session that nobody is connected to for the longest time makes room. */
function evictIdle({ context, principal }: Inbound): void {
  let idlest: LegacySession | undefined;
  for (const session of context.directory.ofPrincipal(principal)) {
    if (session.connectionCount > 0 || session.pendingCount > 0) continue;
    if (idlest === undefined || session.lastSeenAt < idlest.lastSeenAt) idlest = session;
  }
  idlest?.end('session-evicted');
}

/** Enough of an id to tell sessions apart in a log, too little to use. */
function shortOf(id: string): string {
  return id.slice(0, 6);
}
