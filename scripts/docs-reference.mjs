/**
 * `npm run docs`: writes the pages of docs/reference/ that come from tables in src/core/, and the one
 * that comes from what a test saw.
 */
import { ensureInstalled } from './bootstrap.mjs';
import { runPackageBin } from './run.mjs';

await ensureInstalled();
process.exitCode = await runPackageBin('vitest', [
  'run',
  'test/docs.test.ts',
  'test/matrix',
  '--testNamePattern=is written from',
  '--update',
]);
