/** The harbour in each language: a server with the same tools, whatever it is written in. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { remote, stdio, type Upstream } from 'tidegate';
import { commandOf, type ToolchainName } from './toolchains.ts';

export interface Harbour {
  readonly name: string;
  /** What it calls itself. */
  readonly serverName: string;
  readonly toolchain: ToolchainName | undefined;
  /** Of whose clients it can be told that a resource changed. */
  readonly tellsOfUpdates: (era: Era) => boolean;
  /** That a client may say which logs it wants; else all are sent. */
  readonly hasLogLevel: boolean;
  /** Which clients it can be put in front of. */
  readonly serves: (era: Era) => boolean;
  start(): Promise<Started>;
}

export type Era = '2024' | '2025' | '2026';

export interface Started {
  /** Where it writes down what became of its calls. */
  readonly log: string;
  readonly upstream: Upstream;
  stop(): Promise<void>;
}

const START_MS = 20_000;
const STOP_MS = 5000;

export const OUR_HARBOURS: readonly Harbour[] = [
  nodeChild('TypeScript SDK v1, stdio, legacy only', 'harbour-v1'),
  nodeChild('TypeScript SDK v2, stdio, modern only', 'harbour-v2'),
];

export const FOREIGN_HARBOURS: readonly Harbour[] = [
  ...(['stdio', 'sse', 'http'] as const).flatMap((kind) => [python(1, kind), python(2, kind)]),
  ...(['stdio', 'sse', 'http', 'stateless'] as const).map(go),
];

function nodeChild(name: string, file: string): Harbour {
  const script = fileURLToPath(new URL(`servers/${file}.mjs`, import.meta.url));
  return {
    name,
    serverName: file,
    toolchain: undefined,
    tellsOfUpdates: () => true,
    hasLogLevel: true,
    serves: () => true,
    start: async () => child(process.execPath, [script]),
  };
}

function python(major: 1 | 2, kind: 'stdio' | 'sse' | 'http'): Harbour {
  const script = fileURLToPath(new URL(`python/server_v${major}.py`, import.meta.url));
  const run = (): string => commandOf(`python v${major}`);
  return {
    name: `Python SDK v${major}, ${kind}`,
    serverName: `harbour-python-v${major}`,
    toolchain: `python v${major}`,
    // Version 1 declares no subscriptions; version 2 knows those of 2026-07-28 alone.
    tellsOfUpdates: (era) => major === 2 && kind !== 'sse' && era === '2026',
    hasLogLevel: false,
    serves: () => true,
    start: async () =>
      kind === 'stdio'
        ? child(run(), [script, kind])
        : served(run(), (port) => [script, kind, port], kind === 'sse' ? '/sse' : '/mcp'),
  };
}

function go(kind: 'stdio' | 'sse' | 'http' | 'stateless'): Harbour {
  return {
    name: `Go SDK, ${kind}`,
    serverName: 'harbour-go',
    toolchain: 'go',
    tellsOfUpdates: () => true,
    hasLogLevel: true,
    // Its answer to `initialize` names a revision that it then refuses.
    serves: (era) => kind !== 'stateless' || era === '2026',
    start: async () =>
      kind === 'stdio'
        ? child(commandOf('go'), ['server', kind])
        : served(commandOf('go'), (port) => ['server', kind, port], '/'),
  };
}

function child(command: string, args: readonly string[]): Started {
  const log = newLog();
  const upstream = stdio(command, args, { env: { HARBOUR_LOG: log } });
  return { upstream, log, stop: async () => rmSync(log, { force: true }) };
}

/** A server in a process of its own, on a free port. */
async function served(
  command: string,
  args: (port: string) => readonly string[],
  path: string,
): Promise<Started> {
  const port = await freePort();
  const log = newLog();
  const server = spawn(command, args(String(port)), {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HARBOUR_LOG: log },
  });
  let stderr = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000);
  });
  const closed = once(server, 'close');
  const stop = async (): Promise<void> => {
    const timer = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
    server.kill('SIGTERM');
    await closed;
    clearTimeout(timer);
    rmSync(log, { force: true });
  };
  const died = closed.then(() => Promise.reject(new Error(`The server ended. ${stderr}`)));
  died.catch(() => {});
  try {
    await Promise.race([untilListening(port), died]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { upstream: remote(`http://127.0.0.1:${port}${path}`), log, stop };
}

function newLog(): string {
  return join(tmpdir(), `tidegate-interop-${randomUUID()}.log`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilListening(port: number): Promise<void> {
  const endsAt = Date.now() + START_MS;
  while (!(await isListening(port))) {
    if (Date.now() > endsAt) throw new Error(`Nobody listens on port ${port}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isListening(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}
