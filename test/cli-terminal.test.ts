/** The command in a terminal that is closed, as the window of one is. It needs a build. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { ensureBuilt } from '../scripts/bootstrap.mjs';
import { ROOT } from './source-files.ts';

const PATIENCE = { timeout: 15_000, interval: 20 };
const COMMAND = [process.execPath, join(ROOT, 'test/fixtures/cli/pid-server.mjs')];
/** What makes a terminal: `script` of util-linux, whose options others lack. */
const isPossible =
  process.platform === 'linux' && spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;

let folder: string;
let terminal: ChildProcess | undefined;

beforeAll(() => ensureBuilt(), 120_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-terminal-'));
});

afterEach(() => {
  terminal?.kill('SIGKILL');
  const pid = existsSync(join(folder, 'pid')) ? pidOf(folder) : 0;
  if (pid > 0 && isThere(pid)) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true });
});

const why = isPossible ? '' : ' (skipped: there is no script of util-linux)';

test.runIf(isPossible).each([
  ['a command', ['--', ...COMMAND]],
  ['a config', ['--config', 'tidegate.yaml']],
])(`%s ends with its terminal${why}`, { timeout: 60_000 }, async (_, words) => {
  const [command = '', ...args] = COMMAND;
  const config = { servers: { one: { command, args } } };
  writeFileSync(join(folder, 'tidegate.yaml'), JSON.stringify(config), { mode: 0o600 });
  await typed(['--port', '0', ...words], 'curl -s');
  const pid = pidOf(folder);
  expect(isThere(pid)).toBe(true);
  terminal?.kill('SIGKILL');
  await vi.waitFor(() => expect(isThere(pid)).toBe(false), PATIENCE);
});

test.runIf(isPossible)(`connect says what it waits for${why}`, { timeout: 60_000 }, async () => {
  await typed(['connect', 'http://127.0.0.1:1/mcp'], 'Waiting for messages on standard input');
});

/** Starts the command in a terminal, and waits until it has printed something. */
async function typed(words: readonly string[], awaited: string): Promise<void> {
  const main = join(ROOT, 'dist/cli/main.js');
  const line = [process.execPath, main, ...words].map((word) => `'${word}'`);
  let said = '';
  terminal = spawn('script', ['-qec', `echo $$ > pid; exec ${line.join(' ')}`, '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', XDG_CONFIG_HOME: folder, SHELL: '/bin/sh' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  terminal.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await vi.waitFor(() => expect(said).toContain(awaited), PATIENCE);
}

function pidOf(place: string): number {
  return Number(readFileSync(join(place, 'pid'), 'utf8'));
}

/** One that ended and that nobody waits for, in a container without an init, is not there. */
function isThere(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
