import { expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { ClockWatch } from './clock-watch.ts';

it('notices a leap ahead once, and neither adjustments nor a step back', () => {
  const clock = new VirtualClock();
  let ahead = 1_000_000;
  const leaps: number[] = [];
  const watch = new ClockWatch(
    clock,
    () => clock.now() + ahead,
    (ms) => void leaps.push(ms),
  );
  const after = (ms: number): readonly number[] => {
    ahead += ms;
    clock.advance(20_000);
    return leaps.splice(0);
  };
  expect(after(0)).toEqual([]);
  expect(after(59_000)).toEqual([]);
  expect(after(3_600_000)).toEqual([3_600_000]);
  expect(after(0)).toEqual([]);
  expect(after(-7_200_000)).toEqual([]);
  expect(after(7_200_000)).toEqual([7_200_000]);
  watch.stop();
  expect(after(3_600_000)).toEqual([]);
});
