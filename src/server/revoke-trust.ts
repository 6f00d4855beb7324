/** The end of trust before its time: a key was removed, a person left, a tenant was suspended. */
import type { Grant } from '../core/grant.ts';
import type { EndpointContext } from './context.ts';
import type { IsRevoked } from './revocations.ts';

/**
 * Sessions end first, then whatever waits or streams; at last the calls of sessions that stay, so
 * that their end is kept for readers that come back with another credential.
 */
export function revokeTrust(context: EndpointContext, isRevoked: IsRevoked): void {
  for (const session of context.directory.all()) {
    if (isRevoked(session.principal)) session.end('unauthorized');
  }
  verifyAgain(context, isRevoked);
  for (const session of context.directory.all()) {
    session.revoke((grant) => isRevoked(session.principal, grant));
  }
}

/**
 * Ends whatever waits or streams, so that its client comes back and is verified afresh; calls of
 * sessions go on meanwhile. Requests that are not so far yet find it when they are.
 */
export function verifyAgain(context: EndpointContext, isMeant: IsRevoked): void {
  const { connections, revocations } = context;
  revocations.add(isMeant);
  for (const connection of [...connections.all(), ...connections.undecided()]) {
    if (isMeant(connection.principal, connection.grant)) connection.revoke();
  }
}

/**
 * Ends what was opened with credentials that are to be verified afresh before anything goes on:
 * streams as if their credentials ended now, so that their clients come back, and calls in flight.
 * Sessions stay, which are the person's.
 */
export function expireTrust(context: EndpointContext, isMeant: IsRevoked): void {
  const { connections, directory, revocations } = context;
  revocations.add(isMeant);
  for (const connection of connections.undecided()) {
    if (isMeant(connection.principal, connection.grant)) connection.revoke();
  }
  for (const connection of connections.all()) {
    if (isMeant(connection.principal, connection.grant)) connection.expire();
  }
  for (const session of directory.all()) {
    session.revoke((grant) => isMeant(session.principal, grant));
  }
}

/** Shows the grant of whatever waits or streams. It ends nothing, now or later. */
export function eachOpenGrant(context: EndpointContext, see: (grant: Grant) => void): void {
  const { connections, directory } = context;
  for (const { grant } of connections.all()) see(grant);
  for (const { grant } of connections.undecided()) see(grant);
  for (const session of directory.all()) {
    session.revoke((grant) => {
      see(grant);
      return false;
    });
  }
}
