import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenOf, isRunning, survivors, titleOf } from './processes.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const fixture = (name: string): string => join(root, 'test/fixtures/children', `${name}.mjs`);
/** SIGTERM, two seconds, SIGKILL; the rest is for a busy machine. */
const BOUND_MS = 15_000;

let folder = '';
let module = '';
/** Every process any test knows of, so that a failed test leaves none behind either. */
const known: number[] = [];

/** Compiles the adapter as a release does: a host is a plain Node process. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-death-'));
  const config = {
    extends: join(root, 'tsconfig.build.json'),
    compilerOptions: {
      rootDir: join(root, 'src'),
      outDir: folder,
      declaration: false,
      isolatedDeclarations: false,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: [],
    files: [join(root, 'src/adapters/upstreams/stdio/stdio.ts')],
  };
  const path = join(folder, 'tsconfig.json');
  writeFileSync(path, JSON.stringify(config));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', path], { stdio: 'inherit' });
  module = pathToFileURL(join(folder, 'adapters/upstreams/stdio/stdio.js')).href;
});

afterAll(() => rmSync(folder, { recursive: true }));

afterAll(() => {
  for (const pid of known) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
});

function startHost(args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
  const host = spawn(process.execPath, [fixture('host'), module, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  known.push(host.pid as number);
  return host;
}

interface Family {
  readonly host: number;
  /** The host, the server, its grandchildren and the watchdog. */
  readonly members: readonly number[];
}

async function startFamily(args: readonly string[]): Promise<Family> {
  const host = startHost([fixture('stubborn'), ...args]);
  const pid = host.pid as number;
  const [text] = (await once(host.stdout, 'data')) as [Buffer];
  const { pids } = JSON.parse(String(text)) as { pids: number[] };
  const members = [...new Set([pid, ...pids, ...childrenOf(pid)])];
  known.push(...members);
  expect(members.filter((member) => !isRunning(member))).toEqual([]);
  return { host: pid, members };
}

function watchdogOf(pid: number): number | undefined {
  return childrenOf(pid).find((child) => titleOf(child).startsWith('tidegate-watchdog'));
}

async function watchdogOther(pid: number, than: number | undefined): Promise<number> {
  const end = performance.now() + BOUND_MS;
  while (performance.now() < end) {
    const found = watchdogOf(pid);
    if (found !== undefined && found !== than) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('there is no watchdog');
}

const describeLinux = process.platform === 'linux' ? describe.concurrent : describe.skip;

describeLinux('V50 when the process that uses the adapter dies', () => {
  it.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGABRT', 'SIGUSR2'] as const)(
    'of %s, a server and its grandchildren that ignore SIGTERM are gone soon, and the watchdog too',
    async (signal) => {
      const { host, members } = await startFamily(['2']);
      expect(members.length).toBe(5);
      process.kill(host, signal);
      expect(await survivors(members, BOUND_MS)).toEqual([]);
    },
  );

  it('of a signal to its whole process group, nothing is left', async () => {
    const { host, members } = await startFamily(['1']);
    process.kill(-host, 'SIGKILL');
    expect(await survivors(members, BOUND_MS)).toEqual([]);
  });

  it('descendants that left the process group are gone too', async () => {
    const { host, members } = await startFamily(['2', 'stray']);
    process.kill(host, 'SIGKILL');
    expect(await survivors(members, BOUND_MS)).toEqual([]);
  });

  it('before the watchdog has so much as started, nothing is left', async () => {
    const pid = startHost([fixture('stubborn'), '0']).pid as number;
    while (childrenOf(pid).length < 2) await new Promise((resolve) => setImmediate(resolve));
    const members = [pid, ...childrenOf(pid)];
    known.push(...members);
    process.kill(pid, 'SIGKILL');
    expect(await survivors(members, BOUND_MS)).toEqual([]);
  });
});

describeLinux('V50 the watchdog', () => {
  it('stays when a supervisor asks every process of the service to end', async () => {
    const { host, members } = await startFamily(['1']);
    const watchdog = await watchdogOther(host, undefined);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(watchdog, signal);
    process.kill(host, 'SIGTERM');
    expect(await survivors(members, BOUND_MS)).toEqual([]);
  });

  it('is replaced when it is killed, and the new one knows the old children', async () => {
    const { host, members } = await startFamily(['1']);
    const first = await watchdogOther(host, undefined);
    process.kill(first, 'SIGKILL');
    const second = await watchdogOther(host, first);
    known.push(second);
    process.kill(host, 'SIGKILL');
    expect(await survivors([...members, second], BOUND_MS)).toEqual([]);
  });
});
