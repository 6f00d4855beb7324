/** Holds the list of `npm run mutate` to the files: what it excuses must still be there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { readText, ROOT } from './source-files.ts';

interface Targets {
  readonly TARGETS: readonly { readonly file: string; readonly tests: readonly string[] }[];
}

interface Equivalents {
  readonly EQUIVALENT: readonly { readonly file: string; readonly line: string }[];
}

const [targets, equivalents] = ['mutate-targets', 'mutate-equivalents'].map(
  (name) => `../scripts/${name}.mjs`,
);
const { TARGETS } = (await import(targets ?? '')) as Targets;
const { EQUIVALENT } = (await import(equivalents ?? '')) as Equivalents;

test('every module that is mutated has the tests that are to notice', () => {
  const missing = TARGETS.flatMap(({ file, tests }) => [file, ...tests]).filter(
    (each) => !existsSync(join(ROOT, each)),
  );
  expect(missing).toEqual([]);
  expect(TARGETS.length).toBeGreaterThan(0);
});

test('every change that is excused is of a line that is there, in a module that is mutated', () => {
  const files = new Set(TARGETS.map(({ file }) => file));
  const stale = EQUIVALENT.filter(({ file, line }) => {
    const lines = readText(file)
      .split('\n')
      .map((each) => each.trim());
    return !files.has(file) || !lines.includes(line);
  });
  expect(stale).toEqual([]);
});
