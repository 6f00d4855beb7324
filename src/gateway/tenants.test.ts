import { describe, expect, it } from 'vitest';
import { principalOf } from '../core/principal.ts';
import type { TenantConfig } from './gateway-config.ts';
import { deniedOf, othersFault, ratesOf, sharingFault, suspendedBy, Tenants } from './tenants.ts';

const of = (tenant: string) => principalOf({ tenant, issuer: 'i', subject: 's', clientId: '' });
const config = (more: Partial<TenantConfig> = {}): TenantConfig =>
  ({ isSuspended: false, ...more }) as TenantConfig;

describe('which servers a tenant sees', () => {
  it('is all of them while none is named', () => {
    const tenants = new Tenants(undefined);
    expect(tenants.sees(of('acme'), 'files')).toBe(true);
    expect(tenants.labelOf('acme')).toBeUndefined();
  });

  it('is what its own entry says, and nothing without one', () => {
    const tenants = new Tenants({ acme: config({ servers: ['files'] }), bolt: config() });
    expect(tenants.sees(of('acme'), 'files')).toBe(true);
    expect(tenants.sees(of('acme'), 'mail')).toBe(false);
    expect(tenants.sees(of('bolt'), 'mail')).toBe(true);
    for (const name of ['globex', 'toString', '__proto__', '*']) {
      expect(tenants.sees(of(name), 'files')).toBe(false);
    }
  });

  it('is what the entry of all others says where there is one', () => {
    const tenants = new Tenants({
      acme: config({ servers: [] }),
      '*': config({ servers: ['mail'] }),
    });
    expect(tenants.sees(of('globex'), 'mail')).toBe(true);
    expect(tenants.sees(of('globex'), 'files')).toBe(false);
    expect(tenants.sees(of('acme'), 'mail')).toBe(false);
  });

  it('is another once it is configured so', () => {
    const tenants = new Tenants({ acme: config({ servers: ['files'] }) });
    expect(tenants.configure({ acme: config({ servers: ['files'] }) })).toBe(false);
    expect(tenants.configure({ acme: config({ servers: ['mail'] }) })).toBe(true);
    expect([tenants.sees(of('acme'), 'files'), tenants.sees(of('acme'), 'mail')]).toEqual([
      false,
      true,
    ]);
    expect(tenants.configure(undefined)).toBe(true);
    expect(tenants.sees(of('globex'), 'files')).toBe(true);
  });
});

it('a tenant is called by its name where it is named, and with all others where not', () => {
  const tenants = new Tenants({ acme: config() });
  expect(['acme', 'globex', 'toString', 7, undefined].map((name) => tenants.labelOf(name))).toEqual(
    ['acme', '*', '*', undefined, undefined],
  );
});

it.each([
  ['shared', undefined, false],
  ['shared', { acme: config() }, false],
  ['shared', { '*': config() }, true],
  ['shared', { acme: config(), bolt: config() }, true],
  ['tenant', { acme: config(), bolt: config() }, false],
  ['session', { '*': config() }, false],
] as const)('an instance that is %s, with %j, is at fault: %s', (isolation, named, isFault) => {
  const fault = sharingFault({ isolation }, named);
  expect(fault).toBe(
    isFault
      ? 'Tenants may not share one instance of a server: isolation may be tenant, not shared.'
      : undefined,
  );
});

it('whoever is suspended is denied beside those who are', () => {
  const tenants = { acme: config(), gone: config({ isSuspended: true }) };
  expect(deniedOf({ tenants })).toEqual({ tenants: ['gone'] });
  const denied = { subjects: ['ann'], tenants: ['globex'] };
  expect(deniedOf({ denied, tenants })).toEqual({ subjects: ['ann'], tenants: ['globex', 'gone'] });
  expect(deniedOf({})).toEqual({ tenants: [] });
});

it('whoever is not named is out with the entry of all others', () => {
  const isOut = suspendedBy({ acme: config(), '*': config({ isSuspended: true }) });
  expect(['acme', 'globex', 'toString', '*'].map(isOut)).toEqual([false, true, true, true]);
  expect(suspendedBy({ acme: config({ isSuspended: true }), '*': config() })('acme')).toBe(true);
  expect(suspendedBy({ acme: config({ isSuspended: true }) })('globex')).toBe(false);
  expect(suspendedBy(undefined)('globex')).toBe(false);
});

it('the entry of all others has no limits and no credentials of its own', () => {
  const limits = { sessionsMax: 3 };
  const credentials = { mail: { headers: {}, credential: undefined } };
  expect(othersFault({ '*': config({ limits }) })).toMatchObject({ key: 'limits' });
  expect(othersFault({ '*': config({ credentials }) })).toMatchObject({ key: 'credentials' });
  for (const none of [undefined, { '*': config({ credentials: {} }) }, { '*': config() }]) {
    expect(othersFault(none)).toBeUndefined();
  }
  expect(othersFault({ acme: config({ limits, credentials }) })).toBeUndefined();
});

it('limits of tenants stand beside those of all', () => {
  const rates = { address: { callsMax: 1 } };
  const limits = { sessionsMax: 3 };
  expect(ratesOf({ rates, tenants: { acme: config({ limits }), bolt: config() } })).toEqual({
    address: { callsMax: 1 },
    tenants: { acme: limits },
  });
  expect(ratesOf({ rates, tenants: { bolt: config() } })).toBe(rates);
  expect(ratesOf({ tenants: { acme: config({ limits }) } })).toEqual({
    tenants: { acme: limits },
  });
  expect(ratesOf({ rates: undefined })).toBeUndefined();
});
