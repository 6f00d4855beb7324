import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadlines } from './deadlines.ts';

const DELAY_MS = 100;

/**
 * What may happen to a queue: time passes and something is armed, or everything that is due is
 * taken.
 */
const STEPS = fc.array(
  fc.record({
    passMs: fc.nat(150),
    isArm: fc.boolean(),
    /** How long before now an item that is taken was last active; undefined lets it go. */
    activeAgoMs: fc.array(fc.option(fc.nat(DELAY_MS - 1), { nil: undefined }), { minLength: 1 }),
  }),
  { maxLength: 60, size: 'max' },
);

describe('deadlines', () => {
  it('are never early, never forgotten, and in the order of time', () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        const deadlines = new Deadlines<number>(DELAY_MS);
        const model = new Map<number, number>();
        let now = 0;
        let next = 0;
        for (const { passMs, isArm, activeAgoMs } of steps) {
          now += passMs;
          if (isArm) {
            deadlines.arm(next, now);
            model.set(next, now + DELAY_MS);
            next += 1;
          } else {
            let latest = -Infinity;
            deadlines.due(now, (item, at) => {
              expect(at).toBe(now);
              const due = model.get(item) ?? Infinity;
              expect(due).toBeLessThanOrEqual(now);
              expect(due).toBeGreaterThanOrEqual(latest);
              latest = due;
              const ago = activeAgoMs[item % activeAgoMs.length];
              if (ago === undefined) model.delete(item);
              else model.set(item, now - ago + DELAY_MS);
              return ago === undefined ? undefined : now - ago;
            });
            expect([...model.values()].filter((at) => at <= now)).toEqual([]);
          }
          expect(deadlines.size).toBe(model.size);
          const earliest = model.size === 0 ? undefined : Math.min(...model.values());
          expect(deadlines.nextAt).toBe(earliest);
        }
      }),
    );
  });

  it('hold nothing of what they let go, however many there were', () => {
    const deadlines = new Deadlines<object>(DELAY_MS);
    for (let round = 0; round < 5; round += 1) {
      for (let i = 0; i < 2000; i += 1) deadlines.arm({}, round * 1000);
      deadlines.due(round * 1000 + DELAY_MS, () => undefined);
      expect([deadlines.size, deadlines.nextAt]).toEqual([0, undefined]);
    }
  });

  it('that are armed while others are taken wait for their own time', () => {
    const deadlines = new Deadlines<string>(DELAY_MS);
    deadlines.arm('first', 0);
    const taken: string[] = [];
    const take = (item: string, now: number): undefined => {
      taken.push(item);
      if (item === 'first') deadlines.arm('second', now);
    };
    deadlines.due(150, take);
    expect([taken, deadlines.nextAt]).toEqual([['first'], 250]);
    deadlines.due(250, take);
    expect(taken).toEqual(['first', 'second']);
  });

  it('of an item that claims to be active in the future are not put off for ever', () => {
    const deadlines = new Deadlines<string>(DELAY_MS);
    deadlines.arm('item', 0);
    deadlines.due(100, () => 1_000_000);
    expect(deadlines.nextAt).toBe(200);
  });
});
