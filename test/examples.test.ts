/**
 * Every example runs as its reader would run it: by Node, against the built package. It needs a
 * build.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

import { readText, ROOT } from './source-files.ts';

const run = promisify(execFile);
const EXAMPLES = readdirSync(join(ROOT, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

test('every example is in the table of their page', () => {
  const page = readText('examples/README.md');
  expect(EXAMPLES.filter((name) => !page.includes(`| [${name}](${name}/main.mjs) |`))).toEqual([]);
  expect(EXAMPLES.length).toBeGreaterThan(0);
});

test.each(EXAMPLES)('the example %s does what it says, and ends by itself', async (name) => {
  const program = join('examples', name, 'main.mjs');
  expect(existsSync(join(ROOT, program))).toBe(true);
  const { stdout } = await run(process.execPath, [program], { cwd: ROOT, timeout: 25_000 });
  expect(stdout).toBe('ok\n');
});

test('examples take the package by its name', () => {
  for (const name of EXAMPLES) {
    const text = readText(`examples/${name}/main.mjs`);
    expect(text).toMatch(/from 'tidegate(\/[a-z]+)?'/);
    expect(text).not.toMatch(/from '\.\.\/\.\./);
  }
});
