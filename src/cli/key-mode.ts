/** A key that everybody on the machine can read keeps nothing from starting. */
import { statSync } from 'node:fs';

/** What an operator should know of it; undefined where others are kept out, and on Windows. */
export function keyModeNote(path: string): string | undefined {
  if (process.platform === 'win32') return undefined;
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o004) === 0) return undefined;
  return 'Everybody on this machine can read this key; use chmod o-r on it if that is not meant.';
}
