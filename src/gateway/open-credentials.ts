import type { Endpoint } from '../server/endpoint.ts';

/** Ids of the credentials that have a stream open or a call waiting. */
export function openCredentials(
  endpoints: readonly Pick<Endpoint, 'eachOpenGrant'>[],
): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const endpoint of endpoints) {
    endpoint.eachOpenGrant(({ credentialId }) => {
      if (credentialId !== undefined) ids.add(credentialId);
    });
  }
  return ids;
}
