/**
 * `DELETE /mcp`: the client ends its session; everything of it ends with it.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
import type { Inbound } from '../inbound.ts';
import { findSession } from '../sessions.ts';

export function deleteSession(inbound: Inbound): void {
  inbound.context.whenKnown((served) => {
    const fault = inbound.trustFault;
    if (fault !== undefined) {
      inbound.refuse(fault);
      return;
    }
    if (!('error' in served) && !served.legacy) {
      inbound.refuse({ error: 'METHOD_NOT_ALLOWED', headers: ['Allow', 'POST'] });
      return;
    }
    const session = findSession(inbound);
    if ('error' in session) {
      inbound.refuse(session);
      return;
    }
    inbound.exchange.respond(204, inbound.headers, '');
    session.end('client-ended');
  });
}
