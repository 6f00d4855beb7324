/**
 * `npm run mutate`: changes the modules that decide who may do what, one small change at a time,
 * and asks their tests. A change that no test notices survives. It prints what survived and the
 * share killed of each file, and fails below 90 % of any. `npm run mutate -- cursor ssrf` looks
 * only at files whose paths hold one of the words.
 *
 * It takes minutes, so it is no part of `npm test`. Files are changed in memory only.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVitest } from 'vitest/node';

import { ensureInstalled, root } from './bootstrap.mjs';
import { EQUIVALENT } from './mutate-equivalents.mjs';
import { mutantsOf, mutated } from './mutate-source.mjs';
import { TARGETS } from './mutate-targets.mjs';

const KILLED_MIN = 0.9;

await ensureInstalled();
const words = process.argv.slice(2);
const targets = TARGETS.filter(
  ({ file }) => words.length === 0 || words.some((word) => file.includes(word)),
);
let isBelow = targets.length === 0;
const all = { killed: 0, count: 0 };
for (const target of targets) {
  const { killed, count } = await examine(target);
  all.killed += killed;
  all.count += count;
  if (killed < count * KILLED_MIN) isBelow = true;
}
console.log(`${all.killed} of ${all.count} changes were noticed (${share(all)}).`);
process.exitCode = isBelow ? 1 : 0;

/** Runs the tests of a file once for every change, in workers that are started anew. */
async function examine({ file, within, tests }) {
  const path = join(root, file);
  const source = readFileSync(path, 'utf8');
  const excused = EQUIVALENT.filter((each) => each.file === file);
  const mutants = mutantsOf(file, source, within).filter(
    (mutant) => !excused.some((each) => isExcused(each, mutant, source)),
  );
  let current;
  const plugin = {
    name: 'mutant',
    enforce: 'pre',
    transform(code, id) {
      if (current === undefined || id.split('?')[0] !== path) return undefined;
      return { code: mutated(file, code, current), map: null };
    },
  };
  const vitest = await createVitest(
    'test',
    {
      root,
      watch: false,
      bail: 1,
      reporters: [{}],
      pool: 'threads',
      maxWorkers: 2,
      testTimeout: 5000,
      update: false,
      silent: true,
      dangerouslyIgnoreUnhandledErrors: false,
    },
    { plugins: [plugin], logLevel: 'silent', server: { watch: null } },
  );
  const survived = [];
  try {
    const specifications = await vitest.globTestSpecifications(
      tests.map((each) => join(root, each)),
    );
    if (!(await passes(vitest, specifications))) {
      throw new Error(`The tests of ${file} fail as it is.`);
    }
    for (const mutant of mutants) {
      current = mutant;
      vitest.invalidateFile(path);
      if (await passes(vitest, specifications)) survived.push(mutant);
    }
  } finally {
    await vitest.close();
  }
  const result = { count: mutants.length, killed: mutants.length - survived.length };
  console.log(`${share(result).padStart(6)}  ${result.killed}/${result.count}  ${file}`);
  for (const { line, original, text } of survived) {
    console.log(`        ${line}: ${onOneLine(original)} -> ${onOneLine(text)}`);
  }
  return result;
}

async function passes(vitest, specifications) {
  const exitCode = process.exitCode;
  vitest.state.clearErrors();
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  // A run of failing tests says so of the process, which is not what we report.
  process.exitCode = exitCode;
  // What a failure elsewhere kept from running did not pass.
  return unhandledErrors.length === 0 && testModules.every((each) => each.state() === 'passed');
}

/** The line as it stands now: one that was changed is judged anew. */
function isExcused({ line, text }, mutant, source) {
  return source.split('\n')[mutant.line - 1]?.trim() === line && mutant.text === text;
}

function share({ killed, count }) {
  return count === 0 ? '100 %' : `${((100 * killed) / count).toFixed(1)} %`;
}

function onOneLine(text) {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 100 ? `${line.slice(0, 97)}...` : line;
}
