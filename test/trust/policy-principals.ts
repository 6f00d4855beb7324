/** Credentials of these tests: `<tenant>/<subject>/<group,…>/<scope,…>`. */
import { BARE_GRANT } from '../../src/core/grant.ts';
import type { Identity } from '../../src/core/ports.ts';
import { principalOf } from '../../src/core/principal.ts';

export function policyPrincipals(): Identity {
  return {
    verify(head, done) {
      const token = /^Bearer (.+)$/.exec(head.header('authorization') ?? '')?.[1];
      if (token === undefined) {
        done({ kind: 'refused', refusal: { error: 'UNAUTHORIZED' } });
        return;
      }
      const [tenant = '', subject = '', groups = '', scopes = ''] = token.split('/');
      const principal = principalOf({ tenant, issuer: 'i', subject, clientId: 'c' });
      const grant = { ...BARE_GRANT, groups: namesOf(groups), scopes: namesOf(scopes) };
      done({ kind: 'principal', principal, grant });
    },
  };
}

function namesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(',');
}
