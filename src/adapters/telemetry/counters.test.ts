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

  it('keeps names apart, and labels that begin like others', () => {
    const counters = new Counters();
    counters.add('a', { x: '1', y: '2' });
    counters.add('a', { x: '1' });
    counters.add('a', {});
    counters.add('b', { x: '1' }, 3);
    counters.add('a', { x: '1', y: undefined }, 5);
    counters.add('a', { x: '1' });
    expect(counters.snapshot()).toEqual([
      { name: 'a', labels: { x: '1', y: '2' }, value: 1 },
      { name: 'a', labels: { x: '1' }, value: 2 },
      { name: 'a', labels: {}, value: 1 },
      { name: 'b', labels: { x: '1' }, value: 3 },
      { name: 'a', labels: { x: '1', y: undefined }, value: 5 },
    ]);
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
