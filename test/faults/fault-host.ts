/**
 * The built product in a process of its own, judged from outside through `/proc` and from inside by
 * what it says it holds.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, onTestFinished } from 'vitest';
import type { Limits } from 'tidegate';
import type { ConnectionLimits } from '../../src/adapters/http/connection-limits.ts';
import { ROOT } from '../source-files.ts';
import { childrenOf, isRunning, survivors } from '../upstreams/processes.ts';

const HOST = join(ROOT, 'test/fixtures/faults/host.mjs');
const SERVER = join(ROOT, 'test/fixtures/faults/server.mjs');
const LIBRARY = pathToFileURL(join(ROOT, 'dist/')).href;
/** Where there is a `/proc` to judge from. */
export const describeLinux = process.platform === 'linux' ? describe : describe.skip;
/** Long enough for any machine; only a failure takes it. */
export const PATIENCE_MS = 20_000;
/**
 * What stays of warmed-up code, caches and a heap that was grown: no leak of any request's size.
 */
const USED_BYTES_SLACK = 3 * 1024 * 1024;
/** Has the C library give back what is freed, so that what is resident is what is in use. */
const GIVES_BACK = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '65536',
};
/** Timers that are over but still named by the socket or queue that will need the next one. */
const TIMERS_SLACK = 8;

export interface HostSettings {
  readonly limits?: Partial<Limits>;
  readonly connections?: Partial<ConnectionLimits>;
  readonly isolation?: 'session' | 'principal' | 'tenant' | 'shared';
  /** `users`: `Bearer user-<name>` is that user. `token`: only `tokens` may come in. */
  readonly identity?: 'users' | 'token';
  readonly tokens?: string;
  readonly drainMs?: number;
  readonly stopMs?: { readonly stdinMs?: number; readonly termMs?: number };
  /** Arguments of the server behind it. */
  readonly args?: readonly string[];
}

/** What the process says of itself. */
export interface Peek {
  readonly held: Readonly<Record<'sessions' | 'streams' | 'pending' | 'upstreamInstances', number>>;
  readonly closed: Readonly<Record<string, number>>;
  readonly counted: Readonly<Record<string, number>>;
  readonly ended: readonly string[];
  /** Exceptions that nobody caught. */
  readonly faults: readonly string[];
}

/** The same and what it holds, once its garbage was collected. */
export interface Look extends Peek {
  readonly used: number;
  readonly resources: Readonly<Record<string, number>>;
  /** Objects that live, whoever holds them: timers that keep no process alive count too. */
  readonly live: Readonly<Record<'timers' | 'sessions', number>>;
}

/** Everything that must be back where it was after a fault. */
export interface Footing {
  readonly used: number;
  readonly timers: number;
  readonly rest: {
    readonly descriptors: number;
    readonly children: number;
    readonly resources: Readonly<Record<string, number>>;
    readonly sessions: number;
    readonly held: Look['held'];
  };
}

export class FaultHost {
  readonly pid: number;
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #asked = 0;
  #stderr = '';

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.pid = child.pid as number;
    this.port = port;
    child.on('message', ({ number, answer }: { number: number; answer: unknown }) => {
      this.#waiting.get(number)?.(answer);
      this.#waiting.delete(number);
    });
    child.stderr?.on('data', (text: Buffer) => (this.#stderr += text.toString()));
  }

  /** Ready to serve; gone, with all its descendants, when the test is over. */
  static async start(settings: HostSettings = {}): Promise<FaultHost> {
    const { args = [], ...rest } = settings;
    const command = [process.execPath, SERVER, ...args];
    // A queue of heartbeats names a connection for one beat after its end.
    const limits = { heartbeatMs: 500, ...settings.limits };
    const given = { drainMs: 1000, ...rest, limits, command };
    const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning'];
    const child = spawn(process.execPath, [...flags, HOST, LIBRARY, JSON.stringify(given)], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: { ...process.env, ...GIVES_BACK },
    });
    let stderr = '';
    const listen = (text: Buffer): void => void (stderr += text.toString());
    child.stderr?.on('data', listen);
    const port = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no port: ${stderr}`)), PATIENCE_MS);
      child.once('message', (message: { port: number }) => resolve(message.port));
      child.once('exit', (code) => reject(new Error(`exit ${code}: ${stderr}`)));
      child.once('message', () => clearTimeout(timer));
    });
    child.stderr?.off('data', listen);
    const host = new FaultHost(child, port);
    onTestFinished(() => host.kill());
    return host;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  look(): Promise<Look> {
    return this.#ask('look') as Promise<Look>;
  }

  peek(): Promise<Peek> {
    return this.#ask('peek') as Promise<Peek>;
  }

  /** Shuts the product down without ending the process. */
  async close(): Promise<void> {
    await this.#ask('close');
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Everything that runs because of it: its children and theirs. */
  descendants(): number[] {
    const found: number[] = [];
    for (let parents = [this.pid]; parents.length > 0;) {
      parents = parents.flatMap((pid) => childrenOf(pid)).filter((pid) => !found.includes(pid));
      found.push(...parents);
    }
    return found.sort((one, other) => one - other);
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Bytes resident now, or at the most since `forgetPeak`. */
  resident(which: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'latin1');
    return Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  }

  /** @see https://docs.kernel.org/filesystems/proc.html for `clear_refs`. */
  forgetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
  }

  async footing(): Promise<Footing> {
    const { used, resources, live, held } = await this.look();
    const { timers, sessions } = live;
    const descriptors = this.descriptors();
    const children = this.descendants().length;
    return { used, timers, rest: { descriptors, children, resources, sessions, held } };
  }

  /** The same once nothing moves any more: each instance has its child, all have a watchdog. */
  async steadyFooting(): Promise<Footing> {
    const endsAt = performance.now() + PATIENCE_MS;
    let previous = '';
    for (;;) {
      const now = await this.footing();
      const { children, held, resources, sessions } = now.rest;
      const isSteady = previous === JSON.stringify(now.rest) && resources['Timeout'] === undefined;
      const isClean = children === held.upstreamInstances + 1 && sessions === held.sessions;
      if (isSteady && isClean) return now;
      if (performance.now() > endsAt) throw new Error(`never steady: ${JSON.stringify(now)}`);
      previous = JSON.stringify(now.rest);
      await delay(100);
    }
  }

  /** Resolves once memory, descriptors, timers and children are back where they were. */
  async isBackAt(before: Footing): Promise<void> {
    const endsAt = performance.now() + PATIENCE_MS;
    for (;;) {
      const now = await this.footing();
      const isBack = JSON.stringify(now.rest) === JSON.stringify(before.rest);
      const isEven = now.timers <= before.timers + TIMERS_SLACK;
      if (isBack && isEven && now.used < before.used + USED_BYTES_SLACK) return;
      if (performance.now() > endsAt) {
        throw new Error(`was ${JSON.stringify(before)}, stays ${JSON.stringify(now)}`);
      }
      await delay(50);
    }
  }

  /**
   * Resolves once no more than this is resident. The collector gives pages back some time after
   * what was on them is gone.
   */
  async shrinksTo(bytes: number): Promise<void> {
    const endsAt = performance.now() + PATIENCE_MS;
    for (;;) {
      const { used } = await this.look();
      const resident = this.resident();
      if (resident <= bytes) return;
      if (performance.now() > endsAt) {
        throw new Error(`${resident} bytes stay resident, ${used} in use; wanted ${bytes}`);
      }
      await delay(100);
    }
  }

  /** Resolves with what it says of itself once that is as wanted. */
  async until(condition: (peek: Peek) => boolean, what: string): Promise<Peek> {
    const endsAt = performance.now() + PATIENCE_MS;
    for (;;) {
      const peek = await this.peek();
      if (condition(peek)) return peek;
      if (performance.now() > endsAt) throw new Error(`never ${what}: ${JSON.stringify(peek)}`);
      await delay(20);
    }
  }

  async kill(): Promise<void> {
    const all = this.descendants();
    this.#child.kill('SIGKILL');
    for (const pid of all) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    await survivors([this.pid, ...all], PATIENCE_MS);
  }

  async #ask(what: 'peek' | 'look' | 'close'): Promise<unknown> {
    this.#asked += 1;
    const number = this.#asked;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no answer to ${what}: ${this.#stderr}`)),
        PATIENCE_MS,
      );
      this.#waiting.set(number, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#child.send({ number, what });
    });
  }
}
