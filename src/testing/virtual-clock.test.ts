import { describe, expect, it } from 'vitest';
import { SeededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('VirtualClock', () => {
  it('runs tasks in order of time, and those of one moment in the order they were armed', () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    for (const [name, delay] of [
      ['c', 30],
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
    ] as const) {
      clock.after(delay, () => ran.push(`${name}@${clock.now()}`));
    }
    clock.advance(25);
    expect(ran).toEqual(['a@10', 'b1@20', 'b2@20']);
    expect(clock.now()).toBe(25);
    clock.advance(5);
    expect(ran.at(-1)).toBe('c@30');
  });

  it('runs what a task arms within the same advance, and nothing disarmed', () => {
    const clock = new VirtualClock();
    const ran: number[] = [];
    const disarm = clock.after(5, () => ran.push(-1));
    clock.after(1, () => {
      disarm();
      disarm();
      clock.after(2, () => ran.push(clock.now()));
    });
    clock.advance(10);
    expect(ran).toEqual([3]);
    expect([clock.pending, clock.nextDeadline()]).toEqual([0, undefined]);
  });

  it('runs until idle, or says that it is not', () => {
    const clock = new VirtualClock(1000);
    const beat = (): void => void clock.after(100, beat);
    clock.after(7, () => undefined);
    expect(clock.runUntilIdle(50)).toBe(true);
    expect(clock.now()).toBe(1007);
    beat();
    expect(clock.runUntilIdle(1000)).toBe(false);
  });

  it('keeps the order of a sorted list under random arming and disarming', () => {
    const random = new SeededRandom(1);
    const clock = new VirtualClock();
    const expected: { at: number; order: number }[] = [];
    const ran: number[] = [];
    for (let order = 0; order < 2000; order += 1) {
      const at = random.int(0, 500);
      const disarm = clock.after(at, () => ran.push(order));
      if (random.chance(0.3)) disarm();
      else expected.push({ at, order });
    }
    expected.sort((one, other) => one.at - other.at || one.order - other.order);
    expect(clock.pending).toBe(expected.length);
    clock.advance(500);
    expect(ran).toEqual(expected.map((task) => task.order));
  });
});
