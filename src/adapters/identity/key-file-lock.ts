/**
 * One change of a file of keys at a time: whoever reads it, changes it and writes it back must not
 * bring back what another revoked meanwhile.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs';

/** Milliseconds between two tries. */
const TRY_MS = 20;
/** Milliseconds after which a lock is nobody's: a change takes a few, and its maker was killed. */
const STALE_MS = 30_000;

/**
 * Waits until nobody else changes the file.
 * @param path - of the file of keys, whether it is there or not.
 * @param waitMs - how long to wait at most.
 * @returns what gives it back; undefined when somebody else went on changing it.
 * @throws Error when nothing can be written beside the file.
 */
export function lockKeyFile(path: string, waitMs: number): (() => void) | undefined {
  const lock = lockPathOf(path);
  const end = performance.now() + waitMs;
  for (;;) {
    if (isTaken(lock)) return () => rmSync(lock, { force: true });
    removeStale(lock);
    if (performance.now() >= end) return undefined;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRY_MS);
  }
}

/** Beside the file itself, whatever links lead to it. */
export function lockPathOf(path: string): string {
  const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined;
  return `${isThere ? realpathSync(path) : path}.lock`;
}

function isTaken(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moved away first: if another was quicker, what was moved is his, and he gets it back. */
function removeStale(lock: string): void {
  const seen = statSync(lock, { throwIfNoEntry: false });
  if (seen === undefined || Date.now() - seen.mtimeMs < STALE_MS) return;
  const aside = `${lock}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(lock, aside);
    if (!isSame(statSync(aside), seen)) linkSync(aside, lock);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function isSame(some: Stats, other: Stats): boolean {
  return some.ino === other.ino && some.mtimeMs === other.mtimeMs;
}
