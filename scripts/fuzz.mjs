/**
 * `npm run fuzz -- --minutes n`: makes inputs for whatever reads bytes of others, for that long in
 * all, and adds those that are told of in new words to `test/fuzz/corpus/`. Default: one minute.
 * A failure names its input and its seed.
 */
import { ensureInstalled } from './bootstrap.mjs';
import { runPackageBin } from './run.mjs';

const at = process.argv.indexOf('--minutes');
const minutes = at === -1 ? 1 : Number(process.argv[at + 1]);
if (!(minutes > 0)) {
  console.error('Give a number of minutes: npm run fuzz -- --minutes 5');
  process.exitCode = 2;
} else {
  await ensureInstalled();
  process.env.TIDEGATE_FUZZ_MINUTES = String(minutes);
  process.exitCode = await runPackageBin('vitest', ['run', 'test/fuzz/targets.test.ts']);
}
