/** The end of trust before its time: a key was removed, a person left, a tenant was suspended. */
import type { EndpointContext } from './context.ts';
import type { IsRevoked } from './revocations.ts';

/**
 * Sessions end first, so that their calls are given up upstream; then whatever waits or streams.
 * Requests that are not so far yet find it when they are.
 */
export function revokeTrust(context: EndpointContext, isRevoked: IsRevoked): void {
  context.revocations.add(isRevoked);
  for (const session of context.directory.all()) {
    if (isRevoked(session.principal)) session.end('unauthorized');
  }
  const { connections } = context;
  for (const connection of [...connections.all(), ...connections.undecided()]) {
    if (isRevoked(connection.principal, connection.grant)) connection.revoke();
  }
}
