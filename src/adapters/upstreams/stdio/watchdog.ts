import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Telemetry } from '../../../core/ports.ts';
import { WATCHDOG_PROGRAM } from './watchdog-program.ts';

/** A watchdog that dies sooner than this, three times running, is not started again. */
const SHORT_LIFE_MS = 5000;
const SHORT_LIVES_MAX = 3;
const STOP_MS = 6000;

/**
 * A second process that ends our children when we cannot: it holds one end of a pipe whose other
 * end the kernel closes at any death of ours, SIGKILL and a crash of the runtime included. A child
 * cannot be trusted to notice on its own, since one that ignores SIGTERM and does not read its
 * input is one of those to be ended.
 *
 * One for all children of this process: about 7 MB of its own memory. In a session of its own, so
 * that a Ctrl-C or a signal to our process group leaves it standing. It dies soon after us, or with
 * its last user.
 */
export class Watchdog {
  /** Marks our children in their environment, together with their number. */
  readonly nonce: string = randomUUID();
  readonly #telemetry: Telemetry | undefined;
  readonly #watched: Set<number> = new Set();
  #process: ChildProcess | undefined;
  #startedAt = 0;
  #shortLives = 0;
  #children = 0;
  #isStopping = false;

  constructor(telemetry: Telemetry | undefined) {
    this.#telemetry = telemetry;
  }

  /** Call before a child is spawned: the child must not live a moment that nobody watches. */
  start(): void {
    if (this.#process !== undefined || this.#shortLives >= SHORT_LIVES_MAX) return;
    this.#startedAt = performance.now();
    const started = spawn(process.execPath, ['-e', WATCHDOG_PROGRAM, this.nonce], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      windowsHide: true,
      // Nothing of ours: neither NODE_OPTIONS nor the mark that an outer gateway put on us.
      env: process.platform === 'win32' ? { SYSTEMROOT: process.env['SYSTEMROOT'] } : {},
    });
    this.#process = started;
    started.on('error', (error) => this.#lost(started, error.message));
    started.on('exit', (code, signal) => this.#lost(started, signal ?? `exit code ${code}`));
    started.stdin?.on('error', () => {});
    started.unref();
    unrefStream(started.stdin);
    for (const pid of this.#watched) this.#tell(`+${pid}`);
  }

  /** A number no other child of this process has. */
  nextChild(): number {
    this.#children += 1;
    return this.#children;
  }

  /** The process group is ended if we die from now on. */
  watch(pid: number): void {
    this.#watched.add(pid);
    this.#tell(`+${pid}`);
  }

  /**
   * The group is empty. Until then its number cannot mean another group, so this must not come
   * later than it has to, nor earlier.
   * @param child - its number, to look for what left the group; undefined to leave those alone.
   */
  unwatch(pid: number, child: number | undefined): void {
    this.#watched.delete(pid);
    this.#tell(child === undefined ? `-${pid}` : `-${pid} ${child}`);
  }

  /** Ends the watchdog and whatever it still watches; resolves when it is gone. */
  stop(): Promise<void> {
    this.#isStopping = true;
    const running = this.#process;
    if (running === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const force = setTimeout(() => running.kill('SIGKILL'), STOP_MS);
      running.ref();
      running.once('exit', () => {
        clearTimeout(force);
        resolve();
      });
      running.stdin?.end();
    });
  }

  #tell(line: string): void {
    // A short write to a pipe that is not full happens at once, inside this call.
    this.#process?.stdin?.write(`${line}\n`);
  }

  #lost(which: ChildProcess, detail: string): void {
    if (which !== this.#process) return;
    this.#process = undefined;
    if (this.#isStopping) return;
    const isShort = performance.now() - this.#startedAt < SHORT_LIFE_MS;
    this.#shortLives = isShort ? this.#shortLives + 1 : 0;
    const restarts = this.#shortLives < SHORT_LIVES_MAX;
    this.#telemetry?.log('error', 'watchdog_lost', { detail, restarts });
    if (this.#watched.size > 0) this.start();
  }
}

function unrefStream(stream: unknown): void {
  // The declared type is a plain stream; a pipe to a child is a socket.
  (stream as { unref?: () => void } | null | undefined)?.unref?.();
}

let shared: { readonly watchdog: Watchdog; users: number } | undefined;

/**
 * The watchdog of this process, like a signal handler a thing of which one is enough, started with
 * its first user. Each user calls `release` once.
 */
export function acquireWatchdog(telemetry: Telemetry | undefined): {
  readonly watchdog: Watchdog;
  readonly release: () => Promise<void>;
} {
  const current = (shared ??= { watchdog: new Watchdog(telemetry), users: 0 });
  current.users += 1;
  const release = (): Promise<void> => {
    current.users -= 1;
    if (current.users > 0) return Promise.resolve();
    if (shared === current) shared = undefined;
    return current.watchdog.stop();
  };
  return { watchdog: current.watchdog, release };
}
