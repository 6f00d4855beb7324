import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { Ticker } from './ticker.ts';

describe('one timer', () => {
  it('serves every queue, each item at its own time', () => {
    const arms = fc.array(fc.record({ at: fc.nat(1000), queue: fc.nat(2) }), {
      maxLength: 40,
      size: 'max',
    });
    fc.assert(
      fc.property(fc.array(fc.nat(500), { minLength: 3, maxLength: 3 }), arms, (delays, armed) => {
        const clock = new VirtualClock();
        const ticker = new Ticker(clock);
        const fired: { readonly due: number; readonly at: number }[] = [];
        const queues = delays.map((delayMs) =>
          ticker.queue(delayMs, (due: number, now) => {
            fired.push({ due, at: now });
            return undefined;
          }),
        );
        for (const { at, queue } of armed.toSorted((one, other) => one.at - other.at)) {
          clock.advance(at - clock.now());
          queues[queue]?.(at + (delays[queue] ?? 0));
          expect(clock.pending).toBeLessThanOrEqual(1);
        }
        clock.advance(2000);
        expect(fired).toHaveLength(armed.length);
        for (const { due, at } of fired) expect(at).toBe(due);
        expect(clock.pending).toBe(0);
      }),
    );
  });

  it('is not armed while nothing waits, and only once while much does', () => {
    const clock = new VirtualClock();
    const ticker = new Ticker(clock);
    const arm = ticker.queue(100, () => undefined);
    expect(clock.pending).toBe(0);
    for (let i = 0; i < 50; i += 1) arm(i);
    expect([clock.pending, clock.nextDeadline()]).toEqual([1, 100]);
    clock.advance(100);
    expect(clock.pending).toBe(0);
  });

  it('beats on for an item that says when it was active last', () => {
    const clock = new VirtualClock();
    const ticker = new Ticker(clock);
    const beats: number[] = [];
    const arm = ticker.queue(100, (_item: string, now) => {
      beats.push(now);
      return beats.length === 2 ? now - 40 : now;
    });
    arm('heart');
    clock.advance(500);
    expect(beats).toEqual([100, 200, 260, 360, 460]);
  });

  it('lets one item arm another while it fires', () => {
    const clock = new VirtualClock();
    const ticker = new Ticker(clock);
    const fired: string[] = [];
    const slow = ticker.queue(50, (item: string) => void fired.push(`${item} ${clock.now()}`));
    const quick = ticker.queue(10, (item: string) => {
      fired.push(`${item} ${clock.now()}`);
      if (item === 'one') quick('two');
      slow(`after ${item}`);
      return undefined;
    });
    quick('one');
    clock.advance(1000);
    expect(fired).toEqual(['one 10', 'two 20', 'after one 60', 'after two 70']);
    expect(clock.pending).toBe(0);
  });

  it('that is stopped fires nothing and is armed by nothing, not even while it fires', () => {
    const clock = new VirtualClock();
    const ticker = new Ticker(clock);
    let count = 0;
    const arm = ticker.queue(10, (_item: number, now) => {
      count += 1;
      ticker.stop();
      return now;
    });
    arm(1);
    clock.advance(1000);
    arm(2);
    clock.advance(1000);
    expect([count, clock.pending]).toEqual([1, 0]);
  });
});
