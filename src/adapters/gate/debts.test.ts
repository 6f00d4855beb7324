import { RateLimiterMemory } from 'rate-limiter-flexible';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Debts } from './debts.ts';

// A second lasts as long as a test says, on any machine.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const debts = (points: number): Debts => new Debts(new RateLimiterMemory({ points, duration: 1 }));

/** What was spent is counted by promises that nobody is given. */
async function counted(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
}

async function owed(one: Debts, ...sums: readonly number[]): Promise<number> {
  for (const sum of sums) one.spend('ann', sum);
  await counted();
  return one.waitMs('ann');
}

describe('whoever spends', () => {
  it.each([
    ['what a second has', [1000], 0],
    ['a byte more', [1001], 1000],
    ['two seconds of it', [2000], 1000],
    ['a byte more than two', [2001], 2000],
    ['ten seconds of it', [10_000], 9000],
    ['more than a minute of it', [61_001], 60_000],
    ['far more than that', [10_000_000], 60_000],
  ])('%s waits', async (_, sums, waitMs) => {
    expect(await owed(debts(1000), ...sums)).toBe(waitMs);
  });

  it('waits no longer when the clock is set back', async () => {
    const one = debts(1000);
    expect(await owed(one, 3000)).toBe(2000);
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(one.waitMs('ann')).toBe(2000);
    vi.advanceTimersByTime(2000);
    expect(one.waitMs('ann')).toBe(0);
    expect(await owed(one, 1000)).toBe(0);
  });

  it('waits until the debt is paid, and alone', async () => {
    const one = debts(1000);
    expect(await owed(one, 3500)).toBe(3000);
    expect(one.waitMs('bob')).toBe(0);
    vi.advanceTimersByTime(2999);
    expect(one.waitMs('ann')).toBe(1);
    vi.advanceTimersByTime(1);
    expect(one.waitMs('ann')).toBe(0);
    expect(await owed(one, 1000)).toBe(0);
  });

  it('owes more the more is spent meanwhile', async () => {
    const one = debts(1000);
    expect(await owed(one, 2000)).toBe(1000);
    expect(await owed(one, 3000)).toBe(4000);
  });

  it('owes no less because another owes, too', async () => {
    const one = debts(1000);
    expect(await owed(one, 5000)).toBe(4000);
    one.spend('bob', 3000);
    await counted();
    expect([one.waitMs('ann'), one.waitMs('bob')]).toEqual([4000, 2000]);
  });

  it('goes on to spend while in debt, as if the second were not over', async () => {
    const one = debts(1000);
    expect(await owed(one, 3500)).toBe(3000);
    vi.advanceTimersByTime(1500);
    expect(await owed(one, 1000)).toBe(2000);
  });

  it('is forgotten once all is paid', async () => {
    const one = debts(1000);
    await owed(one, 2000);
    one.spend('bob', 2000);
    await counted();
    vi.advanceTimersByTime(999);
    expect([one.waitMs('ann'), one.size]).toEqual([1, 2]);
    vi.advanceTimersByTime(1);
    expect([one.waitMs('ann'), one.size]).toEqual([0, 1]);
    // Whoever does not come back is forgotten when another owes.
    one.spend('gil', 2000);
    await counted();
    expect(one.size).toBe(1);
  });

  it('small sums is counted once they come to something', async () => {
    const one = debts(6400);
    // A sixty-fourth is a hundred bytes.
    const penalty = vi.spyOn(RateLimiterMemory.prototype, 'penalty');
    expect(await owed(one, 99)).toBe(0);
    expect([penalty.mock.calls.length, one.size]).toEqual([0, 1]);
    expect(await owed(one, 1)).toBe(0);
    expect(one.size).toBe(0);
    expect(penalty.mock.calls).toEqual([['ann', 100]]);
    await owed(one, 60, 60);
    expect(penalty.mock.calls[1]).toEqual(['ann', 120]);
    await owed(one, 99);
    expect(penalty).toHaveBeenCalledTimes(2);
    penalty.mockRestore();
  });

  it('small sums is forgiven the oldest when there are ten thousand others', async () => {
    const one = debts(6400);
    const penalty = vi.spyOn(RateLimiterMemory.prototype, 'penalty');
    one.spend('old', 50);
    for (let i = 0; i < 9999; i += 1) one.spend(`${i}`, 50);
    one.spend('old', 49);
    one.spend('one more', 50);
    one.spend('old', 50);
    await counted();
    expect(penalty).toHaveBeenCalledTimes(0);
    one.spend('1', 50);
    await counted();
    expect(penalty.mock.calls).toEqual([['1', 100]]);
    penalty.mockRestore();
  });
});
