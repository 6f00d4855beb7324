import type { Grant } from '../core/grant.ts';
import type { Principal } from '../core/ports.ts';

/**
 * Ids of the credentials that have a stream open or a call waiting.
 * @param look - asks of everything that is open whether it is to end.
 */
export function openCredentials(
  look: (isRevoked: (principal: Principal, grant?: Grant) => boolean) => void,
): ReadonlySet<string> {
  const ids = new Set<string>();
  look((_, grant) => {
    if (grant?.credentialId !== undefined) ids.add(grant.credentialId);
    return false;
  });
  return ids;
}
