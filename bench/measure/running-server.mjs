/** Starts a server of the table on its core, waits until it listens, and leaves nothing of it behind. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { pinned, SERVER_CORE } from './pinning.mjs';
import { processTree, residentKb } from './process-tree.mjs';

const START_MS_MAX = 20_000;
const STOP_MS_MAX = 3_000;
const COLLECT_MS_MAX = 5_000;
const RELEASE_MS = 500;
const COLLECTOR = fileURLToPath(new URL('./collect-on-signal.cjs', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const live = new Set();

export async function startServer(entry) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
  const logFile = join(folder, 'log');
  const log = openSync(logFile, 'w');
  const [command, ...args] = pinned(SERVER_CORE, entry.command(port));
  const env = {
    ...process.env,
    HOME: folder,
    NODE_ENV: 'production',
    NODE_OPTIONS: `--require ${COLLECTOR}`,
    BENCH_MEMORY_FILE: join(folder, 'memory'),
  };
  const child = spawn(command, args, { stdio: ['ignore', log, log], detached: true, env });
  closeSync(log);
  const server = new RunningServer(entry, port, child, folder);
  live.add(server);
  try {
    await server.listening(logFile);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

export async function stopServers() {
  await Promise.all([...live].map((server) => server.stop()));
}

class RunningServer {
  #child;
  #folder;

  constructor(entry, port, child, folder) {
    this.name = entry.name;
    this.entry = entry;
    this.port = port;
    this.pid = child.pid;
    this.#child = child;
    this.#folder = folder;
  }

  /** What the load needs to know, and can be sent over IPC. */
  get target() {
    return { port: this.port, paths: this.entry.paths, token: this.entry.token };
  }

  async listening(logFile) {
    for (const end = Date.now() + START_MS_MAX; Date.now() < end; await delay(50)) {
      if (this.#child.exitCode !== null) break;
      if (await accepts(this.port)) return;
    }
    // What it says goes into the result, which names no folder of this machine.
    const all = readFileSync(logFile, 'utf8').replaceAll(`file://${ROOT}`, '').replaceAll(ROOT, '');
    const said = all.slice(-600);
    throw new Error(`${this.name} did not start: ${said.trim() || 'no output'}`);
  }

  /** Resident KiB once garbage is collected, and KiB of it that are live JavaScript memory. */
  async memoryAtRest() {
    const file = join(this.#folder, 'memory');
    for (let round = 0; round < 2; round += 1) {
      rmSync(file, { force: true });
      signal(this.pid, 'SIGUSR2');
      const end = Date.now() + COLLECT_MS_MAX;
      while (!existsSync(file) && Date.now() < end) await delay(20);
      // Freed pages go back to the kernel a little later, from other threads.
      await delay(RELEASE_MS);
    }
    const usedKb = Number(readFileSync(file, 'utf8')) / 1024;
    return { residentKb: residentKb(this.pid), usedKb };
  }

  async stop() {
    if (!live.delete(this)) return;
    const tree = processTree(this.pid);
    signal(this.pid, 'SIGTERM');
    for (const end = Date.now() + STOP_MS_MAX; Date.now() < end; await delay(50)) {
      if (!tree.some(isAlive)) break;
    }
    for (const pid of tree) signal(pid, 'SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already, which is what was asked.
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true) || socket.destroy());
    socket.on('error', () => resolve(false));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
