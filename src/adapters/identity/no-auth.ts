import { BARE_GRANT, type Grant } from '../../core/grant.ts';
import type { GrantingDoor } from '../../core/granting-door.ts';
import type { Identity, IdentityOutcome, OpenDoor } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import type { TokenlessDoor } from '../../core/tokenless-door.ts';

/**
 * Everyone is the same anonymous principal; a credential that is sent is not looked at. For servers
 * that only this machine can reach, or that stand behind something that asks for credentials
 * itself.
 */
export function noAuth(): Identity & OpenDoor & GrantingDoor & TokenlessDoor {
  const grant: Grant = { ...BARE_GRANT };
  const outcome: IdentityOutcome = {
    kind: 'principal',
    principal: principalOf({
      tenant: 'default',
      issuer: 'none',
      subject: 'anonymous',
      clientId: '',
    }),
    grant,
  };
  const given = new WeakSet([grant]);
  return { isOpen: true, readsTokens: false, given, verify: (_head, done) => done(outcome) };
}
