import { expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { RestartBudget } from './restart-budget.ts';
import { Restarts } from './restarts.ts';

const LIMITS = { ...DEFAULT_LIMITS, restartsPerWindowMax: 3, restartPauseMs: 60_000 };

function bench(): { budget: RestartBudget; restarts: Restarts } {
  const budget = new RestartBudget(LIMITS, false);
  return { budget, restarts: new Restarts(budget, { sessionId: () => '', fraction: () => 0 }) };
}

it('an instance that ends again and again is started after the longer of its backoff and the pause', () => {
  const { restarts } = bench();
  expect([restarts.down(0), restarts.pauseMs(0), restarts.failures]).toEqual([0, 0, 1]);
  expect([restarts.down(0), restarts.pauseMs(0), restarts.failures]).toEqual([125, 0, 2]);
  expect([restarts.down(0), restarts.pauseMs(0), restarts.failures]).toEqual([60_000, 60_000, 3]);
});

it('an end costs the budget nothing after an answer in the same run, and all that was spent is back', () => {
  const { restarts } = bench();
  restarts.down(0);
  restarts.down(0);
  restarts.starting();
  restarts.answered();
  restarts.down(0);
  restarts.starting();
  restarts.down(0);
  restarts.starting();
  restarts.down(0);
  expect(restarts.pauseMs(0)).toBe(0);
  restarts.starting();
  restarts.down(0);
  expect(restarts.pauseMs(0)).toBe(60_000);
});

it('only the first answer of a run gives the budget back', () => {
  const { restarts, budget } = bench();
  restarts.starting();
  restarts.answered();
  for (let i = 0; i < 3; i += 1) budget.died(0, false);
  restarts.answered();
  expect(restarts.pauseMs(0)).toBe(60_000);
});

it('a long run after the handshake makes its end the first again', () => {
  const { restarts } = bench();
  restarts.down(0);
  restarts.down(0);
  restarts.ready(100_000);
  expect([restarts.down(130_000), restarts.failures]).toEqual([0, 1]);
});
