import fc from 'fast-check';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Leases } from './leases.ts';

// A second lasts as long as a test says, on any machine.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
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
        // After a second of quiet nothing is remembered of who asked for too much.
        vi.advanceTimersByTime(2000);
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
    vi.advanceTimersByTime(3);
    return consume(key, points);
  });
  const from = performance.now();
  expect(await granted(leases, 'ann', 20)).toBe(20);
  expect((await limiter.get('ann'))?.remainingPoints).toBe(0);
  for (let ms = performance.now() - from; ms < 1010; ms += 1) {
    vi.advanceTimersByTime(1);
    if (ms > 995) expect(await granted(leases, 'ann', 1)).toBe(1);
  }
});

it('forgets those whose second is over, and the one after it', async () => {
  const leases = new Leases(new RateLimiterMemory({ points: 100, duration: 1 }));
  for (let i = 0; i < 50; i += 1) await leases.take(`someone ${i}`);
  vi.advanceTimersByTime(2000);
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
  const limiter = new RateLimiterMemory({ points: 8, duration: 1 });
  const consume = vi.spyOn(limiter, 'consume');
  const leases = new Leases(limiter);
  expect(leases.missedMs('ann')).toBeUndefined();
  expect(await granted(leases, 'ann', 9)).toBe(8);
  vi.advanceTimersByTime(400);
  expect(leases.missedMs('ann')).toBe(600);
  expect(leases.missedMs('bob')).toBeUndefined();
  expect(consume).toHaveBeenCalledTimes(9);
  vi.advanceTimersByTime(599);
  expect(leases.missedMs('ann')).toBe(1);
  vi.advanceTimersByTime(1);
  expect(leases.missedMs('ann')).toBeUndefined();
  expect(await granted(leases, 'ann', 9)).toBe(8);
  expect(consume).toHaveBeenCalledTimes(18);
});

it('refuses nobody for longer than a second when the clock is set back', async () => {
  const leases = new Leases(new RateLimiterMemory({ points: 8, duration: 1 }));
  expect(await granted(leases, 'ann', 9)).toBe(8);
  expect(await granted(leases, 'bob', 4)).toBe(4);
  vi.setSystemTime(Date.now() - 3_600_000);
  expect(await granted(leases, 'bob', 5)).toBe(4);
  expect(await leases.take('gil')).toBeUndefined();
  vi.advanceTimersByTime(1000);
  expect(leases.missedMs('ann')).toBeUndefined();
  for (const one of ['ann', 'bob', 'gil']) expect(await granted(leases, one, 8)).toBe(8);
});

it('gives evenly what a second has, after one in which more than twice of it was asked for', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 40 }),
      async (points, pauses) => {
        const leases = new Leases(new RateLimiterMemory({ points, duration: 1 }));
        expect(await granted(leases, 'ann', 2 * points + 1)).toBe(points);
        vi.advanceTimersByTime(1000);
        let passed = 0;
        let given = await granted(leases, 'ann', points);
        for (const pause of pauses) {
          expect(given).toBe(Math.min(points, Math.floor((passed * points) / 1000) + 1));
          passed += pause;
          if (passed >= 1000) break;
          vi.advanceTimersByTime(pause);
          given += await granted(leases, 'ann', points);
        }
        vi.advanceTimersByTime(3000);
      },
    ),
  );
});

it('says how long until the next point of a second that is given evenly', async () => {
  const limiter = new RateLimiterMemory({ points: 10, duration: 1 });
  const leases = new Leases(limiter);
  expect(await granted(leases, 'ann', 21)).toBe(10);
  vi.advanceTimersByTime(1000);
  expect(await leases.take('ann')).toBeUndefined();
  expect(leases.missedMs('ann')).toBeUndefined();
  expect(await leases.take('ann')).toBe(100);
  vi.advanceTimersByTime(30);
  expect(leases.missedMs('ann')).toBe(70);
  vi.advanceTimersByTime(70);
  expect(leases.missedMs('ann')).toBeUndefined();
  // What was not asked for as it passed is there together.
  vi.advanceTimersByTime(200);
  expect(await granted(leases, 'ann', 10)).toBe(3);
  expect((await limiter.get('ann'))?.consumedPoints).toBe(4);
});

it.each([
  { asked: 20, quietMs: 0, at: 'at once', what: 'who asked for twice as much and no more' },
  { asked: 21, quietMs: 0, at: 'evenly', what: 'who asked for more' },
  { asked: 21, quietMs: 999, at: 'evenly', what: 'who comes back within a second' },
  { asked: 21, quietMs: 1000, at: 'at once', what: 'who comes back after a second' },
])('gives $at to $what', async ({ asked, quietMs, at }) => {
  const leases = new Leases(new RateLimiterMemory({ points: 10, duration: 1 }));
  expect(await granted(leases, 'ann', asked)).toBe(10);
  vi.advanceTimersByTime(1000 + quietMs);
  expect(await granted(leases, 'bob', 10)).toBe(10);
  expect(await granted(leases, 'ann', 10)).toBe(at === 'evenly' ? 1 : 10);
});

it('gives evenly for as long as more than twice is asked for, and no longer', async () => {
  const leases = new Leases(new RateLimiterMemory({ points: 4, duration: 1 }));
  const second = async (each: number): Promise<number[]> => {
    const given = [];
    for (let quarter = 0; quarter < 4; quarter += 1) {
      given.push(await granted(leases, 'ann', each));
      vi.advanceTimersByTime(250);
    }
    return given;
  };
  expect(await second(10)).toEqual([4, 0, 0, 0]);
  expect(await second(10)).toEqual([1, 1, 1, 1]);
  expect(await second(2)).toEqual([1, 1, 1, 1]);
  expect(await second(2)).toEqual([2, 2, 0, 0]);
});

it('forgets those whose second is over behind one that came again', async () => {
  const leases = new Leases(new RateLimiterMemory({ points: 100, duration: 1 }));
  await leases.take('ann');
  vi.advanceTimersByTime(500);
  await leases.take('bob');
  vi.advanceTimersByTime(500);
  await leases.take('ann');
  vi.advanceTimersByTime(1600);
  await leases.take('gil');
  expect(leases.size).toBe(2);
});

it('keeps those whose second goes on, or is the last', async () => {
  const leases = new Leases(new RateLimiterMemory({ points: 100, duration: 1 }));
  await leases.take('ann');
  vi.advanceTimersByTime(600);
  await leases.take('bob');
  expect(leases.size).toBe(2);
  vi.advanceTimersByTime(1400);
  await leases.take('gil');
  expect(leases.size).toBe(2);
  // Who comes again is the last to end.
  await leases.take('bob');
  vi.advanceTimersByTime(600);
  await leases.take('eve');
  expect(leases.size).toBe(3);
});
