/**
 * Who calls in these tests: the bearer token is the name, and each differs from Alice in one thing.
 */
import type { Identity } from '../../src/core/ports.ts';
import { principalOf, type PrincipalParts } from '../../src/core/principal.ts';

const ALICE: PrincipalParts = { tenant: 't', issuer: 'i', subject: 'alice', clientId: 'c' };

const PEOPLE: ReadonlyMap<string, PrincipalParts> = new Map([
  ['alice', ALICE],
  ['bob', { ...ALICE, subject: 'bob' }],
  ['alice-of-another-issuer', { ...ALICE, issuer: 'j' }],
  ['alice-of-another-client', { ...ALICE, clientId: 'd' }],
  ['alice-of-another-tenant', { ...ALICE, tenant: 'u' }],
]);

/** Everybody who is not Alice, but nearly so. */
export const STRANGERS: readonly string[] = [...PEOPLE.keys()].filter((name) => name !== 'alice');

export interface People extends Identity {
  /** From now on this token is refused, as an expired one is. */
  expire(name: string): void;
}

export function people(): People {
  const expired = new Set<string>();
  return {
    expire: (name) => void expired.add(name),
    verify(head, done) {
      const name = /^Bearer (.+)$/.exec(head.header('authorization') ?? '')?.[1] ?? '';
      const parts = expired.has(name) ? undefined : PEOPLE.get(name);
      if (name === 'reader') {
        const challenge = 'Bearer error="insufficient_scope", scope="mcp:write"';
        const headers = ['WWW-Authenticate', challenge];
        done({ kind: 'refused', refusal: { error: 'FORBIDDEN', headers } });
      } else if (parts === undefined) {
        const headers = ['WWW-Authenticate', 'Bearer realm="people"'];
        done({ kind: 'refused', refusal: { error: 'UNAUTHORIZED', headers } });
      } else {
        done({ kind: 'principal', principal: principalOf(parts) });
      }
    },
  };
}
