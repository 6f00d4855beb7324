import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cachingOf, mergedCaching, NOT_KEPT } from './merged-caching.ts';

const caching = fc.record({
  ttlMs: fc.nat(),
  cacheScope: fc.constantFrom('public' as const, 'private' as const),
});

test('what is merged is kept no longer and shared no wider than any part of it', () => {
  fc.assert(
    fc.property(fc.array(caching, { minLength: 1 }), (parts) => {
      const merged = mergedCaching(parts);
      for (const part of parts) {
        expect(merged.ttlMs).toBeLessThanOrEqual(part.ttlMs);
        if (part.cacheScope === 'private') expect(merged.cacheScope).toBe('private');
      }
      expect(parts.map(({ ttlMs }) => ttlMs)).toContain(merged.ttlMs);
      expect(parts.map(({ cacheScope }) => cacheScope)).toContain(merged.cacheScope);
    }),
  );
});

test('nothing is kept of nothing', () => {
  expect(mergedCaching([])).toEqual(NOT_KEPT);
});

test.each([
  [{}, NOT_KEPT],
  [undefined, NOT_KEPT],
  [{ ttlMs: '5', cacheScope: 'PUBLIC' }, NOT_KEPT],
  [
    { ttlMs: -1, cacheScope: 'public' },
    { ttlMs: 0, cacheScope: 'public' },
  ],
  [{ ttlMs: Infinity, cacheScope: null }, NOT_KEPT],
  [
    { ttlMs: 2.5, cacheScope: 'private' },
    { ttlMs: 2, cacheScope: 'private' },
  ],
])('a result that says %j is read as the stricter', (result, expected) => {
  expect(cachingOf(result)).toEqual(expected);
});
