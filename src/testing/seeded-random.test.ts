import { describe, expect, it } from 'vitest';
import { SeededRandom } from './seeded-random.ts';

describe('SeededRandom', () => {
  it('repeats itself from the same seed and differs from another', () => {
    const draw = (seed: number): number[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 20 }, () => random.bits());
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(new Set(draw(0)).size).toBe(20);
  });

  it('spreads evenly over its range', () => {
    const random = new SeededRandom(3);
    const counts = [0, 0, 0, 0];
    for (let index = 0; index < 40_000; index += 1) {
      const value = random.int(0, 3);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  it('makes session ids of 132 bits in the alphabet of the port', () => {
    const random = new SeededRandom(5);
    const ids = Array.from({ length: 1000 }, () => random.sessionId());
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(new Set(ids).size).toBe(1000);
  });

  it('weighs choices, and never picks what weighs nothing', () => {
    const random = new SeededRandom(9);
    const counts = { often: 0, rarely: 0, never: 0 };
    for (let index = 0; index < 10_000; index += 1) {
      counts[random.weighted({ often: 9, rarely: 1, never: 0 })] += 1;
    }
    expect(counts.never).toBe(0);
    expect(counts.rarely).toBeGreaterThan(800);
    expect(counts.rarely).toBeLessThan(1200);
  });
});
