import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FailureBudget } from './failure-budget.ts';

/** How many of so many credentials that are none are looked at. */
function lookedAt(budget: FailureBudget, address: string, now: number, times: number): number {
  let count = 0;
  for (let i = 0; i < times; i += 1) {
    if (budget.isSpent(address, now)) continue;
    count += 1;
    budget.failed(address, now);
  }
  return count;
}

it('lets a second of failures come at once, and then evenly', () => {
  const budget = new FailureBudget(100);
  expect(lookedAt(budget, '192.0.2.1', 0, 1000)).toBe(100);
  expect(lookedAt(budget, '192.0.2.1', 9, 1000)).toBe(0);
  expect(lookedAt(budget, '192.0.2.1', 10, 1000)).toBe(1);
  expect(lookedAt(budget, '192.0.2.1', 55, 1000)).toBe(4);
});

it('never looks at more of one flood than its rate and one burst, whatever its rhythm', () => {
  const steps = fc.array(fc.record({ passMs: fc.nat(400), times: fc.nat(300) }), { maxLength: 50 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), steps, (perSecond, all) => {
      const budget = new FailureBudget(perSecond);
      let [now, looks] = [0, 0];
      for (const { passMs, times } of all) {
        now += passMs;
        looks += lookedAt(budget, '192.0.2.1', now, times);
      }
      expect(looks).toBeLessThanOrEqual(perSecond + (now / 1000) * perSecond + 1);
    }),
  );
});

it('leaves a first look to whoever has not failed, and what is good costs nothing', () => {
  const budget = new FailureBudget(10);
  expect(lookedAt(budget, '192.0.2.1', 0, 100)).toBe(10);
  expect(lookedAt(budget, '192.0.2.2', 0, 100)).toBe(1);
  for (let i = 0; i < 100; i += 1) expect(budget.isSpent('192.0.2.3', 0)).toBe(false);
  expect(budget.isSpent('192.0.2.1', 0)).toBe(true);
});

it('bounds even those who were never seen', () => {
  const budget = new FailureBudget(10);
  let looks = 0;
  for (let i = 0; i < 1000; i += 1) looks += lookedAt(budget, `192.0.2.${i}`, 0, 1);
  expect(looks).toBe(100);
  expect(budget.isSpent('198.51.100.1', 9)).toBe(true);
  expect(budget.isSpent('198.51.100.1', 10)).toBe(false);
});

it('counts an IPv6 subscriber as one', () => {
  const budget = new FailureBudget(1);
  expect(lookedAt(budget, '2001:db8::1', 0, 1)).toBe(1);
  expect(lookedAt(budget, '2001:db8::2', 0, 1)).toBe(0);
});

it('owes no more than a second: whoever failed together comes back together', () => {
  const budget = new FailureBudget(100);
  for (let i = 0; i < 5000; i += 1) budget.failed(`192.0.2.${i}`, 0);
  expect(budget.isSpent('192.0.2.7', 1009)).toBe(true);
  expect(budget.isSpent('192.0.2.7', 1010)).toBe(false);
});

it('takes back a failure that proved to be none, and no other', () => {
  const budget = new FailureBudget(2);
  for (const at of [0, 1, 1]) budget.failed('192.0.2.1', at);
  expect(budget.isSpent('192.0.2.1', 1)).toBe(true);
  budget.forgive('192.0.2.1', 1);
  budget.forgive('192.0.2.1', 1);
  expect(budget.isSpent('192.0.2.1', 1)).toBe(false);
  // The one at 0 stands, and is the last.
  expect(budget.isSuspect('192.0.2.1', 9999)).toBe(true);
  expect(budget.isSuspect('192.0.2.1', 10_000)).toBe(false);
  budget.forgive('192.0.2.1', 0);
  expect(budget.isSuspect('192.0.2.1', 1)).toBe(false);
  // Whoever is not suspected any more gains nothing by it.
  budget.forgive('192.0.2.1', 0);
  expect(lookedAt(budget, '192.0.2.1', 1, 100)).toBe(2);
});

it('gives back to all what was taken back of one', () => {
  const budget = new FailureBudget(1);
  for (let i = 0; i < 10; i += 1) budget.failed(`192.0.2.${i}`, 0);
  expect(budget.isSpent('198.51.100.1', 0)).toBe(true);
  budget.forgive('192.0.2.9', 0);
  expect(budget.isSpent('198.51.100.1', 0)).toBe(false);
});

it('knows the newest sixteen failures of an address, should others be taken back', () => {
  const budget = new FailureBudget(100);
  for (let at = 0; at < 16; at += 1) budget.failed('192.0.2.1', at);
  for (let at = 1; at < 16; at += 1) budget.forgive('192.0.2.1', at);
  expect(budget.isSuspect('192.0.2.1', 16)).toBe(true);
  for (let at = 1; at < 17; at += 1) budget.failed('192.0.2.1', at);
  for (let at = 1; at < 17; at += 1) budget.forgive('192.0.2.1', at);
  expect(budget.isSuspect('192.0.2.1', 17)).toBe(false);
});

it('has room for as many suspects as before when one proved to be none', () => {
  const budget = new FailureBudget(1);
  for (let i = 0; i < 9998; i += 1) budget.failed(`a${i}`, 0);
  budget.failed('b', 0);
  budget.failed('a0', 1);
  budget.forgive('b', 0);
  for (const name of ['c', 'd', 'e']) budget.failed(name, 1);
  // The longest without a failure made room.
  const suspects = ['a0', 'a1', 'a2', 'b'].map((each) => budget.isSuspect(each, 1));
  expect(suspects).toEqual([true, false, true, false]);
});

it('forgets a failure after ten seconds, and the oldest suspects when there are too many', () => {
  const budget = new FailureBudget(1);
  budget.failed('192.0.2.1', 0);
  budget.failed('192.0.2.2', 9500);
  expect(budget.isSpent('192.0.2.1', 9999)).toBe(true);
  expect(budget.isSpent('192.0.2.1', 10_000)).toBe(false);
  const many = new FailureBudget(1);
  for (let i = 0; i <= 10_000; i += 1) many.failed(`a${i}`, i / 10_000);
  expect(many.isSpent('a0', 1200)).toBe(false);
  expect(many.isSpent('a1', 1200)).toBe(true);
});

it('forgets nobody for somebody who failed before', () => {
  const budget = new FailureBudget(1);
  for (let i = 0; i < 10_000; i += 1) budget.failed(`a${i}`, 0);
  budget.failed('a5000', 1);
  expect(budget.isSuspect('a0', 1)).toBe(true);
  budget.failed('more', 2);
  expect([budget.isSuspect('a0', 2), budget.isSuspect('a1', 2)]).toEqual([false, true]);
  for (let i = 1; i < 5000; i += 1) budget.failed(`b${i}`, 3);
  expect([budget.isSuspect('a5000', 3), budget.isSuspect('a5001', 3)]).toEqual([true, true]);
  budget.failed('last', 3);
  expect([budget.isSuspect('a5000', 3), budget.isSuspect('a5001', 3)]).toEqual([true, false]);
});
