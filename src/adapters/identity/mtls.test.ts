import { expect, it } from 'vitest';
import type { Grant } from '../../core/grant.ts';
import type { Identity, RequestHead } from '../../core/ports.ts';
import { mtlsIdentity } from './mtls.ts';

const HEAD = {
  clientCertificate: 'thumbprint',
  verifiedCertificate: { commonName: 'ada', notAfterMs: 2000 },
} as RequestHead;

function grantOf(identity: Identity): Grant {
  const grants: Grant[] = [];
  identity.verify(HEAD, (outcome) => {
    if (outcome.kind === 'principal' && outcome.grant !== undefined) grants.push(outcome.grant);
  });
  const [grant] = grants;
  if (grant === undefined) throw new Error('It was refused.');
  return grant;
}

it('knows each of its grants again, and none of another one', () => {
  const parts = { clock: { now: () => 0 }, now: () => 1000 };
  const [one, other] = [mtlsIdentity(parts), mtlsIdentity(parts)];
  for (const grant of [grantOf(one), grantOf(one)]) expect(one.given.has(grant)).toBe(true);
  expect(one.given.has(grantOf(other))).toBe(false);
});
