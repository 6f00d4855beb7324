/**
 * Makes a fresh clone ready: installs what the lock file names and builds what the sources say, and
 * does nothing when both are there. It needs nothing but Node, because it runs before anything is installed.
 * What it runs prints to stderr, so that stdout stays free for machine output.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Installs the locked packages when one is missing or another version. */
export async function ensureInstalled() {
  requireNode();
  if (isInstalled()) return;
  say('Installing packages (npm ci) …');
  await npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** Builds `dist/` when it is missing or older than the sources. Call `ensureInstalled` first. */
export async function ensureBuilt() {
  if (isBuilt()) return;
  say('Building (npm run build) …');
  await npm(['run', 'build', '--silent']);
}

function isInstalled() {
  const installed = readJson('node_modules/.package-lock.json')?.packages;
  const wanted = readJson('package-lock.json')?.packages;
  if (installed === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' ||
      entry.optional === true ||
      entry.devOptional === true ||
      entry.peer === true ||
      installed[path]?.version === entry.version,
  );
}

function isBuilt() {
  const outputs = ['dist/index.js', 'dist/cli/main.js'].map((path) => join(root, path));
  if (!outputs.every((path) => existsSync(path))) return false;
  const builtAt = Math.min(...outputs.map((path) => statSync(path).mtimeMs));
  const sources = ['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
  return sources.every((path) => newestChange(join(root, path)) <= builtAt);
}

/** A folder's own time counts too: it moves when a file in it is removed. */
function newestChange(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return path.endsWith('.test.ts') ? 0 : stat.mtimeMs;
  return readdirSync(path).reduce(
    (newest, name) => Math.max(newest, newestChange(join(path, name))),
    stat.mtimeMs,
  );
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'));
  } catch {
    return undefined;
  }
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(`Tidegate needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
}

/**
 * Under `npm start` npm names its own script; that is run with this Node, since `npm` is a shell
 * script on Windows.
 */
function npm(args) {
  const label = `npm ${args.slice(0, 2).join(' ')}`;
  const script = process.env.npm_execpath;
  return script !== undefined && /\.c?js$/.test(script)
    ? run(label, process.execPath, [script, ...args])
    : run(label, 'npm', args, process.platform === 'win32');
}

function run(label, command, args, shell = false) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.on('error', (cause) => reject(new Error(`${label} could not be run.`, { cause })));
    child.on('exit', (code, signal) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      if (code === 0) resolve();
      else reject(new Error(`${label} failed (${signal ?? `exit code ${code}`}).`));
    });
  });
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
