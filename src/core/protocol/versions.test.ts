import { expect, test } from 'vitest';
import {
  hasBatches,
  hasPriming,
  isLegacyVersion,
  isModernVersion,
  LATEST_LEGACY_VERSION,
  LEGACY_VERSIONS,
  MODERN_VERSIONS,
} from './versions.ts';

const ALL = [...MODERN_VERSIONS, ...LEGACY_VERSIONS];

test('every revision is of exactly one kind, newest first', () => {
  expect(ALL).toEqual(ALL.toSorted().toReversed());
  expect(ALL.filter(isLegacyVersion)).toEqual(LEGACY_VERSIONS);
  expect(ALL.filter(isModernVersion)).toEqual(MODERN_VERSIONS);
  expect(LATEST_LEGACY_VERSION).toBe(LEGACY_VERSIONS[0]);
});

test('an unknown revision is of no kind and has nothing', () => {
  for (const version of ['', '2025-11-26', '9999-01-01', 'toString', ' 2025-11-25']) {
    expect(isLegacyVersion(version) || isModernVersion(version)).toBe(false);
    expect(hasBatches(version) || hasPriming(version)).toBe(false);
  }
});

test('only 2025-03-26 has batches', () => {
  expect(ALL.filter(hasBatches)).toEqual(['2025-03-26']);
});

test('W29: only 2025-11-25 has priming events; 2026-07-28 has no event ids at all', () => {
  expect(ALL.filter(hasPriming)).toEqual(['2025-11-25']);
});
