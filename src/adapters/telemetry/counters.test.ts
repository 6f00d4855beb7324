import { describe, expect, it } from 'vitest';
import { Counters } from './counters.ts';

describe('Counters', () => {
  it('keeps label values apart', () => {
    const counters = new Counters();
    counters.add('a', { x: '1' });
    counters.add('a', { x: 1 });
    counters.add('a', { x: '1' }, 4);
    counters.add('a', { x: '1\ny="2"' });
    counters.add('a', { x: '1', y: '2' });
    expect(counters.snapshot().map((counter) => counter.value)).toEqual([5, 1, 1, 1]);
  });

  it('holds no more series than its bound, and counts what it could not keep apart', () => {
    const counters = new Counters(3);
    for (let method = 0; method < 10; method += 1) counters.add('requests', { method });
    counters.add('requests', { method: 0 });
    const all = counters.snapshot();
    expect(all).toHaveLength(4);
    expect(all[0]!.value).toBe(2);
    expect(all[3]).toEqual({ name: 'series_overflow_total', labels: {}, value: 7 });
  });

  it('gives a snapshot that later counts do not change', () => {
    const counters = new Counters();
    counters.add('a', {});
    const before = counters.snapshot();
    counters.add('a', {});
    expect(before[0]!.value).toBe(1);
  });
});
