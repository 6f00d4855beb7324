/**
 * `npm start`: makes the clone ready and serves the official server-everything. What follows
 * `npm start --` goes to tidegate; a command after a further `--` is served in its stead.
 */
import { join } from 'node:path';

import { ensureBuilt, ensureInstalled, root } from './bootstrap.mjs';

const SERVER = 'node_modules/@modelcontextprotocol/server-everything/dist/index.js';

try {
  await ensureInstalled();
  await ensureBuilt();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

if (process.env.npm_lifecycle_event !== undefined) endWithNpm();

const words = process.argv.slice(2);
const command = words.includes('--') ? [] : ['--', process.execPath, join(root, SERVER), 'stdio'];
// In this process: a signal reaches the program once, and its exit code is ours.
process.argv = [process.execPath, 'tidegate', ...words, ...command];
await import('../dist/cli/main.js');

/** A signal to npm ends npm and the shell between us, which passes nothing on; then we go too. */
function endWithNpm() {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}
