import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Where a program is, as the system would find it: a path is itself, a bare word is looked up.
 * Undefined when there is none that may be executed. POSIX only.
 * @param searched - folders as in `PATH`.
 */
export function findProgram(command: string, searched: string | undefined): string | undefined {
  if (command.includes('/')) return isProgram(command) ? command : undefined;
  const folders = (searched ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, command)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
