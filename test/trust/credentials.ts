/**
 * Credentials of these tests: `<subject>.<milliseconds on the endpoint's clock>`, or a subject
 * alone for one that never ends. Ended ones are refused, as any verifier does.
 */
import { BARE_GRANT } from '../../src/core/grant.ts';
import type { Clock, Identity } from '../../src/core/ports.ts';
import { principalOf } from '../../src/core/principal.ts';

export function credentials(clock?: () => Clock | undefined): Identity {
  return {
    verify(head, done) {
      const token = /^Bearer (.+)$/.exec(head.header('authorization') ?? '')?.[1] ?? '';
      const [subject = '', until] = token.split('.');
      const expiresAt = until === undefined ? Infinity : Number(until);
      if (subject === '' || (clock?.()?.now() ?? 0) >= expiresAt) {
        const headers = ['WWW-Authenticate', 'Bearer realm="trust"'];
        done({ kind: 'refused', refusal: { error: 'UNAUTHORIZED', headers } });
        return;
      }
      const parts = { tenant: 't', issuer: 'i', subject, clientId: 'c' };
      const grant = { ...BARE_GRANT, expiresAt, credentialId: token };
      done({ kind: 'principal', principal: principalOf(parts), grant });
    },
  };
}
