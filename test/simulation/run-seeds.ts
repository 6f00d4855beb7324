import { expect, it } from 'vitest';
import type { Isolation } from './scenario.ts';
import { describeFailure, simulate, type Subject } from './simulate.ts';

/** What a run of many seeds must have seen, or it proved nothing. */
const MUST_HAPPEN = [
  'answered',
  'failed',
  'cancelled',
  'json',
  'stream',
  'batch',
  'resume exact',
  'resume gap',
  'question',
  'trespass',
  'input_required',
  'notifications/progress',
  'notifications/cancelled',
  'listen notifications/tools/list_changed',
  'listen notifications/resources/updated',
  'closed slow-reader',
  'closed stalled',
  'closed rotated',
  'closed replaced',
  'closed drained',
  'session gone',
];

/** Runs `count` seeds from `first`, or the one that `TIDEGATE_SEED` names. */
export function runSeeds(
  isolation: Isolation,
  first: number,
  count: number,
  subject: Subject,
  file: string = isolation,
): void {
  const named = process.env['TIDEGATE_SEED'];
  const seeds =
    named === undefined
      ? Array.from({ length: count }, (_, index) => first + index)
      : [Number(named)];

  it(`keeps every promise on ${seeds.length} seeds from ${first} with isolation ${isolation}`, async () => {
    const counts = new Map<string, number>();
    for (const seed of seeds) {
      const result = await simulate(seed, isolation, subject);
      if (result.violations.length > 0) expect.fail(describeFailure(result, file));
      for (const [what, times] of result.counts) counts.set(what, (counts.get(what) ?? 0) + times);
    }
    if (process.env['TIDEGATE_COUNTS'] !== undefined) console.log(Object.fromEntries(counts));
    if (named === undefined) {
      expect(MUST_HAPPEN.filter((what) => !counts.has(what))).toEqual([]);
    }
  }, 120_000);
}
