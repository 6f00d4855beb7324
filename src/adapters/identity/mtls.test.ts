import { describe, expect, it } from 'vitest';
import type { Grant } from '../../core/grant.ts';
import type { Identity, IdentityOutcome, RequestHead } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import type { VerifiedCertificate } from '../../core/verified-certificate.ts';
import { CERTIFICATE_FIELDS, mtlsIdentity, type MtlsOptions } from './mtls.ts';

const NOW = 1_800_000_000_000;
const CERTIFICATE: VerifiedCertificate = {
  commonName: 'ann',
  organization: 'acme',
  organizationalUnits: ['dev'],
  uris: ['spiffe://acme/ann'],
  dnsNames: ['ann.example'],
  emails: ['ann@example'],
  notAfterMs: NOW + 1,
};

function verify(
  options: MtlsOptions,
  certificate: Partial<VerifiedCertificate> | undefined = {},
): IdentityOutcome {
  const identity = mtlsIdentity({ clock: { now: () => 50 }, now: () => NOW, ...options });
  let outcome: IdentityOutcome | undefined;
  const head = {
    clientCertificate: 'thumb',
    verifiedCertificate: { ...CERTIFICATE, ...certificate },
  };
  identity.verify(head as unknown as RequestHead, (told) => {
    outcome = told;
  });
  return outcome as IdentityOutcome;
}

function subjectOf(outcome: IdentityOutcome): string | undefined {
  return outcome.kind === 'principal' ? outcome.principal.subject : undefined;
}

const REFUSAL = {
  error: 'UNAUTHORIZED',
  detail: 'Connect with a client certificate that this server verifies.',
  headers: ['WWW-Authenticate', 'ClientCertificate realm="tidegate"'],
};

describe('a certificate that was verified', () => {
  it('says who its holder is, until its end', () => {
    const parts = { issuer: 'mtls', clientId: '' };
    expect(verify({})).toEqual({
      kind: 'principal',
      principal: principalOf({ ...parts, tenant: 'default', subject: 'ann' }),
      grant: { expiresAt: 51, scopes: [], groups: [], claims: {}, credentialId: 'cert:thumb' },
    });
    const options = { tenant: { field: 'o' }, subject: 'san-uri', groups: 'ou' } as const;
    const units = { organizationalUnits: ['dev', 'ops'] };
    expect(verify(options, units)).toMatchObject({
      principal: principalOf({ ...parts, tenant: 'acme', subject: 'spiffe://acme/ann' }),
      grant: { groups: ['dev', 'ops'] },
    });
  });

  it.each(
    CERTIFICATE_FIELDS.map((field, i) => {
      const names = ['ann', 'acme', 'dev', 'spiffe://acme/ann', 'ann.example', 'ann@example'];
      return [field, names[i]] as const;
    }),
  )('is read in its field %s as %s', (subject, name) => {
    expect(subjectOf(verify({ subject }))).toBe(name);
  });

  it.each([
    ['cn', { commonName: undefined }],
    ['o', { organization: undefined }],
  ] as const)('that has no %s names no group by it', (groups, certificate) => {
    const outcome = verify({ subject: 'san-dns', groups }, certificate);
    expect(outcome).toMatchObject({ kind: 'principal', grant: { groups: [] } });
  });

  it('names nobody by a name that is too long, and somebody by one that is as long as it may', () => {
    expect(subjectOf(verify({}, { commonName: 'n'.repeat(512) }))).toHaveLength(512);
    expect(verify({}, { commonName: 'n'.repeat(513) })).toMatchObject({ refusal: REFUSAL });
  });

  it('counts by the machine’s clocks where none is given', () => {
    const outcome = verify({ clock: undefined, now: undefined }, { notAfterMs: Date.now() + 9e6 });
    const end = outcome.kind === 'principal' ? (outcome.grant?.expiresAt ?? 0) : 0;
    expect(end).toBeGreaterThan(performance.now() + 8e6);
    expect(end).toBeLessThan(performance.now() + 1e7);
  });
});

describe('nobody comes in', () => {
  it.each<readonly [string, MtlsOptions, Partial<VerifiedCertificate>]>([
    ['whose certificate ended', {}, { notAfterMs: NOW }],
    ['whose certificate has no end', {}, { notAfterMs: NaN }],
    ['whom it does not name', {}, { commonName: undefined }],
    ['whom it names nothing', { subject: 'san-dns' }, { dnsNames: [''] }],
    ['whom it names twice', { subject: 'ou' }, { organizationalUnits: ['dev', 'ops'] }],
    ['whose tenant it does not name', { tenant: { field: 'o' } }, { organization: undefined }],
    ['whose tenant it names twice', { tenant: { field: 'san-email' } }, { emails: ['a', 'b'] }],
  ])('%s', (_, options, certificate) => {
    expect(verify(options, certificate)).toEqual({ kind: 'refused', refusal: REFUSAL });
  });

  it('without a certificate that was verified', () => {
    const head = { clientCertificate: 'thumb' } as unknown as RequestHead;
    for (const identity of [mtlsIdentity(), mtlsIdentity({ tenant: { field: 'o' } })]) {
      const outcomes: IdentityOutcome[] = [];
      identity.verify(head, (outcome) => outcomes.push(outcome));
      expect(outcomes).toEqual([{ kind: 'refused', refusal: REFUSAL }]);
      expect(identity.refusalOf(head)).toEqual(REFUSAL);
    }
  });
});

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
