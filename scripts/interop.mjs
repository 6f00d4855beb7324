/**
 * `npm run test:interop`: clients and servers of other languages' SDKs, over sockets. Installs what is
 * pinned in `test/interop` once, into a cache, skips by name what this machine has no toolchain for, and
 * ends with one line that counts the tests: `N passed, N failed`, and `, N skipped (why)` if any were.
 * What follows `npm run test:interop --` goes to vitest.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, root } from './bootstrap.mjs';
import { runPackageBin } from './run.mjs';

const CACHE = join(root, 'node_modules', '.cache', 'tidegate-interop');
const PINS = join(root, 'test', 'interop');
const INSTALL_MS = 300_000;
const WINDOWS = process.platform === 'win32';

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
  const { ready, missing } = prepareAll();
  for (const reason of missing) console.log(`Skipped: ${reason}`);
  process.env.TIDEGATE_INTEROP = JSON.stringify(ready);
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-interop-'));
  try {
    const report = join(folder, 'report.json');
    const exitCode = await runPackageBin('vitest', [
      'run',
      '--config=test/interop/vitest.config.ts',
      '--reporter=verbose',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ]);
    console.log(countingLine(report, exitCode, missing));
    return exitCode;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is ready, by name, and why the rest is not. */
function prepareAll() {
  mkdirSync(CACHE, { recursive: true });
  const ready = {};
  const missing = [];
  const all = { 'python v1': () => python(1), 'python v2': () => python(2), go: goProgram };
  for (const [name, prepare] of Object.entries(all)) {
    try {
      ready[name] = prepare();
    } catch (error) {
      missing.push(`${name}: ${error.message}`);
    }
  }
  return { ready, missing };
}

/** A virtual environment that holds exactly what the requirements name. */
function python(major) {
  const folder = join(CACHE, `python-v${major}`);
  const pins = join(PINS, 'python', `requirements-v${major}.txt`);
  const installed = join(folder, 'installed.txt');
  const bin = join(folder, WINDOWS ? 'Scripts/python.exe' : 'bin/python');
  if (existsSync(bin) && read(installed) === read(pins)) return bin;
  rmSync(folder, { recursive: true, force: true });
  const system = WINDOWS ? 'python' : 'python3';
  run(system, ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))'], 'needs Python 3.10');
  run(system, ['-m', 'venv', folder], 'no virtual environment could be made');
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', pins];
  run(bin, install, 'its packages could not be installed');
  cpSync(pins, installed);
  return bin;
}

/** Built on each run; Go keeps what did not change. */
function goProgram() {
  const program = join(CACHE, WINDOWS ? 'interop-go.exe' : 'interop-go');
  const folder = join(PINS, 'go');
  run('go', ['version'], 'needs Go');
  run('go', ['build', '-mod=readonly', '-o', program, '.'], 'could not be built', folder);
  return program;
}

function run(command, args, what, cwd = root) {
  const options = { cwd, encoding: 'utf8', timeout: INSTALL_MS };
  const { error, status, stderr } = spawnSync(command, args, options);
  if (error?.code === 'ENOENT') throw new Error(`${what}; there is no ${command} here`);
  if (error !== undefined) throw new Error(`${what}: ${error.message}`);
  if (status === 0) return;
  const said = stderr.trim().split('\n').at(-1);
  throw new Error(said === '' ? what : `${what}: ${said}`);
}

function countingLine(report, exitCode, missing) {
  const counts = JSON.parse(read(report) ?? '{}');
  const { numPassedTests: passed = 0, numPendingTests: skipped = 0 } = counts;
  const counted = counts.numFailedTests ?? 0;
  const failed = exitCode !== 0 && counted === 0 ? 1 : counted;
  const line = `${passed} passed, ${failed} failed`;
  if (skipped === 0) return line;
  const why = missing.length > 0 ? missing.join('; ') : 'servers that tell of no updates';
  return `${line}, ${skipped} skipped (${why})`;
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
