/**
 * `GET /sse`: opens a 2024 session, or gives its stream back to a client that lost its connection.
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
import { acceptOf } from '../../core/protocol/media-type.ts';
import { splitSessionCursor } from '../../core/sessions/cursor.ts';
import type { Inbound } from '../inbound.ts';
import { openSession } from '../sessions.ts';

export function openSse(inbound: Inbound): void {
  const { context, exchange } = inbound;
  const { head } = exchange;
  if (!acceptOf(head.header('accept')).eventStream) {
    inbound.refuse({ error: 'STREAM_NOT_ACCEPTABLE' });
    return;
  }
  const lastEventId = head.header('last-event-id');
  if (lastEventId !== undefined && lastEventId !== '') {
    resume(inbound, lastEventId);
    return;
  }
  inbound.whenKnown((served) => {
    if ('error' in served) {
      inbound.refuse(served);
      return;
    }
    if (!served.legacy) {
      inbound.refuse({ error: 'ROUTE_NOT_FOUND' });
      return;
    }
    // The place is taken below, with nothing in between.
    const full = inbound.recordFault ?? context.connections.refusal(inbound.visitor);
    const session = full ?? openSession(inbound, '2024');
    if ('error' in session) {
      inbound.refuseStream(session);
      return;
    }
    const connection = inbound.connection(session, 'session', '2024');
    session.attach(connection, undefined, head.path);
  });
}

/** Never silently fresh: an event id that names no session of this principal is refused. */
function resume(inbound: Inbound, lastEventId: string): void {
  const { context, exchange, principal } = inbound;
  const place = splitSessionCursor(lastEventId);
  const session =
    place === undefined ? undefined : context.directory.find(place.session, principal);
  if (place === undefined || session === undefined || session.era !== '2024') {
    context.telemetry.count('resume_total', { outcome: 'refused' });
    inbound.refuse({ error: 'UNKNOWN_EVENT' });
    return;
  }
  const full =
    inbound.recordFault ??
    (session.isRead(place.cursor) ? undefined : context.connections.refusal(inbound.visitor));
  if (full !== undefined) {
    inbound.refuseStream(full);
    return;
  }
  const connection = inbound.connection(session, 'session', '2024');
  const refusal = session.attach(connection, place.cursor, exchange.head.path);
  if (refusal !== undefined) {
    context.telemetry.count('resume_total', { outcome: 'refused' });
    connection.release();
    inbound.refuse(refusal);
  }
}
