import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Leases } from './leases.ts';

describe('leases', () => {
  it('are asked for by the first and given back by the last', () => {
    const leases = new Leases<number>();
    expect([leases.acquire('a', 1), leases.acquire('a', 2)]).toEqual(['ask', 'wait']);
    expect(leases.settled('a', true)).toBe(false);
    expect(leases.acquire('a', 3)).toBe('held');
    const given = [1, 2, 3].map((holder) => leases.release('a', holder));
    expect(given).toEqual([false, false, true]);
    expect(leases.size).toBe(0);
  });

  it('are given back once by each holder, and by no other', () => {
    const leases = new Leases<number>();
    leases.acquire('a', 1);
    leases.settled('a', true);
    expect([leases.release('a', 2), leases.release('b', 1)]).toEqual([false, false]);
    expect([leases.release('a', 1), leases.release('a', 1)]).toEqual([true, false]);
  });

  it('are given back when they are granted to nobody', () => {
    const leases = new Leases<number>();
    leases.acquire('a', 1);
    expect(leases.release('a', 1)).toBe(false);
    expect(leases.uris()).toEqual(['a']);
    expect(leases.settled('a', true)).toBe(true);
    expect(leases.uris()).toEqual([]);
  });

  it('that are refused are asked for again by the next', () => {
    const leases = new Leases<number>();
    leases.acquire('a', 1);
    expect(leases.settled('a', false)).toBe(false);
    expect(leases.acquire('a', 2)).toBe('ask');
    expect(leases.settled('b', true)).toBe(false);
  });

  it('that nothing is said of keep nobody who does not wait any more', () => {
    const leases = new Leases<number>();
    for (let holder = 0; holder < 100; holder += 1) {
      expect(leases.acquire('a', holder)).toBe(holder === 0 ? 'ask' : 'wait');
      if (holder > 0) leases.release('a', holder - 1);
    }
    expect([leases.waiting('a'), leases.waiting('b')]).toEqual([[99], []]);
    leases.settled('a', true);
    expect([leases.waiting('a'), leases.release('a', 99)]).toEqual([[], true]);
  });

  it('are subscribed upstream exactly while somebody holds them, on every walk', () => {
    const steps = fc.array(fc.constantFrom('acquire', 'release', 'grant', 'refuse'), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, (walk) => {
        const leases = new Leases<number>();
        const holders: number[] = [];
        let [next, isAsking, isSubscribed] = [0, false, false];
        for (const each of walk) {
          if (each === 'acquire') {
            const did = leases.acquire('a', next);
            holders.push(next);
            next += 1;
            if (did === 'ask') expect([isAsking, isSubscribed]).toEqual([false, false]);
            if (did === 'ask') isAsking = true;
          } else if (each === 'release' && holders.length > 0) {
            if (leases.release('a', holders.pop() ?? 0)) isSubscribed = false;
          } else if (isAsking && (each === 'grant' || each === 'refuse')) {
            expect(leases.waiting('a')).toEqual(holders);
            isAsking = false;
            isSubscribed = each === 'grant';
            if (leases.settled('a', isSubscribed)) isSubscribed = false;
            else if (!isSubscribed) holders.length = 0;
          }
          if (!isAsking) expect(isSubscribed).toBe(holders.length > 0);
        }
      }),
    );
  });
});
