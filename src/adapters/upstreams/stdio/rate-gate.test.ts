import { expect, it } from 'vitest';
import { RateGate } from './rate-gate.ts';

it('admits a burst, then the steady rate, and counts the rest', () => {
  const gate = new RateGate(3, 10);
  const admitted = (nowMs: number, count: number): number =>
    Array.from({ length: count }, () => gate.admits(nowMs)).filter(Boolean).length;
  expect(admitted(1000, 5)).toBe(3);
  expect(admitted(1200, 5)).toBe(2);
  expect(gate.takeHeldBack()).toBe(5);
  expect(gate.takeHeldBack()).toBe(0);
  expect(admitted(99_000, 5)).toBe(3);
});
