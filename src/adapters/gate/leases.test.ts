import fc from 'fast-check';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Leases } from './leases.ts';

// A second lasts as long as a test says, on any machine.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

async function granted(leases: Leases, key: string, times: number): Promise<number> {
  const asked = Array.from({ length: times }, async () => {
    return leases.use(key) || (await leases.take(key)) === undefined;
  });
  return (await Promise.all(asked)).filter(Boolean).length;
}

it('gives as many in a second as the limiter has, however they come together', async () => {
  const bursts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200 }), bursts, async (points, sizes) => {
      const leases = new Leases(new RateLimiterMemory({ points, duration: 1 }));
      for (let second = 0; second < 2; second += 1) {
        let given = 0;
        let asked = 0;
        for (const size of sizes) {
          given += await granted(leases, 'ann', size);
          asked += size;
        }
        expect(given).toBe(Math.min(points, asked));
        expect(await granted(leases, 'bob', 1)).toBe(1);
        vi.advanceTimersByTime(1000);
      }
    }),
  );
});

it('refuses nobody for points that were taken and never used, when a second ends', async () => {
  const limiter = new RateLimiterMemory({ points: 160, duration: 1 });
  const leases = new Leases(limiter);
  const consume = limiter.consume.bind(limiter);
  // The system gave the core to somebody else, between the two looks at the clock.
  vi.spyOn(limiter, 'consume').mockImplementationOnce((key, points) => {
    vi.setSystemTime(Date.now() + 3);
    return consume(key, points);
  });
  const from = Date.now();
  expect(await granted(leases, 'ann', 20)).toBe(20);
  expect((await limiter.get('ann'))?.remainingPoints).toBe(0);
  for (let ms = Date.now() - from; ms < 1010; ms += 1) {
    vi.advanceTimersByTime(1);
    if (ms > 995) expect(await granted(leases, 'ann', 1)).toBe(1);
  }
});

it('forgets those whose second is over', async () => {
  const leases = new Leases(new RateLimiterMemory({ points: 100, duration: 1 }));
  for (let i = 0; i < 50; i += 1) await leases.take(`someone ${i}`);
  vi.advanceTimersByTime(1000);
  await leases.take('ann');
  expect(leases.size).toBe(1);
});

it('takes a sixteenth at once, and asks no more often', async () => {
  const limiter = new RateLimiterMemory({ points: 160, duration: 1 });
  const leases = new Leases(limiter);
  expect(leases.use('ann')).toBe(false);
  expect(await leases.take('ann')).toBeUndefined();
  expect((await limiter.get('ann'))?.consumedPoints).toBe(10);
  for (let i = 0; i < 9; i += 1) expect(leases.use('ann')).toBe(true);
  expect(leases.use('ann')).toBe(false);
  expect(leases.use('bob')).toBe(false);
  const more = new RateLimiterMemory({ points: 170, duration: 1 });
  await new Leases(more).take('ann');
  expect((await more.get('ann'))?.consumedPoints).toBe(11);
});

it('gives nothing of a second that is over, and says how long until the next', async () => {
  const leases = new Leases(new RateLimiterMemory({ points: 32, duration: 2 }));
  expect(await leases.take('ann')).toBeUndefined();
  vi.advanceTimersByTime(1999);
  expect(leases.use('ann')).toBe(true);
  expect(await leases.take('ann')).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(leases.use('ann')).toBe(false);
  expect(await granted(leases, 'ann', 50)).toBe(32);
  const waitMs = await leases.take('ann');
  expect(waitMs).toBeGreaterThan(0);
  expect(waitMs).toBeLessThanOrEqual(2000);
});

it('knows whom it refused until there are points again, and asks no more meanwhile', async () => {
  const limiter = new RateLimiterMemory({ points: 2, duration: 1 });
  const consume = vi.spyOn(limiter, 'consume');
  const leases = new Leases(limiter);
  expect(leases.fullMs('ann')).toBeUndefined();
  expect(await granted(leases, 'ann', 3)).toBe(2);
  vi.advanceTimersByTime(400);
  expect(leases.fullMs('ann')).toBe(600);
  expect(leases.fullMs('bob')).toBeUndefined();
  expect(consume).toHaveBeenCalledTimes(3);
  vi.advanceTimersByTime(599);
  expect(leases.fullMs('ann')).toBe(1);
  vi.advanceTimersByTime(1);
  expect(leases.fullMs('ann')).toBeUndefined();
  expect(await granted(leases, 'ann', 3)).toBe(2);
});

it('forgets those whose second is over behind one that came again', async () => {
  const leases = new Leases(new RateLimiterMemory({ points: 100, duration: 1 }));
  await leases.take('ann');
  vi.advanceTimersByTime(500);
  await leases.take('bob');
  vi.advanceTimersByTime(500);
  await leases.take('ann');
  vi.advanceTimersByTime(600);
  await leases.take('gil');
  expect(leases.size).toBe(2);
});

it('keeps those whose second goes on', async () => {
  const leases = new Leases(new RateLimiterMemory({ points: 100, duration: 1 }));
  await leases.take('ann');
  vi.advanceTimersByTime(600);
  await leases.take('bob');
  expect(leases.size).toBe(2);
  vi.advanceTimersByTime(400);
  await leases.take('gil');
  expect(leases.size).toBe(2);
  // Who comes again is the last to end.
  await leases.take('ann');
  vi.advanceTimersByTime(600);
  await leases.take('eve');
  expect(leases.size).toBe(3);
});
