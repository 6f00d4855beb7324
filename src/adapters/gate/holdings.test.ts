import { describe, expect, it } from 'vitest';
import type { Account, Visitor } from '../../core/gate.ts';
import { principalOf } from '../../core/principal.ts';
import { Holdings } from './holdings.ts';
import type { Rates } from './rate-rules.ts';

function visitor(subject: string, more: Partial<Visitor> & { tenant?: string } = {}): Visitor {
  const { tenant = 'acme', ...rest } = more;
  const principal = principalOf({ tenant, issuer: 'i', subject, clientId: '' });
  return { address: '192.0.2.1', principal, server: 'files', ...rest };
}

const ANN = visitor('ann');
const BOB = visitor('bob');

describe('places', () => {
  it.each([
    ['address', visitor('bob', { tenant: 'globex', server: 'mail' })],
    ['principal', visitor('ann', { address: '192.0.2.2', server: 'mail' })],
    ['tenant', visitor('bob', { address: '192.0.2.2', server: 'mail' })],
    ['server', visitor('bob', { address: '192.0.2.2', tenant: 'globex' })],
  ] as const)('of one %s are so many, and given back', (account, other) => {
    const holdings = new Holdings({ [account]: { callsMax: 2 } });
    expect([holdings.take(ANN, 'call'), holdings.take(other, 'call')]).toEqual([
      undefined,
      undefined,
    ]);
    expect([holdings.full(ANN, 'call'), holdings.take(ANN, 'call')]).toEqual([account, account]);
    holdings.giveBack(other, 'call');
    expect([holdings.full(ANN, 'call'), holdings.take(ANN, 'call')]).toEqual([
      undefined,
      undefined,
    ]);
    expect(holdings.full(other, 'call')).toBe(account);
    const stranger = visitor('eve', { address: '192.0.2.9', tenant: 'x', server: 'y' });
    expect(holdings.full(stranger, 'call')).toBeUndefined();
  });

  it('of each kind are counted apart', () => {
    const kinds = { streamsMax: 1, sessionsMax: 2, callsMax: 3, instancesMax: 4 };
    const holdings = new Holdings({ principal: kinds });
    const taken = (['stream', 'session', 'call', 'instance'] as const).map((holding) => {
      let count = 0;
      while (count < 9 && holdings.take(ANN, holding) === undefined) count += 1;
      return count;
    });
    expect(taken).toEqual([1, 2, 3, 4]);
  });

  it('are taken on all accounts or on none', () => {
    const holdings = new Holdings({ principal: { callsMax: 9 }, tenant: { callsMax: 1 } });
    expect(holdings.take(ANN, 'call')).toBeUndefined();
    expect(holdings.take(BOB, 'call')).toBe('tenant');
    holdings.giveBack(ANN, 'call');
    expect(holdings.size).toBe(0);
    expect(holdings.take(BOB, 'call')).toBeUndefined();
  });

  it('are bounded by the first account that is full', () => {
    const holdings = new Holdings({ principal: { callsMax: 1 }, server: { callsMax: 1 } });
    holdings.take(ANN, 'call');
    expect(holdings.full(ANN, 'call')).toBe('principal');
    expect(holdings.full(BOB, 'call')).toBe('server');
  });

  it('of a tenant with limits of its own are those, and of others those of all', () => {
    const tenants: Rates['tenants'] = { acme: { callsMax: 1 }, bolt: { streamsMax: 1 } };
    const own = new Holdings({ tenants });
    expect([own.take(ANN, 'call'), own.take(ANN, 'call')]).toEqual([undefined, 'tenant']);
    const guest = visitor('gil', { tenant: 'globex' });
    expect([own.take(guest, 'call'), own.take(guest, 'call'), own.size]).toEqual([
      undefined,
      undefined,
      1,
    ]);
    const both = new Holdings({ tenant: { callsMax: 2 }, tenants });
    const calls = (who: Visitor): number => {
      let count = 0;
      while (count < 9 && both.take(who, 'call') === undefined) count += 1;
      return count;
    };
    expect([calls(ANN), calls(guest), calls(visitor('x', { tenant: 'bolt' }))]).toEqual([1, 2, 2]);
  });

  it('without a bound cost nothing, and nothing is kept of what was given back', () => {
    const holdings = new Holdings({ principal: { callsMax: 5 } });
    expect(holdings.take(ANN, 'stream')).toBeUndefined();
    holdings.giveBack(ANN, 'stream');
    for (let i = 0; i < 3; i += 1) holdings.take(ANN, 'call');
    expect(holdings.size).toBe(1);
    for (let i = 0; i < 2; i += 1) holdings.giveBack(ANN, 'call');
    expect(holdings.size).toBe(1);
    holdings.giveBack(ANN, 'call');
    expect(holdings.size).toBe(0);
    // More given back than was taken makes no room.
    holdings.giveBack(ANN, 'call');
    for (let i = 0; i < 5; i += 1) expect(holdings.take(ANN, 'call')).toBeUndefined();
    expect(holdings.take(ANN, 'call')).toBe('principal');
  });

  it('are counted on the accounts that are concerned alone', () => {
    const rules = { instancesMax: 1 };
    const holdings = new Holdings({ principal: rules, tenant: rules });
    const accounts: readonly Account[] = ['tenant'];
    expect(holdings.take(ANN, 'instance', accounts)).toBeUndefined();
    expect(holdings.full(ANN, 'instance', accounts)).toBe('tenant');
    expect(holdings.full(ANN, 'instance', ['principal'])).toBeUndefined();
    expect(holdings.size).toBe(1);
    holdings.giveBack(ANN, 'instance', ['principal']);
    expect(holdings.full(ANN, 'instance', accounts)).toBe('tenant');
    holdings.giveBack(ANN, 'instance', accounts);
    expect(holdings.full(ANN, 'instance')).toBeUndefined();
  });
});
