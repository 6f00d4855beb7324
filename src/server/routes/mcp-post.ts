/** `POST /mcp`: read once, classified once, and given to its era. */
import type { Refusal } from '../../core/errors.ts';
import { classify, type ServedEras } from '../../core/protocol/classify.ts';
import { checkBatch, checkVersionHeader } from '../../core/protocol/eras/streamable-2025.ts';
import { acceptOf, isJsonContentType } from '../../core/protocol/media-type.ts';
import type { Message } from '../../core/protocol/message.ts';
import { readMessage } from '../../core/protocol/read-message.ts';
import { MODERN_VERSIONS } from '../../core/protocol/versions.ts';
import type { Accepts } from '../../core/sessions/reply.ts';
import type { Inbound } from '../inbound.ts';
import type { SessionHandle } from '../session-handle.ts';
import {
  checkInitialize,
  checkOrder,
  findSession,
  openSession,
  refusalUnknown,
} from '../sessions.ts';
import { runModern } from './modern-post.ts';

export function postMcp(inbound: Inbound): void {
  const { head } = inbound.exchange;
  if (!isJsonContentType(head.header('content-type'))) {
    inbound.refuse({ error: 'UNSUPPORTED_MEDIA_TYPE' });
    return;
  }
  const accepts = acceptOf(head.header('accept'));
  if (!accepts.json && !accepts.eventStream) {
    inbound.refuse({ error: 'NOT_ACCEPTABLE' });
    return;
  }
  inbound.readBody((text) => {
    inbound.whenKnown(
      (served, on) => {
        if ('error' in served) refuseUnread(on, text, served);
        else run(on, text, accepts, served);
      },
      accepts.eventStream ? waitingId(inbound, text) : undefined,
    );
  });
}

/**
 * Of a request that waits until it is known what the server speaks, and may do so as a stream: one
 * that is refused whatever that is needs a status.
 */
function waitingId({ context, exchange }: Inbound, text: string): string | undefined {
  if (context.served() !== undefined) return undefined;
  const served = { legacy: true, modern: true, supported: MODERN_VERSIONS };
  const classified = classify(readMessage(text, context.bounds), exchange.head, served);
  return classified.kind === 'modern-request' ? classified.message.id : undefined;
}

/**
 * Nothing is known of the server, so nothing of the message counts but the id it is answered by.
 */
function refuseUnread(inbound: Inbound, text: string, refusal: Refusal): void {
  const read = readMessage(text, inbound.context.bounds);
  const message = read.kind === 'message' ? read.message : undefined;
  // A session header that is stale is no fault of `initialize`.
  const why = message?.method === 'initialize' ? refusal : refusalUnknown(inbound, refusal);
  inbound.refuse({ ...why, id: message?.id });
}

function run(inbound: Inbound, text: string, accepts: Accepts, served: ServedEras): void {
  const { context, exchange } = inbound;
  const classified = classify(readMessage(text, context.bounds), exchange.head, served);
  switch (classified.kind) {
    case 'refused':
      inbound.refuse(classified.refusal);
      return;
    case 'modern-notification':
      inbound.accept();
      return;
    case 'modern-request':
      modern(inbound, classified.message, () =>
        runModern(inbound, classified.message, classified.envelope, accepts, served),
      );
      return;
    default:
      runLegacy(inbound, classified.entries, classified.isBatch, accepts);
  }
}

/** A listen opens a stream; other requests were counted when they came. */
function modern(inbound: Inbound, { id, method }: Message, run: () => void): void {
  if (method === 'subscriptions/listen') inbound.opening(id, run);
  else run();
}

function runLegacy(
  inbound: Inbound,
  entries: readonly (Message | Refusal)[],
  isBatch: boolean,
  accepts: Accepts,
): void {
  const [first] = entries;
  if (!isBatch && first !== undefined && 'kind' in first && first.method === 'initialize') {
    inbound.opening(first.id, () => initialize(inbound, first, accepts));
    return;
  }
  const session = findSession(inbound);
  if ('error' in session) {
    const id = first !== undefined && 'kind' in first ? first.id : undefined;
    inbound.refuse({ ...session, id: isBatch ? undefined : id });
    return;
  }
  const fault =
    checkVersionHeader(inbound.exchange.head.header('mcp-protocol-version')) ??
    (isBatch ? checkBatch(entries, session.version) : checkOrder(first as Message, session));
  if (fault !== undefined) {
    inbound.refuse(fault);
    return;
  }
  receive(inbound, entries as readonly Message[], isBatch, accepts, session);
}

/** A session header that is stale is no fault of `initialize`: the client asks for a new one. */
function initialize(inbound: Inbound, message: Message, accepts: Accepts): void {
  const { context, exchange, principal } = inbound;
  const known = exchange.head.header('mcp-session-id');
  if (known !== undefined && context.directory.find(known, principal) !== undefined) {
    inbound.refuse({ error: 'ALREADY_INITIALIZED', id: message.id });
    return;
  }
  if (message.kind !== 'request') {
    inbound.refuse({ error: 'INVALID_REQUEST' });
    return;
  }
  if (context.isDraining) {
    inbound.refuse({ error: 'SHUTTING_DOWN', id: message.id });
    return;
  }
  const tooLarge = checkInitialize(message, context);
  if (tooLarge !== undefined) {
    inbound.refuse(tooLarge);
    return;
  }
  const warrants = inbound.warrants('2025', [message]);
  if (warrants !== undefined && 'error' in warrants) {
    inbound.refuse(warrants);
    return;
  }
  const session = openSession(inbound, '2025');
  if ('error' in session) {
    for (const warrant of warrants ?? []) warrant.denied(session);
    inbound.refuse({ ...session, id: message.id });
    return;
  }
  const headers = [...inbound.headers, 'Mcp-Session-Id', session.id];
  const connection = inbound.connection(session, 'reply', '2025', headers);
  session.receive([message], false, inbound.grant, { connection, accepts }, warrants);
}

function receive(
  inbound: Inbound,
  entries: readonly Message[],
  isBatch: boolean,
  accepts: Accepts,
  session: SessionHandle,
): void {
  if (entries.every(({ kind }) => kind !== 'request')) {
    inbound.accept();
    session.receive(entries, isBatch, inbound.grant, undefined);
    return;
  }
  const again = (left: readonly Message[]): void => {
    if (left.length === 0) inbound.accept();
    else runLegacy(inbound, left, isBatch, accepts);
  };
  if (inbound.waitsForTools(entries, () => session.upstream, again, session)) return;
  const warrants = inbound.warrants('2025', entries);
  if (warrants !== undefined && 'error' in warrants) {
    inbound.refuse(warrants);
    return;
  }
  const connection = inbound.connection(session, 'reply', '2025');
  session.receive(entries, isBatch, inbound.grant, { connection, accepts }, warrants);
}
