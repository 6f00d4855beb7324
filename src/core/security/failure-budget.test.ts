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

it('lets each address fail so often in a second, and nobody pays for another', () => {
  const budget = new FailureBudget(3);
  expect(lookedAt(budget, '192.0.2.1', 0, 10)).toBe(3);
  expect(lookedAt(budget, '192.0.2.2', 0, 2)).toBe(2);
  expect(lookedAt(budget, '192.0.2.1', 999, 1)).toBe(0);
  expect(lookedAt(budget, '192.0.2.1', 1000, 10)).toBe(3);
});

it('counts an IPv6 subscriber as one', () => {
  const budget = new FailureBudget(1);
  expect(lookedAt(budget, '2001:db8::1', 0, 1)).toBe(1);
  expect(lookedAt(budget, '2001:db8::2', 0, 1)).toBe(0);
});

it('begins a new second with whatever fails first', () => {
  const budget = new FailureBudget(1);
  expect(budget.isSpent('192.0.2.1', 500)).toBe(false);
  budget.failed('192.0.2.1', 500);
  expect(budget.isSpent('192.0.2.1', 1499)).toBe(true);
  budget.failed('192.0.2.2', 1500);
  expect(budget.isSpent('192.0.2.1', 1500)).toBe(false);
  expect(budget.isSpent('192.0.2.2', 1500)).toBe(true);
});

it('leaves a first look to whoever has not failed, when failures come from everywhere', () => {
  const budget = new FailureBudget(10);
  let looks = 0;
  for (let round = 0; round < 100; round += 1) {
    for (let i = 0; i < 20; i += 1) looks += lookedAt(budget, `192.0.2.${i}`, 0, 1);
  }
  expect(looks).toBe(50);
  expect(lookedAt(budget, '198.51.100.1', 0, 5)).toBe(1);
  expect(lookedAt(budget, '198.51.100.1', 1000, 50)).toBe(10);
});

it('lets addresses share one account when there are too many to count', () => {
  const budget = new FailureBudget(5000);
  for (let i = 0; i < 10_000; i += 1) budget.failed(`a${i}`, 0);
  expect(lookedAt(budget, 'another', 0, 6000)).toBe(5000);
  expect(lookedAt(budget, 'one more', 0, 5)).toBe(0);
  expect(lookedAt(budget, 'a7', 0, 5)).toBe(5);
});
