/**
 * `npm run bench`: measures Tidegate beside two floors and its peers, writes bench/results/, stops by
 * itself and leaves no process behind.
 *
 * Options: `--only calls,bridged` (names below), `--servers tidegate,bare-gateway`, `--quick`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const SCENARIOS = [
  'calls',
  'bridged',
  'remote',
  'connect',
  'principals',
  'gateway',
  'trust',
  'neighbours',
  'idle',
  'flat',
  'stalled',
];
// Nothing may run longer than this, whatever hangs.
const RUN_MS_MAX = 60 * 60_000;
const root = fileURLToPath(new URL('..', import.meta.url));
const bench = fileURLToPath(new URL('.', import.meta.url));

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: SCENARIOS.join(',') },
    servers: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const only = options.only.split(',');
const servers = options.servers?.split(',');
const unknown = only.filter((name) => !SCENARIOS.includes(name));
if (unknown.length > 0) fail(2, `unknown: ${unknown.join(', ')}; known: ${SCENARIOS.join(', ')}`);
if (process.platform !== 'linux') fail(1, 'the accounting reads /proc, so this runs on Linux only');

if (!existsSync(`${root}/node_modules`)) npm(root, ['ci']);
if (!existsSync(`${bench}/node_modules`)) npm(bench, ['ci', '--ignore-scripts']);
if (servers === undefined || servers.includes('tidegate')) npm(root, ['run', 'build']);

// Only now, because these import what was just installed.
const { measure } = await import('./measure/run-scenarios.mjs');
const timer = setTimeout(() => fail(1, 'took too long'), RUN_MS_MAX);
const isFine = await measure({ only, servers, isQuick: options.quick });
clearTimeout(timer);
process.exit(isFine ? 0 : 1);

function npm(folder, args) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', [...args, ...quiet], { cwd: folder, stdio: 'inherit' });
  if (status !== 0) fail(1, `npm ${args.join(' ')} failed in ${folder}`);
}

function fail(code, why) {
  process.stderr.write(`bench: ${why}\n`);
  process.exit(code);
}
