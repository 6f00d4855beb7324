/**
 * `npm run check`: everything that must hold before a commit, in the order in which it is quickest to
 * fail. The tests include the import table of ARCHITECTURE.md, the style rules, the documents and the
 * package's promises. `npm run check -- lint types` runs only the named parts.
 */
import { ensureInstalled } from './bootstrap.mjs';
import { runNode, runPackageBin } from './run.mjs';

const PARTS = {
  format: () => runPackageBin('oxfmt', ['--check', '.']),
  lint: () => runPackageBin('oxlint', ['--deny-warnings']),
  types: () => runPackageBin('typescript', ['-p', 'tsconfig.json'], 'tsc'),
  build: () => runNode('scripts/build.mjs'),
  tests: () => runNode('scripts/test.mjs'),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((part) => !Object.hasOwn(PARTS, part));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. Parts are: ${Object.keys(PARTS).join(', ')}.`);
  process.exitCode = 2;
} else {
  process.exitCode = await check(wanted.length > 0 ? wanted : Object.keys(PARTS));
}

async function check(parts) {
  await ensureInstalled();
  const failed = [];
  for (const part of parts) {
    console.log(`\n--- ${part}`);
    if ((await PARTS[part]()) !== 0) failed.push(part);
  }
  console.log(failed.length === 0 ? '\nAll parts hold.' : `\nFailed: ${failed.join(', ')}.`);
  return failed.length === 0 ? 0 : 1;
}
