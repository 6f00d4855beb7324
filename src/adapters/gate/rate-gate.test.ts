import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Refusal } from '../../core/errors.ts';
import type { Visitor } from '../../core/gate.ts';
import type { Telemetry } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import { Holdings } from './holdings.ts';
import { RateGate } from './rate-gate.ts';
import type { Rates } from './rate-rules.ts';

const SILENT: Telemetry = { log() {}, count() {}, request() {}, streamClosed() {} };
const RANDOM = { sessionId: () => '', fraction: () => 0 };

function gate(rates: Rates): RateGate {
  return new RateGate(rates, { random: RANDOM, telemetry: SILENT });
}

function visitor(subject: string, tenant = 't', address = '192.0.2.1'): Visitor {
  const principal = principalOf({ tenant, issuer: 'i', subject, clientId: '' });
  return { address, principal, server: 'files' };
}

function entered(to: RateGate, who: Visitor): Promise<Refusal | undefined> {
  return new Promise((resolve) => {
    to.enter(who, resolve);
  });
}

function opened(to: RateGate, who: Visitor): Promise<Refusal | undefined> {
  return new Promise((resolve) => {
    to.open(who, resolve);
  });
}

async function times(count: number, ask: () => Promise<Refusal | undefined>): Promise<number> {
  let refused = 0;
  for (let i = 0; i < count; i += 1) if ((await ask()) !== undefined) refused += 1;
  return refused;
}

// A second lasts as long as a test says, on any machine.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('rates by the second', () => {
  it('refuse whoever asks too often, with the time to come again, and nobody else', async () => {
    const rates = gate({ principal: { requestsPerSecond: 5 } });
    expect(await times(5, () => entered(rates, visitor('alice')))).toBe(0);
    expect(await entered(rates, visitor('alice'))).toEqual({
      error: 'RATE_LIMITED',
      headers: ['Retry-After', '1'],
    });
    expect(await entered(rates, visitor('bob'))).toBeUndefined();
    vi.advanceTimersByTime(1000);
    expect(await entered(rates, visitor('alice'))).toBeUndefined();
  });

  it('count a whole tenant together, and openings apart', async () => {
    const rates = gate({ tenant: { opensPerSecond: 2 } });
    expect(await times(2, () => opened(rates, visitor('alice')))).toBe(0);
    expect(await opened(rates, visitor('bob'))).toMatchObject({ error: 'RATE_LIMITED' });
    expect(await entered(rates, visitor('bob'))).toBeUndefined();
    expect(await opened(rates, visitor('bob', 'another'))).toBeUndefined();
  });

  it('count an address before anything of it is believed, IPv6 by its /64', async () => {
    const rates = gate({ address: { requestsPerSecond: 1 } });
    const arrived = (address: string): Promise<Refusal | undefined> =>
      new Promise((resolve) => {
        rates.arrive(address, resolve);
      });
    expect(await arrived('2001:db8::1')).toBeUndefined();
    expect(await arrived('2001:db8::2')).toMatchObject({ error: 'RATE_LIMITED' });
    expect(await arrived('2001:db8:0:1::1')).toBeUndefined();
  });

  it('let a debt of bytes be paid off before the next request', async () => {
    const rates = gate({ principal: { bytesPerSecond: 1000 } });
    expect(await entered(rates, visitor('alice'))).toBeUndefined();
    rates.spend(visitor('alice'), 10_000);
    await new Promise((resolve) => setImmediate(resolve));
    const refused = await entered(rates, visitor('alice'));
    expect(refused?.error).toBe('RATE_LIMITED');
    expect(Number(refused?.headers?.[1])).toBeGreaterThan(5);
    expect(await entered(rates, visitor('bob'))).toBeUndefined();
  });

  it('ask nothing of anybody where no rate is set', async () => {
    const rates = gate({});
    expect(await times(100, () => opened(rates, visitor('alice')))).toBe(0);
    expect(rates.take(visitor('alice'), 'stream')).toBeUndefined();
  });
});

describe('places', () => {
  it('are taken on every account or on none, and given back', () => {
    const rates = gate({ principal: { streamsMax: 2 }, tenant: { streamsMax: 3 } });
    expect(rates.take(visitor('alice'), 'stream')).toBeUndefined();
    expect(rates.take(visitor('alice'), 'stream')).toBeUndefined();
    expect(rates.take(visitor('alice'), 'stream')).toMatchObject({ error: 'TOO_MANY_STREAMS' });
    expect(rates.take(visitor('bob'), 'stream')).toBeUndefined();
    expect(rates.full(visitor('bob'), 'stream')).toMatchObject({ error: 'TOO_MANY_STREAMS' });
    rates.giveBack(visitor('alice'), 'stream');
    expect(rates.full(visitor('bob'), 'stream')).toBeUndefined();
  });

  it('of an instance are those of the accounts whose it is', () => {
    const counted: unknown[] = [];
    const telemetry: Telemetry = { ...SILENT, count: (_name, labels) => counted.push(labels) };
    const rules = { instancesMax: 1 };
    const rates = new RateGate(
      { principal: rules, tenant: rules, server: { instancesMax: 2 } },
      { random: RANDOM, telemetry },
    );
    const ofTenant = ['tenant', 'server'] as const;
    expect(rates.take(visitor('alice'), 'instance', ofTenant)).toBeUndefined();
    expect(rates.hasPlace(visitor('bob'), 'instance', ofTenant)).toBe(false);
    expect(rates.hasPlace(visitor('bob', 'another'), 'instance')).toBe(true);
    expect(rates.hasPlace(visitor('alice'), 'instance', ['principal'])).toBe(true);
    expect(rates.take(visitor('bob'), 'instance', ['server'])).toBeUndefined();
    expect(counted).toEqual([]);
    expect(rates.take(visitor('carol', 'another'), 'instance')).toEqual({
      error: 'TOO_MANY_INSTANCES',
      headers: ['Retry-After', '5'],
    });
    expect(counted).toEqual([{ limit: 'server.instancesMax' }]);
    rates.giveBack(visitor('alice'), 'instance', ofTenant);
    rates.giveBack(visitor('bob'), 'instance', ['server']);
    expect(rates.take(visitor('carol', 'another'), 'instance')).toBeUndefined();
  });

  it('are never more than the bound, whatever comes and goes, and nothing is kept of the gone', () => {
    const people = ['alice', 'bob', 'carol'];
    fc.assert(
      fc.property(
        fc.array(fc.record({ who: fc.nat(2), isTaken: fc.boolean() }), { maxLength: 200 }),
        (steps) => {
          const holdings = new Holdings({ principal: { callsMax: 2 }, tenant: { callsMax: 4 } });
          const held: number[] = [0, 0, 0];
          for (const { who, isTaken } of steps) {
            const account = visitor(people[who] ?? '');
            const mine = held[who] ?? 0;
            const all = held.reduce((sum, each) => sum + each, 0);
            if (!isTaken && mine > 0) {
              holdings.giveBack(account, 'call');
              held[who] = mine - 1;
            } else if (isTaken) {
              const isFree = mine < 2 && all < 4;
              expect(holdings.take(account, 'call') === undefined).toBe(isFree);
              if (isFree) held[who] = mine + 1;
            }
          }
          held.forEach((count, who) => {
            for (let i = 0; i < count; i += 1)
              holdings.giveBack(visitor(people[who] ?? ''), 'call');
          });
          expect(holdings.size).toBe(0);
        },
      ),
    );
  });
});
