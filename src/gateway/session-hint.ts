/** The session a request says it belongs to, in any era: a hint for routing, verified by nobody. */
import { sessionIdOf } from '../core/protocol/eras/http-sse-2024.ts';
import type { RequestHead } from '../core/ports.ts';
import { splitSessionCursor } from '../core/sessions/cursor.ts';

export function sessionHint(head: RequestHead): string | undefined {
  return (
    head.header('mcp-session-id') ??
    sessionIdOf(head.query) ??
    splitSessionCursor(head.header('last-event-id') ?? '')?.session
  );
}
