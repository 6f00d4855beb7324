/** Flags of V8 that count from the moment they are set. */
import { setFlagsFromString } from 'node:v8';

/**
 * Sets a flag, unless the process was started with the same one: an operator has the last word.
 * @param flag - as on a command line, such as `--no-parallel-scavenge`.
 */
export function setEngineFlag(flag: string): void {
  const name = nameOf(flag);
  if (!process.execArgv.some((argument) => nameOf(argument) === name)) setFlagsFromString(flag);
}

/** V8 takes `_` for `-`, and `--no-` before the name of what is switched off. */
function nameOf(flag: string): string {
  const [name = ''] = flag.replaceAll('_', '-').split('=');
  return name.replace(/^--(no-?)?/, '');
}
