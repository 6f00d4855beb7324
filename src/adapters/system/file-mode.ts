/** Modes of files that others must keep their hands off. Windows has none. */
import type { Stats } from 'node:fs';

/** @param bits - of the mode, such as 0o022 for whoever else may write. */
export function areOthersAllowed({ mode }: Pick<Stats, 'mode'>, bits: number): boolean {
  return process.getuid !== undefined && (mode & bits) !== 0;
}
