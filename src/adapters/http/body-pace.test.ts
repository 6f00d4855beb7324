import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BodyPace } from './body-pace.ts';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Ten bytes a look, which is made every 50 ms. */
const LIMITS = { ...DEFAULT_CONNECTION_LIMITS, bodyBytesPerSecondMin: 200, checkMs: 50 };

/** A body that brings so many bytes before each look. */
function watched(
  bytes: readonly number[],
  { msMax = 10_000, isAsked = (): boolean => true } = {},
): { readonly slow: () => number; readonly pace: BodyPace } {
  let times = 0;
  const pace = new BodyPace(LIMITS, msMax, isAsked, () => {
    times += 1;
  });
  for (const each of bytes) {
    pace.add(each);
    vi.advanceTimersByTime(LIMITS.checkMs);
  }
  return { slow: () => times, pace };
}

describe('a body that is waited for', () => {
  it('goes on while each look finds what had to come, in however many parts', () => {
    const { slow, pace } = watched([10, 10, 4000, 10]);
    for (let i = 0; i < 10; i += 1) pace.add(1);
    vi.advanceTimersByTime(50);
    expect(slow()).toBe(0);
    pace.stop();
  });

  it('is slow at the first look that finds less, whatever came before, and told of once', () => {
    const { slow } = watched([4000, 9]);
    expect(slow()).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not slow before its sender could know that it is wanted, nor until the look after', () => {
    let isAsked = false;
    const { slow } = watched([0, 0, 0], { isAsked: () => isAsked });
    isAsked = true;
    vi.advanceTimersByTime(50);
    expect(slow()).toBe(0);
    vi.advanceTimersByTime(50);
    expect(slow()).toBe(1);
  });

  it('takes no longer than all of it may, however fast it comes', () => {
    expect(watched([4000, 4000], { msMax: 150 }).slow()).toBe(0);
    expect(watched([4000, 4000, 4000], { msMax: 150 }).slow()).toBe(1);
  });

  it('is looked at no more once it is whole', () => {
    const { slow, pace } = watched([10]);
    pace.stop();
    vi.advanceTimersByTime(1000);
    expect([slow(), vi.getTimerCount()]).toEqual([0, 0]);
  });
});
