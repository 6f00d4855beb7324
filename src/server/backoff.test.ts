import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from './backoff.ts';

function backoffWith(fraction: number): Backoff {
  return new Backoff({ sessionId: () => '', fraction: () => fraction });
}

const FRACTION = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the wait before a restart', () => {
  it('is none after one death, so that a single crash costs nothing', () => {
    fc.assert(fc.property(FRACTION, (fraction) => backoffWith(fraction).failed(0) === 0));
  });

  it('doubles with each death in a row, never beyond half a minute, spread by half', () => {
    fc.assert(
      fc.property(FRACTION, fc.integer({ min: 2, max: 40 }), (fraction, deaths) => {
        const backoff = backoffWith(fraction);
        let waitMs = 0;
        for (let i = 0; i < deaths; i += 1) waitMs = backoff.failed(0);
        const longest = Math.min(30_000, 250 * 2 ** (deaths - 2));
        expect(waitMs).toBeGreaterThanOrEqual(longest / 2);
        expect(waitMs).toBeLessThanOrEqual(longest);
        expect(backoff.failures).toBe(deaths);
      }),
    );
  });

  it('differs between two that died together', () => {
    const waits = [0, 0.25, 0.5, 0.75].map((fraction) => {
      const backoff = backoffWith(fraction);
      backoff.failed(0);
      backoff.failed(0);
      return backoff.failed(0);
    });
    expect(new Set(waits).size).toBe(4);
  });

  it('begins anew after a run of 30 s, and not after a shorter one', () => {
    const backoff = backoffWith(0.5);
    for (let i = 0; i < 5; i += 1) backoff.failed(0);
    backoff.started(1000);
    expect(backoff.failed(30_999)).toBeGreaterThan(0);
    expect(backoff.failures).toBe(6);
    backoff.started(40_000);
    expect(backoff.failed(70_000)).toBe(0);
    expect(backoff.failures).toBe(1);
  });

  it('is not shortened by a start long ago that failed before it ran', () => {
    const backoff = backoffWith(0.5);
    backoff.started(0);
    for (const now of [1, 2, 3]) backoff.failed(now);
    expect(backoff.failed(1_000_000)).toBeGreaterThan(0);
    expect(backoff.failures).toBe(4);
  });
});
