/**
 * A file that is there while somebody changes another one. It is looked for, not waited for: who
 * waits knows how. What a killed process left behind is nobody's after a while.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, linkSync, openSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';

/** Milliseconds after which a lock is nobody's; whoever needs longer touches it more often. */
const STALE_MS = 30_000;

/**
 * @returns whether it is ours now: remove it in the end.
 * @throws Error when it cannot be made for another reason than that it is there.
 */
export function takeLockFile(path: string): boolean {
  removeStale(path);
  try {
    closeSync(openSync(path, 'wx', 0o600));
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
