/**
 * One change of a file of keys at a time: whoever reads it, changes it and writes it back must not
 * bring back what another revoked meanwhile.
 */
import { realpathSync, rmSync, statSync } from 'node:fs';
import { takeLockFile } from '../credentials/lock-file.ts';

/** Milliseconds between two tries. */
const TRY_MS = 20;

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
    if (takeLockFile(lock)) return () => rmSync(lock, { force: true });
    if (performance.now() >= end) return undefined;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRY_MS);
  }
}

/** Beside the file itself, whatever links lead to it. */
export function lockPathOf(path: string): string {
  const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined;
  return `${isThere ? realpathSync(path) : path}.lock`;
}
