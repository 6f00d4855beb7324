import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFile, spawnSync } from 'node:child_process';
import { Agent, get } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../scripts/bootstrap.mjs';
import { bounded, CliProcess } from './cli-process.ts';
import { ROOT } from './source-files.ts';

const TOKEN = 'canary-token-0123456789';
const SERVER = ['--', process.execPath, join(ROOT, 'test/fixtures/cli/pid-server.mjs')];
const HELLO = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  },
};

let folder: string;
let pidFile: string;
let running: CliProcess[];

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-cli-'));
  pidFile = join(folder, 'pids');
  running = [];
});

afterEach(async () => {
  for (const cli of running) if (cli.child.exitCode === null) cli.child.kill('SIGKILL');
  await Promise.all(running.map((cli) => cli.ended));
  rmSync(folder, { recursive: true, force: true });
});

function tidegate(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  program?: string,
): CliProcess {
  const cli = new CliProcess(args, { XDG_CONFIG_HOME: folder, ...env }, program);
  running.push(cli);
  return cli;
}

/** Serves the fixture on a free port and waits until it listens. */
async function serving(
  options: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<{ cli: CliProcess; url: string; token: string }> {
  const cli = tidegate(['--port', '0', '--env', `PID_FILE=${pidFile}`, ...options, ...SERVER], env);
  const [, url = ''] = await cli.printed(/(http:\/\/[^/\s"]+)\/mcp/);
  await cli.printed(/upstream_known/);
  const token = env['TIDEGATE_TOKEN'] ?? /Bearer ([\w-]+)/.exec(cli.stderr + cli.stdout)?.[1] ?? '';
  return { cli, url, token };
}

function post(url: string, token: string, message: unknown, session?: string): Promise<Response> {
  return fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
      ...(session === undefined ? {} : { 'Mcp-Session-Id': session }),
    },
    body: JSON.stringify(message),
  });
}

/** One that its server does not answer. */
async function callInFlight(url: string, token: string): Promise<void> {
  const opened = await post(url, token, HELLO);
  await opened.text();
  const session = opened.headers.get('Mcp-Session-Id') ?? '';
  const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'x' } };
  const reply = await post(url, token, call, session);
  void reply.text().catch(() => '');
}

function children(): number[] {
  return readFileSync(pidFile, 'utf8').trim().split('\n').map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function refused(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; text: string }> {
  const cli = tidegate(args, env);
  const { code } = await cli.end();
  expect(cli.stdout).toBe('');
  expect(cli.stderr).toMatch(/^tidegate: [^\n]+\n$/);
  return { code, text: cli.stderr };
}

describe('a start that fails', () => {
  it.each([
    [['--prot', '1', ...SERVER], '--port'],
    [[], 'tidegate -- npx'],
    [['node', 'server.js'], 'put -- before'],
    [['--host', '0.0.0.0', '--no-auth', ...SERVER], '--insecure'],
    [['--upstream', 'http://x/'], 'Without TLS only this machine is called'],
    [['--cwd', '/nowhere', ...SERVER], '/nowhere is not a folder'],
    [['--cwd', `${process.execPath}/x`, ...SERVER], '/x is not a folder'],
  ] as const)('is one line that says what to do, and exit code 2: %j', async (args, sentence) => {
    const { code, text } = await refused(args);
    expect(text).toContain(sentence);
    expect(code).toBe(2);
  });

  it('keeps no token in the current folder where there is no home', async () => {
    const start = ['--port', '0', ...SERVER];
    const env = { HOME: '', XDG_CONFIG_HOME: '' };
    const cli = new CliProcess(start, env, undefined, 'ignore', folder);
    running.push(cli);
    expect((await cli.end()).code).toBe(1);
    expect(cli.stderr).toBe(
      'tidegate: there is no home folder to keep a token in; set HOME or TIDEGATE_TOKEN.\n',
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it
    .runIf(process.platform === 'linux')
    .each([
      [['check', 'tidegate.yaml']],
      [['--config', 'tidegate.yaml']],
      [['--port', '0', ...SERVER]],
    ])('is one line where the current folder is gone: %j', async (args) => {
    const gone = join(folder, 'gone');
    mkdirSync(gone);
    const remove = 'rmdir "$0" && exec "$@"';
    const env = { PATH: process.env['PATH'] ?? '', TIDEGATE_TOKEN: TOKEN };
    const words = ['-c', remove, gone, process.execPath, join(ROOT, 'dist/cli/main.js'), ...args];
    const { status, stderr } = spawnSync('sh', words, { cwd: gone, env, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'tidegate: the current folder is gone. Start in one that exists.\n',
    });
  });

  it('tells a misspelt command before anything listens', async () => {
    const { code, text } = await refused(['--', 'no-such-command-here']);
    expect(text).toContain('no-such-command-here is not on PATH');
    expect(code).toBe(1);
  });

  it('tells a port in use, and starts no server for it', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    try {
      const args = ['--port', String(port), '--env', `PID_FILE=${pidFile}`, ...SERVER];
      const { code, text } = await refused(args);
      expect(text).toContain(`port ${port} on 127.0.0.1 is in use`);
      expect(code).toBe(1);
      expect(() => children()).toThrow('ENOENT');
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
  });

  it('does not open the door when the token that was meant is empty', async () => {
    const { code, text } = await refused(SERVER, { TIDEGATE_TOKEN: '' });
    expect(text).toContain('TIDEGATE_TOKEN is empty');
    expect(code).toBe(2);
  });

  it('does not use a token file that others can read, or that is a link', async () => {
    const path = join(folder, 'tidegate', 'token');
    const first = await serving();
    await first.cli.end('SIGTERM');
    writeFileSync(join(folder, 'elsewhere'), TOKEN, { mode: 0o600 });
    rmSync(path);
    writeFileSync(path, TOKEN, { mode: 0o644 });
    expect((await refused(SERVER)).text).toContain('Others can read');
    rmSync(path);
    symlinkSync(join(folder, 'elsewhere'), path);
    const { code, text } = await refused(SERVER);
    expect(text).toContain('symbolic link');
    expect(text).not.toContain(TOKEN);
    expect(code).toBe(1);
  });
});

describe('a server that runs', () => {
  it('makes a token once, keeps it for its owner, and asks every client for it', async () => {
    const first = await serving();
    expect(first.cli.stderr).toContain('made now and kept in');
    expect(statSync(join(folder, 'tidegate', 'token')).mode & 0o777).toBe(0o600);
    expect((await post(first.url, '', HELLO)).status).toBe(401);
    expect((await post(first.url, `${first.token}x`, HELLO)).status).toBe(401);
    expect((await post(first.url, first.token, HELLO)).status).toBe(200);
    await first.cli.end('SIGTERM');
    const second = await serving();
    expect(second.token).toBe(first.token);
    expect(second.cli.stderr).not.toContain('made now');
  });

  it('says where clients call it when its public URL is that of an endpoint already', async () => {
    const { cli } = await serving(['--public-url', 'http://127.0.0.1:8808/mcp']);
    expect(cli.stderr).toContain('so clients call http://127.0.0.1:8808/mcp/mcp.');
  });

  it('repeats to nobody a token that it was given', async () => {
    const { cli, url, token } = await serving(['--log-level', 'debug'], { TIDEGATE_TOKEN: TOKEN });
    expect((await post(url, token, HELLO)).status).toBe(200);
    expect((await post(url, `${TOKEN}-wrong`, HELLO)).status).toBe(401);
    await cli.end('SIGTERM');
    expect(cli.stdout + cli.stderr).not.toContain(TOKEN);
  });

  it('passes on the variables it was told to, and its own token never', async () => {
    const { url, token } = await serving(['--env', 'GREETING=hello=there'], {
      TIDEGATE_TOKEN: TOKEN,
    });
    const text = await (await post(url, token, HELLO)).text();
    expect(text).toContain('"name":"hello=there"');
    const pid = children().find(isAlive);
    if (process.platform !== 'linux') return;
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(TOKEN);
  });

  it('prints the facts as one JSON line on stdout when asked', async () => {
    const { cli } = await serving(['--json']);
    const lines = cli.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({ auth: 'token', program: 'node' });
    for (const line of cli.stderr.trim().split('\n'))
      expect(JSON.parse(line)).toHaveProperty('event');
  });

  it('is not reachable on another address by default', async () => {
    const { cli } = await serving();
    expect(cli.stderr).toMatch(/http:\/\/127\.0\.0\.1:\d+\/mcp/);
    expect(cli.stderr).not.toContain('0.0.0.0');
  });
});

describe('tidegate keys', () => {
  it('loses no change where several are made at once', async () => {
    const file = join(folder, 'keys.json');
    const keys = async (...words: readonly string[]): Promise<string> => {
      const cli = tidegate(['keys', ...words, '--file', file]);
      expect(await cli.end(), cli.stderr).toEqual({ code: 0, signal: null });
      return cli.stdout;
    };
    const gone = (await keys('add', 'gone')).slice(4, 12);
    const names = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all([...names.map((name) => keys('add', name)), keys('revoke', gone)]);
    const left = JSON.parse(await keys('list', '--json')) as readonly { subject: string }[];
    expect(left.map(({ subject }) => subject).toSorted()).toEqual(names);
  });

  it.runIf(process.platform === 'linux')('fails where a key that it made cannot be printed', () => {
    const full = openSync('/dev/full', 'w');
    const words = [join(ROOT, 'dist/cli/main.js'), 'keys', 'add', 'ci', '--file', 'keys.json'];
    const { status, stderr } = spawnSync(process.execPath, words, {
      cwd: folder,
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Key /);
    expect(stderr).toContain('tidegate: standard output cannot be written (ENOSPC)');
  });
});

describe('npm start', () => {
  it('serves the official server-everything and prints a curl line that works', async () => {
    const cli = tidegate(['--port', '0'], {}, join(ROOT, 'scripts/start.mjs'));
    const [, line = ''] = await cli.printed(/^(curl .*)$/m);
    await cli.printed(/upstream_known/);
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', line]);
    expect(stdout).toContain('"name":"mcp-servers/everything"');
    expect(await cli.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});

describe('the end', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'comes on %s with exit code 0 and no child left',
    async (signal) => {
      const { cli, url, token } = await serving();
      await (await post(url, token, HELLO)).text();
      expect(children().some(isAlive)).toBe(true);
      expect(await cli.end(signal)).toEqual({ code: 0, signal: null });
      expect(children().filter(isAlive)).toEqual([]);
    },
  );

  it('takes no new connection from the signal on, and is not ready on those that are open', async () => {
    const { cli, url, token } = await serving(['--drain', '600']);
    await callInFlight(url, token);
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    const ready = (agent: Agent | false): Promise<number | string | undefined> =>
      new Promise((resolve) => {
        get(`${url}/readyz`, { agent }, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode));
        }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      });
    expect(await ready(kept)).toBe(200);
    cli.child.kill('SIGTERM');
    await cli.printed(/draining/);
    await expect.poll(() => ready(false)).toBe('ECONNREFUSED');
    expect(await ready(kept)).toBe(503);
    kept.destroy();
  });

  it('waits for a call in flight no longer than the drain', async () => {
    const { cli, url, token } = await serving(['--drain', '2']);
    const opened = await post(url, token, HELLO);
    await opened.text();
    const session = opened.headers.get('Mcp-Session-Id') ?? '';
    const begun = { jsonrpc: '2.0', method: 'notifications/initialized' };
    await (await post(url, token, begun, session)).text();
    const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'x' } };
    const reply = await post(url, token, call, session);
    const started = performance.now();
    expect(await cli.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(10_000);
    await bounded(
      reply.text().catch(() => ''),
      () => 'the reply of a call did not end with the server',
    );
    expect(children().filter(isAlive)).toEqual([]);
  });

  it('comes at once on a second signal, and takes the children along', async () => {
    const { cli, url, token } = await serving(['--drain', '600']);
    await callInFlight(url, token);
    cli.child.kill('SIGINT');
    await cli.printed(/draining/);
    const again = setInterval(() => cli.child.kill('SIGINT'), 50);
    try {
      expect(await cli.end()).toEqual({ code: 1, signal: null });
    } finally {
      clearInterval(again);
    }
    const gone = (async () => {
      while (children().some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
    })();
    await bounded(gone, () => 'children are left');
  });
});
