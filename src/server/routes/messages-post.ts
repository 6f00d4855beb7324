/**
 * `POST /messages?sessionId=…`: a message of a 2024 client. Accepted with 202; the answer travels
 * on its stream.
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
import type { Refusal } from '../../core/errors.ts';
import { sessionIdOf } from '../../core/protocol/eras/http-sse-2024.ts';
import { checkBatch } from '../../core/protocol/eras/streamable-2025.ts';
import { isJsonContentType } from '../../core/protocol/media-type.ts';
import type { Message } from '../../core/protocol/message.ts';
import { readMessage } from '../../core/protocol/read-message.ts';
import type { Inbound } from '../inbound.ts';
import type { SessionHandle } from '../session-handle.ts';
import { checkInitialize, checkOrder } from '../sessions.ts';

export function postMessage(inbound: Inbound): void {
  const { context, exchange, principal } = inbound;
  const { head } = exchange;
  const id = sessionIdOf(head.query);
  if (id === undefined || id === '') {
    inbound.refuse({ error: 'SESSION_ID_MISSING' });
    return;
  }
  const session = context.directory.find(id, principal);
  if (session === undefined || session.era !== '2024') {
    inbound.refuse({ error: 'SESSION_NOT_FOUND' });
    return;
  }
  if (!isJsonContentType(head.header('content-type'))) {
    inbound.refuse({ error: 'UNSUPPORTED_MEDIA_TYPE' });
    return;
  }
  inbound.readBody((text) => {
    const entries = isThere(inbound, session) ? readEntries(inbound, text, session) : GONE;
    if ('error' in entries) inbound.refuse(entries);
    else run(inbound, entries, session);
  });
}

const GONE: Refusal = { error: 'SESSION_NOT_FOUND' };

/** It may have ended during a wait: nobody is there any more to be answered. */
function isThere({ context, principal }: Inbound, session: SessionHandle): boolean {
  return context.directory.find(session.id, principal) === session;
}

function run(inbound: Inbound, entries: readonly Message[], session: SessionHandle): void {
  const again = (left: readonly Message[]): void => {
    if (!isThere(inbound, session)) inbound.refuse(GONE);
    else if (left.length === 0) inbound.accept();
    else run(inbound, left, session);
  };
  if (inbound.waitsForTools(entries, () => session.upstream, again, session)) return;
  const warrants = inbound.warrants('2024', entries);
  if (warrants !== undefined && 'error' in warrants) {
    inbound.refuse(warrants);
    return;
  }
  inbound.accept();
  session.receive(entries, entries.length > 1, inbound.grant, undefined, warrants);
}

function readEntries(
  inbound: Inbound,
  text: string,
  session: SessionHandle,
): readonly Message[] | Refusal {
  const read = readMessage(text, inbound.context.bounds);
  if (read.kind === 'refused') return read.refusal;
  if (read.kind === 'message') {
    const { message } = read;
    const fault = checkOrder(message, session) ?? checkInitialize(message, inbound.context);
    return fault ?? [message];
  }
  return checkBatch(read.entries, session.version) ?? (read.entries as readonly Message[]);
}
