import type { Principal } from './ports.ts';

/** What a verified credential says; the key follows from it. */
export type PrincipalParts = Omit<Principal, 'key'>;

const PARTS = ['tenant', 'issuer', 'subject', 'clientId'] as const;

/**
 * Each part with its length before it, so that no choice of parts by one issuer can spell the key
 * of another: `a` + `bc` and `ab` + `c` differ.
 */
export function principalKey(parts: PrincipalParts): string {
  return [parts.tenant, parts.issuer, parts.subject, parts.clientId]
    .map((part) => `${part.length}:${part}`)
    .join('');
}

/**
 * A principal with its key.
 * @throws TypeError where a part is no text: people are told apart by them.
 */
export function principalOf(parts: PrincipalParts): Principal {
  for (const part of PARTS) {
    if (typeof parts?.[part] === 'string') continue;
    throw new TypeError(`A principal is made of texts, and ${part} is none.`);
  }
  return { ...parts, key: principalKey(parts) };
}
