/**
 * Says that one process keeps a file, by a link beside it that leads nowhere and whose target is
 * that process. A link is there whole or not at all, and needs no room on a disk that is full.
 *
 * Node has no locks that end with their process, so that what a process left behind when it was
 * killed has to be told from one that lives: by its pid, and by when it began, since pids are given
 * again. In a container that is the rule: there it is 1 each time.
 */
import { randomBytes } from 'node:crypto';
import {
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { performance } from 'node:perf_hooks';

/** Takeovers that are tried while others try the same. */
const ATTEMPTS = 3;

export class FileLock {
  readonly #path: string;
  readonly #text: string;

  /** @throws Error when a living process holds it, or the file cannot be made. */
  constructor(path: string) {
    this.#path = path;
    this.#text = textOf(process.pid);
    for (let attempt = 1; ; attempt += 1) {
      try {
        place(path, this.#text);
        return;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST' || attempt === ATTEMPTS) throw error;
      }
      takeAway(path);
    }
  }

  /** What another process took over is left to it. */
  release(): void {
    if (read(this.#path) === this.#text) rmSync(this.#path, { force: true });
  }
}

/** Fails with EEXIST when there is one. */
function place(path: string, text: string): void {
  try {
    symlinkSync(text, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error;
    // Some systems have no links, or allow them to few.
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
  }
}

function takeAway(path: string): void {
  const found = read(path);
  if (found === undefined) return;
  const holder = holderOf(found);
  if (holder !== undefined) throw new Error(`process ${holder} keeps it, says ${path}`);
  // Moved rather than removed: of two that find it at once, one does not take away the other's.
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return;
  }
  if (read(aside) === found) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

/** The pid of the process that wrote it, if it still runs. */
function holderOf(text: string): number | undefined {
  const pid = Number(/^\d{1,10}/.exec(text)?.[0]);
  if (!(pid > 0) || !isRunning(pid)) return undefined;
  const began = beginningOf(pid);
  // Where the system does not say when a process began, one with this pid is taken for that one.
  return began === undefined || text === textOf(pid) ? pid : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

function textOf(pid: number): string {
  return `${pid} ${beginningOf(pid) ?? ''}`;
}

/** When a process began, in whatever unit tells it from another with its pid. */
function beginningOf(pid: number): string | undefined {
  const stat = told(`/proc/${pid}/stat`);
  if (stat !== undefined) {
    // The name of the program stands in parentheses and may hold anything.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${told('/proc/sys/kernel/random/boot_id')?.trim()}:${ticks}`;
  }
  return pid === process.pid ? `${performance.timeOrigin}` : undefined;
}

function read(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    // No link: it was made where there are none.
    return readFileSync(path, 'utf8');
  }
}

/** What the system says in a file; undefined where it does not. */
function told(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
