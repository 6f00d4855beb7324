import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Leases } from './leases.ts';

describe('leases', () => {
  it('are asked for by the first and given back by the last', () => {
    const leases = new Leases();
    expect([leases.acquire('a'), leases.acquire('a')]).toEqual(['ask', 'wait']);
    expect(leases.settled('a', true)).toBe(false);
    expect(leases.acquire('a')).toBe('held');
    expect([leases.release('a'), leases.release('a'), leases.release('a')]).toEqual([
      false,
      false,
      true,
    ]);
    expect(leases.size).toBe(0);
  });

  it('are given back when they are granted to nobody', () => {
    const leases = new Leases();
    leases.acquire('a');
    expect(leases.release('a')).toBe(false);
    expect(leases.settled('a', true)).toBe(true);
    expect(leases.uris()).toEqual([]);
  });

  it('that are refused are asked for again by the next', () => {
    const leases = new Leases();
    leases.acquire('a');
    expect(leases.settled('a', false)).toBe(false);
    expect(leases.acquire('a')).toBe('ask');
  });

  it('are subscribed upstream exactly while somebody holds them, on every walk', () => {
    const steps = fc.array(fc.constantFrom('acquire', 'release', 'grant', 'refuse'), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, (walk) => {
        const leases = new Leases();
        let [holders, isAsking, isSubscribed] = [0, false, false];
        for (const each of walk) {
          if (each === 'acquire') {
            const did = leases.acquire('a');
            holders += 1;
            if (did === 'ask') expect([isAsking, isSubscribed]).toEqual([false, false]);
            if (did === 'ask') isAsking = true;
          } else if (each === 'release' && holders > 0) {
            holders -= 1;
            if (leases.release('a')) isSubscribed = false;
          } else if (isAsking && (each === 'grant' || each === 'refuse')) {
            isAsking = false;
            isSubscribed = each === 'grant';
            if (leases.settled('a', isSubscribed)) isSubscribed = false;
            else if (!isSubscribed) holders = 0;
          }
          if (!isAsking) expect(isSubscribed).toBe(holders > 0);
        }
      }),
    );
  });
});
