import { expect, it } from 'vitest';
import type { Visitor } from '../../core/gate.ts';
import { principalOf } from '../../core/principal.ts';
import { accountKey, accountRules } from './account-rule.ts';

function visitor(tenant: string): Visitor {
  const principal = principalOf({ tenant, issuer: 'i', subject: 's', clientId: 'c' });
  return { address: '2001:db8:1:2:3::4', principal, server: 'files' };
}

it('a rule is there for each account that has it, in the order in which they are asked', () => {
  const rates = {
    server: { callsMax: 4 },
    tenant: { callsMax: 3 },
    principal: { streamsMax: 9 },
    address: { callsMax: 1 },
  };
  const rules = accountRules(rates, 'callsMax', (value) => value * 10);
  expect(rules.map(({ account, name }) => [account, name])).toEqual([
    ['address', 'address.callsMax'],
    ['tenant', 'tenant.callsMax'],
    ['server', 'server.callsMax'],
  ]);
  expect(rules.map((rule) => rule.of(visitor('acme')))).toEqual([10, 30, 40]);
});

it('a tenant’s own stands in place of that of all', () => {
  const tenants = { acme: { callsMax: 1 }, bolt: { streamsMax: 1 } };
  const [both] = accountRules({ tenant: { callsMax: 3 }, tenants }, 'callsMax', Number);
  expect(['acme', 'bolt', 'globex', 'toString'].map((name) => both?.of(visitor(name)))).toEqual([
    1, 3, 3, 3,
  ]);
  const only = accountRules({ principal: { callsMax: 2 }, tenants }, 'callsMax', Number);
  expect(only.map(({ account }) => account)).toEqual(['principal', 'tenant']);
  expect(['acme', 'bolt'].map((name) => only[1]?.of(visitor(name)))).toEqual([1, undefined]);
  // Of one tenant, and not of its people.
  expect(only[0]?.of(visitor('acme'))).toBe(2);
  expect(accountRules({ tenants: { bolt: {} } }, 'callsMax', Number)).toEqual([]);
});

it('an account is its address’s, principal’s, tenant’s or server’s', () => {
  const who = visitor('acme');
  expect(accountKey('address', who)).toBe(
    accountKey('address', { ...who, address: '2001:db8:1:2::9' }),
  );
  expect(accountKey('address', who)).not.toBe(accountKey('address', { ...who, address: '::1' }));
  expect(accountKey('principal', who)).toBe(who.principal.key);
  expect(accountKey('tenant', who)).toBe('acme');
  expect(accountKey('server', who)).toBe('files');
});
