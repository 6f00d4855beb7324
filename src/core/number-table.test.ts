import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumberTable } from './number-table.ts';

const STEP = fc.record({
  do: fc.constantFrom('add', 'delete'),
  number: fc.integer({ min: 1, max: 90 }),
});

describe('a table of numbers', () => {
  it('holds what a Map would, whatever comes and goes', () => {
    fc.assert(
      fc.property(
        fc.array(STEP, { maxLength: 300, size: 'max' }),
        fc.constantFrom(1, 16, 2 ** 31, 2 ** 40),
        (steps, stride) => {
          const table = new NumberTable<{ readonly number: number }>();
          const map = new Map<number, { readonly number: number }>();
          for (const step of steps) {
            const number = step.number * stride;
            if (step.do === 'delete') expect(table.delete(number)).toBe(map.delete(number));
            else if (!map.has(number)) {
              const item = { number };
              map.set(number, item);
              table.add(item);
            }
            expect(table.size).toBe(map.size);
          }
          for (let each = 0; each <= 91; each += 1) {
            expect(table.find(each * stride)).toBe(map.get(each * stride));
          }
          const sorted = [...map.values()].sort((a, b) => a.number - b.number);
          expect(table.where(() => true)).toEqual(sorted);
          for (const item of sorted) expect(table.some((each) => each === item)).toBe(true);
          const isEven = ({ number }: { readonly number: number }) => number % 2 === 0;
          expect(table.where(isEven)).toEqual(sorted.filter(isEven));
          expect(table.some(() => false)).toBe(false);
        },
      ),
    );
  });

  it('takes ten thousand at once and lets all of them go', () => {
    const table = new NumberTable<{ readonly number: number }>();
    for (let number = 1; number <= 10_000; number += 1) table.add({ number });
    expect(table.where(() => true).map(({ number }) => number)).toEqual(
      Array.from({ length: 10_000 }, (_, index) => index + 1),
    );
    for (let number = 10_000; number >= 1; number -= 1) expect(table.delete(number)).toBe(true);
    expect(table.size).toBe(0);
    expect(table.where(() => true)).toEqual([]);
  });
});
