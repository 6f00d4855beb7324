/** `npm run docs`: writes the pages of docs/reference/ that come from tables in src/core/. */
import { ensureInstalled } from './bootstrap.mjs';
import { runPackageBin } from './run.mjs';

await ensureInstalled();
process.exitCode = await runPackageBin('vitest', [
  'run',
  'test/docs.test.ts',
  '--testNamePattern=written from the code',
  '--update',
]);
