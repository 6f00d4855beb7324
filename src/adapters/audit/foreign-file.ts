/**
 * Whether a file that a record is to go to holds something else: a config or a key that a path was
 * mistaken for. Lines of ours at its end would break it.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { LINE_BEGINNING } from './audit-line.ts';

/** An empty file is nobody's. One that breaks off in its first line is a record of a crash. */
export function isForeign(descriptor: number): boolean {
  const beginning = Buffer.alloc(Math.min(LINE_BEGINNING.length, fstatSync(descriptor).size));
  const length = readSync(descriptor, beginning, 0, beginning.length, 0);
  return !LINE_BEGINNING.startsWith(beginning.toString('latin1', 0, length));
}

/** The same of a path; false for what is no file, or cannot be read. */
export function isForeignFile(path: string): boolean {
  try {
    // A pipe would be waited for.
    if (!statSync(path).isFile()) return false;
    const descriptor = openSync(path, 'r');
    try {
      return isForeign(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}
