import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { Ticker } from './ticker.ts';
import { TrustDeadlines } from './trust-deadlines.ts';

class Stage {
  readonly clock = new VirtualClock(10_000);
  readonly deadlines = new TrustDeadlines(this.clock, new Ticker(this.clock));
  readonly ended: [string, number][] = [];

  /** A stream whose credential ends in so many milliseconds. */
  stream(name: string, inMs: number) {
    const expire = (): void => void this.ended.push([name, this.clock.now() - 10_000]);
    const stream = { trustedUntil: 10_000 + inMs, expire };
    this.deadlines.add(stream);
    return stream;
  }
}

describe('deadlines of trust', () => {
  it.each([0, 1, 999, 1000, 1500, 2999, 3000, 60_001])(
    'end a stream no later than its credential, and no two seconds early: %d ms',
    (inMs) => {
      const stage = new Stage();
      stage.stream('a', inMs);
      stage.clock.advance(120_000);
      expect(stage.ended).toHaveLength(1);
      const at = stage.ended[0]?.[1] ?? NaN;
      // Whoever is over already ends with the next look.
      expect(at).toBeLessThanOrEqual(Math.max(inMs, 1000));
      expect(at).toBeGreaterThan(inMs - 2000);
    },
  );

  it('end each stream once, in its own second', () => {
    const stage = new Stage();
    for (const [name, inMs] of [
      ['a', 5000],
      ['b', 5100],
      ['c', 9500],
    ] as const) {
      stage.stream(name, inMs);
    }
    stage.clock.advance(4000);
    expect(stage.ended.map(([name]) => name)).toEqual(['a', 'b']);
    stage.clock.advance(60_000);
    expect(stage.ended.map(([name]) => name)).toEqual(['a', 'b', 'c']);
  });

  it('leave alone what was closed, and its neighbours of the same second', () => {
    const stage = new Stage();
    const closed = stage.stream('a', 5000);
    stage.stream('b', 5001);
    stage.deadlines.delete(closed);
    stage.deadlines.delete(closed);
    stage.clock.advance(60_000);
    expect(stage.ended.map(([name]) => name)).toEqual(['b']);
  });

  it('cost nothing for credentials without an end, and nothing once all is closed', () => {
    const stage = new Stage();
    const endless = stage.stream('a', Infinity);
    expect(stage.clock.pending).toBe(0);
    stage.deadlines.delete(endless);
    const closed = stage.stream('b', 50_000);
    expect(stage.clock.pending).toBe(1);
    stage.deadlines.delete(closed);
    stage.clock.advance(1000);
    expect(stage.clock.pending).toBe(0);
    expect(stage.ended).toEqual([]);
  });

  it('are one item in the queue of the ticker, however many streams there are', () => {
    let armed = 0;
    const ticker = { queue: () => () => void (armed += 1) } as unknown as Ticker;
    const deadlines = new TrustDeadlines(new VirtualClock(), ticker);
    for (const trustedUntil of [5000, 9000, 9001]) deadlines.add({ trustedUntil, expire() {} });
    expect(armed).toBe(1);
  });

  it('look once a second, however many there are, and again after a pause', () => {
    const stage = new Stage();
    for (let i = 0; i < 100; i += 1) stage.stream(`${i}`, 5000 + i * 100);
    expect(stage.clock.pending).toBe(1);
    stage.clock.advance(60_000);
    expect([stage.ended.length, stage.clock.pending]).toEqual([100, 0]);
    stage.stream('late', 63_000);
    expect(stage.clock.nextDeadline()).toBe(71_000);
    stage.clock.advance(10_000);
    expect(stage.ended).toHaveLength(101);
  });
});
