import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReconnectDelay, retryAfterMs } from './reconnect-delay.ts';

function delayWith(fraction: number): ReconnectDelay {
  return new ReconnectDelay({ fraction: () => fraction, sessionId: () => 'x' });
}

it('doubles with full jitter up to a bound, and begins anew after a success', () => {
  const delay = delayWith(1);
  const waits = Array.from({ length: 9 }, () => delay.next(undefined));
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  delay.succeeded();
  expect(delay.next(undefined)).toBe(500);
  expect(delayWith(0).next(undefined)).toBe(0);
});

it('never comes earlier than the server asked, nor later than it may ask', () => {
  const asked = fc.nat(10_000_000);
  fc.assert(
    fc.property(asked, fc.nat(20), fc.double({ min: 0, max: 0.999, noNaN: true }), (ms, n, at) => {
      const delay = delayWith(at);
      for (let i = 0; i < n; i += 1) delay.next(ms);
      const wait = delay.next(ms);
      expect(wait).toBeGreaterThanOrEqual(Math.min(ms, 300_000));
      expect(wait).toBeLessThanOrEqual(330_000);
    }),
  );
  expect(delayWith(1).next(100)).toBe(150);
});

it('waits a moment though the server asks for none, however often it succeeds', () => {
  const delay = delayWith(0);
  for (let i = 0; i < 3; i += 1) {
    expect(delay.next(0)).toBe(100);
    delay.succeeded();
  }
  expect(delay.next(99)).toBe(100);
});

const NOW = 'Wed, 21 Oct 2026 07:28:00 GMT';

it('reads Retry-After in seconds, and as a date by the clock of the reply', () => {
  expect(retryAfterMs(' 120 ', undefined)).toBe(120_000);
  expect(retryAfterMs('Wed, 21 Oct 2026 07:28:07 GMT', NOW)).toBe(7000);
  expect(retryAfterMs('Wed, 21 Oct 2026 07:27:00 GMT', NOW)).toBe(0);
  expect(retryAfterMs(NOW, undefined)).toBeUndefined();
});

it('takes nothing else for a Retry-After', () => {
  for (const header of [undefined, '', '-1', '1.5', '2026-10-21', 'soon', '9'.repeat(20)]) {
    expect(retryAfterMs(header, NOW)).toBeUndefined();
  }
});
