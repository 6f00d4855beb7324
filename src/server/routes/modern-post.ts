/**
 * A 2026 request: no session, everything it needs is in it.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#sending-messages
 */
import { declaresTasks, TASKS_REQUIRED } from '../../core/bridge/tasks/task-words.ts';
import type { Refusal } from '../../core/errors.ts';
import type { ServedEras } from '../../core/protocol/classify.ts';
import { META, type Envelope } from '../../core/protocol/eras/stateless-2026.ts';
import type { Message } from '../../core/protocol/message.ts';
import type { Accepts } from '../../core/sessions/reply.ts';
import { areTooMany, type Filter, hasTasks, readFilter } from '../../core/sessions/subscription.ts';
import { countDown, countUp } from '../context.ts';
import { GuardedEntry } from '../guarded-entry.ts';
import { hearingOf } from '../hearing.ts';
import type { Inbound } from '../inbound.ts';
import { ListenStream } from '../listen-stream.ts';
import { ModernCall, type ModernCallFacts } from '../modern-call.ts';
import type { ModernUpstream } from '../modern-upstream.ts';
import { permittedListen } from '../permitted-listen.ts';
import type { Warrant } from '../warrant.ts';

export function runModern(
  inbound: Inbound,
  message: Message,
  envelope: Envelope,
  accepts: Accepts,
  served: ServedEras,
): void {
  const { context, principal } = inbound;
  const { id } = message;
  const filter = filterOf(message);
  if (context.isDraining) {
    inbound.refuse({ error: 'SHUTTING_DOWN', id });
    return;
  }
  // Before policies are asked about each resource: a body has room for hundreds of thousands.
  if (filter !== undefined && areTooMany(filter.uris, context.limits)) {
    inbound.refuse({ error: 'TOO_MANY_STREAMS', id });
    return;
  }
  const goOn: GoOn = (on, rest) => runModern(on, rest, envelope, accepts, served);
  if (waitsForTools(inbound, message, accepts, goOn)) return;
  const warrants = inbound.warrants('2026', [message]);
  if (warrants !== undefined && 'error' in warrants) {
    const rest = restOf(inbound, message, warrants);
    if (rest === undefined) inbound.refuse(warrants);
    else goOn(inbound, rest);
    return;
  }
  const warrant = warrants?.[0];
  const refuse = (refusal: Refusal, on = inbound): void => {
    warrant?.ended('refused');
    on.refuse(refusal);
  };
  const upstream = context.pool.modern(inbound.visitor, message);
  if ('error' in upstream) {
    warrant?.denied(upstream);
    inbound.refuse({ ...upstream, id });
    return;
  }
  if (upstream.isDown) {
    refuse({ error: 'UPSTREAM_UNAVAILABLE', id });
    return;
  }
  const owners = context.pool.taskOwners('modern', principal);
  const foreign = owners?.refusal(principal, message);
  if (foreign !== undefined) {
    refuse(foreign);
    return;
  }
  if (filter === undefined) {
    const { supported } = served;
    const facts = { upstream, accepts, envelope, supported, owners, principal };
    count(inbound, message, facts, { warrant, refuse });
    return;
  }
  listen(inbound, message, filter, { accepts, upstream }, (end, on) => {
    if (typeof end === 'object') refuse(end, on);
    else warrant?.ended(end);
  });
}

/** Begins again with what is known by now. */
type GoOn = (on: Inbound, rest: Message) => void;

/** What a listen asks for; undefined for other requests. */
function filterOf({ method, value }: Message): Filter | undefined {
  if (method !== 'subscriptions/listen') return undefined;
  const { notifications } = (value ?? {}) as { readonly notifications?: unknown };
  return readFilter(notifications);
}

function waitsForTools(inbound: Inbound, message: Message, accepts: Accepts, goOn: GoOn): boolean {
  const { pool } = inbound.context;
  return inbound.waitsForTools(
    [message],
    () => pool.modern(inbound.visitor, message),
    (_, on) => goOn(on, message),
    undefined,
    accepts.eventStream ? message.id : undefined,
  );
}

/** What is left of a request of which a part is refused, where that part can be left out. */
function restOf(inbound: Inbound, message: Message, { error }: Refusal): Message | undefined {
  const isShared =
    message.method === 'subscriptions/listen' && inbound.exchange.caller !== undefined;
  if (error !== 'FORBIDDEN' || !isShared) return undefined;
  return permittedListen(message, (one) => inbound.allows('2026', one));
}

type CallFacts = Omit<ModernCallFacts, 'recorded' | 'ended' | 'refuse' | 'decideLater'>;

/** What allowed a request, and how it is refused all the same. */
interface Permit {
  readonly warrant: Warrant | undefined;
  readonly refuse: (refusal: Refusal) => void;
}

/** Counts a request, sends it, and counts it down when it is over. */
function count(
  inbound: Inbound,
  message: Message,
  facts: CallFacts,
  { warrant, refuse }: Permit,
): void {
  const { context, exchange } = inbound;
  const { recorded, decideLater } = context;
  const { upstream, accepts, envelope, supported, owners, principal } = facts;
  if (!countUp(context.modernPending, principal, context.limits.pendingPerOwnerMax)) {
    refuse({ error: 'TOO_MANY_REQUESTS', id: message.id });
    return;
  }
  const ended = (): void => countDown(context.modernPending, principal);
  // One literal: to copy the members of `facts` took a sixth of the time of a whole call.
  const call = new ModernCall(
    {
      upstream,
      accepts,
      envelope,
      supported,
      owners,
      principal,
      recorded,
      ended,
      refuse,
      decideLater,
    },
    warrant,
  );
  call.begin(inbound.connection(call, 'reply', '2026'), message.id ?? 'null');
  if (inbound.isBegun) call.decide();
  if (message.method === 'tools/call' && upstream.isChosenLater === true) {
    call.sendTo(message, new GuardedEntry(inbound, message, call));
    if (call.isAtDoor) context.decideLast(call.undecided());
    return;
  }
  // A server in this process checks the headers once it has decided: to be told what is wrong with
  // them is to be told that there is such a tool.
  if (message.method !== 'tools/call' || context.passesOrigin) {
    call.send(message);
    return;
  }
  upstream.whenReady(() => {
    if (!call.isAwaited) return;
    const fault = inbound.trustFault ?? upstream.checkParams(message, exchange.head);
    if (fault === undefined) call.send(message);
    else call.turnAway(fault);
  });
  if (call.isAtDoor) context.decideLast(call.undecided());
}

/** Why a listen is refused; or that it began, or that nobody waits for it any more. */
type ListenEnd = Refusal | 'ok' | 'cancelled';

function listen(
  inbound: Inbound,
  message: Message,
  filter: Filter,
  { accepts, upstream }: Pick<CallFacts, 'accepts' | 'upstream'>,
  settle: (end: ListenEnd, on: Inbound) => void,
): void {
  const id = message.id ?? 'null';
  if (!accepts.eventStream) {
    settle({ error: 'STREAM_NOT_ACCEPTABLE', id }, inbound);
    return;
  }
  const { notifications } = message.value as { notifications?: unknown };
  if (typeof notifications !== 'object' || notifications === null) {
    const detail = 'params.notifications is required.';
    settle({ error: 'INVALID_PARAMS', id, detail }, inbound);
    return;
  }
  if (!hasTasks(filter)) {
    settle(openListen(inbound, message, filter, upstream), inbound);
    return;
  }
  const over = inbound.wait(id);
  upstream.whenReady(() => {
    const on = over();
    if (on === undefined) settle('cancelled', inbound);
    else settle(listenToTasks(on, message, filter, upstream), on);
  });
}

/** Once it is known what the server says of tasks. */
function listenToTasks(
  inbound: Inbound,
  message: Message,
  filter: Filter,
  upstream: ModernUpstream,
): ListenEnd {
  const { id } = message;
  const { _meta: meta } = message.value as { readonly _meta: Readonly<Record<string, unknown>> };
  // At the end of a shutdown the server is closed before it was ready, and acknowledges nothing.
  const isOver = inbound.context.isDraining;
  const fault = isOver ? ({ error: 'SHUTTING_DOWN' } as const) : inbound.trustFault;
  if (fault !== undefined) return { ...fault, id };
  if (!upstream.tellsOfTasks) {
    return openListen(inbound, message, { ...filter, taskIds: undefined }, upstream);
  }
  if (!declaresTasks(meta[META.clientCapabilities])) {
    const data = JSON.stringify({ requiredCapabilities: TASKS_REQUIRED });
    return { error: 'MISSING_CAPABILITY', id, data };
  }
  return openListen(inbound, message, ownFilter(inbound, filter), upstream);
}

/** Without the tasks of others, as if there were none of such ids. */
function ownFilter({ context, principal }: Inbound, filter: Filter): Filter {
  const owners = context.pool.taskOwners('modern', principal);
  const { taskIds } = filter;
  if (owners === undefined || taskIds === undefined) return filter;
  return { ...filter, taskIds: owners.ownOf(principal, taskIds) };
}

function openListen(
  inbound: Inbound,
  message: Message,
  filter: Filter,
  upstream: ModernUpstream,
): ListenEnd {
  const { context, principal } = inbound;
  const { id } = message;
  const { listensPerPrincipalMax } = context.limits;
  const hasRoom = context.connections.refusal(inbound.visitor) === undefined;
  if (!hasRoom || !countUp(context.modernListens, principal, listensPerPrincipalMax)) {
    return { error: 'TOO_MANY_STREAMS', id };
  }
  const stream = new ListenStream(message, upstream, hearingOf(inbound, '2026'), () => {
    context.listens.delete(stream);
    countDown(context.modernListens, principal);
  });
  context.listens.add(stream);
  stream.open(inbound.connection(stream, 'listen', '2026'), filter);
  if (inbound.isBegun) stream.decide();
  if (stream.isUndecided) context.decideLater(stream.undecided());
  return 'ok';
}
