/** The end of trust before its time: a key was removed, a person left, a tenant was suspended. */
import type { Grant } from '../core/grant.ts';
import type { Principal } from '../core/ports.ts';
import type { EndpointContext } from './context.ts';

/**
 * Sessions end first, so that their calls are given up upstream; then whatever waits or streams.
 * @param isRevoked - asked with a grant for a connection, and without one for a session.
 */
export function revokeTrust(
  context: EndpointContext,
  isRevoked: (principal: Principal, grant?: Grant) => boolean,
): void {
  for (const session of context.directory.all()) {
    if (isRevoked(session.principal)) session.end('unauthorized');
  }
  const { connections } = context;
  for (const connection of [...connections.all(), ...connections.undecided()]) {
    if (isRevoked(connection.principal, connection.grant)) connection.revoke();
  }
}
