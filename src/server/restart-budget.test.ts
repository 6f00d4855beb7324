import { describe, expect, it } from 'vitest';
import { RestartBudget } from './restart-budget.ts';

const LIMITS = { restartsPerWindowMax: 3, restartWindowMs: 1000, restartPauseMs: 5000 };

function spent(isOfAll = false): RestartBudget {
  const budget = new RestartBudget(LIMITS, isOfAll);
  for (const at of [0, 1, 2]) budget.died(at, false);
  return budget;
}

describe('RestartBudget', () => {
  it('pauses when too many processes ended in one window without an answer', () => {
    const budget = new RestartBudget(LIMITS, false);
    budget.died(0, false);
    budget.died(1, false);
    expect([budget.pauseMs(1), budget.isSpent(1)]).toEqual([0, false]);
    budget.died(2, false);
    expect([budget.pauseMs(2), budget.isSpent(2)]).toEqual([5000, true]);
    expect(budget.pauseMs(5002)).toBe(0);
  });

  it('does not pause for as many over a longer time', () => {
    const budget = new RestartBudget(LIMITS, false);
    for (let at = 0; at < 10_000; at += 500) budget.died(at, false);
    expect(budget.isSpent(10_000)).toBe(false);
  });

  it('pauses again at the next end after a pause, until a process answered', () => {
    const budget = spent();
    budget.died(5100, false);
    expect(budget.pauseMs(5100)).toBe(5000);
    budget.answered();
    expect([budget.pauseMs(5100), budget.isSpent(5100)]).toEqual([0, false]);
    budget.died(5200, false);
    expect(budget.pauseMs(5200)).toBe(0);
  });

  it('takes a window without an end for a sign that it works', () => {
    const budget = spent();
    expect(budget.isSpent(5900)).toBe(true);
    expect(budget.isSpent(6002)).toBe(false);
  });

  it('does not count what one client may have caused against all', () => {
    const budget = new RestartBudget(LIMITS, false);
    for (let at = 0; at < 100; at += 1) budget.died(at, true);
    expect(budget.isSpent(100)).toBe(false);
  });

  it('counts every end of the one instance that serves all, whatever it answered', () => {
    const budget = new RestartBudget(LIMITS, true);
    for (const at of [0, 1, 2]) {
      budget.answered();
      budget.died(at, true);
    }
    expect(budget.isSpent(3)).toBe(true);
  });

  it('gives another chance at once when it is told to', () => {
    const budget = spent();
    budget.reset();
    expect([budget.pauseMs(3), budget.isSpent(3)]).toEqual([0, false]);
  });
});
