/**
 * `npm run build`: one output for each source file, nothing else. What no source accounts for any more
 * goes after the compiler ran, so a process that uses `dist/` meanwhile never finds it empty.
 */
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { ensureInstalled, root } from './bootstrap.mjs';
import { runPackageBin } from './run.mjs';

const dist = join(root, 'dist');

await ensureInstalled();
process.exitCode = await runPackageBin('typescript', ['-p', 'tsconfig.build.json'], 'tsc');
if (process.exitCode === 0) {
  removeStale();
  chmodSync(join(dist, 'cli/main.js'), 0o755);
}

function removeStale() {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const output = join(entry.parentPath, entry.name);
    const stem = output.slice(dist.length).replace(/(\.d\.ts|\.js)(\.map)?$/, '');
    const isTest = stem.endsWith('.test');
    if (isTest || !existsSync(`${join(root, 'src', stem)}.ts`)) rmSync(output);
  }
}
