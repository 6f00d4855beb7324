/** A key that everybody on the machine can read keeps nothing from starting. */
import { statSync } from 'node:fs';
import { areOthersAllowed } from '../adapters/system/file-mode.ts';

/** What an operator should know of it; undefined where others are kept out. */
export function keyModeNote(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !areOthersAllowed(found, 0o004)) return undefined;
  return 'Everybody on this machine can read this key; use chmod o-r on it if that is not meant.';
}
