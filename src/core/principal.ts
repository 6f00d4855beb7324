import type { Principal } from './ports.ts';

/** What a verified credential says; the key follows from it. */
export type PrincipalParts = Omit<Principal, 'key'>;

/**
 * Each part with its length before it, so that no choice of parts by one issuer can spell the key
 * of another: `a` + `bc` and `ab` + `c` differ.
 */
export function principalKey(parts: PrincipalParts): string {
  return [parts.tenant, parts.issuer, parts.subject, parts.clientId]
    .map((part) => `${part.length}:${part}`)
    .join('');
}

/** A principal with its key. */
export function principalOf(parts: PrincipalParts): Principal {
  return { ...parts, key: principalKey(parts) };
}
