/**
 * `npm test`: makes the clone ready, runs the tests and ends with one line that counts them,
 * `N passed, N failed` and `, N skipped` if any were. What follows `npm test --` goes to vitest.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ensureBuilt, ensureInstalled } from './bootstrap.mjs';
import { runPackageBin } from './run.mjs';

try {
  await ensureInstalled();
  await ensureBuilt();
  process.exitCode = await runTests(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}

async function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-test-'));
  const report = join(folder, 'report.json');
  try {
    const exitCode = await runPackageBin('vitest', [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ]);
    console.log('Not run here, for it needs Python and Go: npm run test:interop');
    console.log(countingLine(readReport(report), exitCode));
    return exitCode;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, testResults: [] };
  }
}

/** A file that did not load and a run that failed outside any test count as one failed test each. */
function countingLine(report, exitCode) {
  const brokenFiles = report.testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const counted = report.numFailedTests + brokenFiles;
  const failed = exitCode !== 0 && counted === 0 ? 1 : counted;
  const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
  const line = `${report.numPassedTests} passed, ${failed} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}
