/**
 * `GET /mcp` of the 2025 revisions: the stream that belongs to no request, or the one
 * `Last-Event-ID` names.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server
 */
import { checkVersionHeader } from '../../core/protocol/eras/streamable-2025.ts';
import { acceptOf } from '../../core/protocol/media-type.ts';
import type { Inbound } from '../inbound.ts';
import { findSession, refusalUnknown } from '../sessions.ts';

export function openStandaloneStream(inbound: Inbound): void {
  inbound.whenKnown((served) => {
    if ('error' in served) inbound.refuse(refusalUnknown(inbound, served));
    else if (served.legacy) attach(inbound);
    else inbound.refuse({ error: 'METHOD_NOT_ALLOWED', headers: ['Allow', 'POST'] });
  });
}

function attach(inbound: Inbound): void {
  const { context, exchange } = inbound;
  const { head } = exchange;
  if (!acceptOf(head.header('accept')).eventStream) {
    inbound.refuse({ error: 'STREAM_NOT_ACCEPTABLE' });
    return;
  }
  const session = findSession(inbound);
  if ('error' in session) {
    inbound.refuse(session);
    return;
  }
  const unknown = checkVersionHeader(head.header('mcp-protocol-version'));
  if (unknown !== undefined) {
    inbound.refuse(unknown);
    return;
  }
  const lastEventId = head.header('last-event-id');
  const cursor = lastEventId === '' ? undefined : lastEventId;
  const full =
    inbound.recordFault ??
    (session.isRead(cursor) ? undefined : context.connections.refusal(inbound.visitor));
  if (full !== undefined) {
    inbound.refuseStream(full);
    return;
  }
  const connection = inbound.connection(session, 'standalone', '2025');
  const refusal = session.attach(connection, cursor, head.path);
  if (refusal === undefined) return;
  if (cursor !== undefined) context.telemetry.count('resume_total', { outcome: 'refused' });
  connection.release();
  inbound.refuse(refusal);
}
