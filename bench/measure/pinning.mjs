/** Server and load on different cores, where the machine has two and `taskset` is installed. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

export const isPinned =
  process.platform === 'linux' &&
  availableParallelism() > 1 &&
  spawnSync('taskset', ['--version']).status === 0;

export function pinned(core, command) {
  return isPinned ? ['taskset', '-c', String(core), ...command] : command;
}

export const canYield = isPinned && spawnSync('chrt', ['--version']).status === 0;

/**
 * The load never sleeps, and a core that is never idle gets none of the work the rest of the machine has:
 * the kernel would put all of it on the server's. What runs as SCHED_IDLE gives way to everybody, so that the
 * load's core counts as idle. See sched(7).
 */
export function yielding(command) {
  return canYield ? ['chrt', '--idle', '0', ...command] : command;
}

/** This process and all its threads to the load's core: what it does is on no server's bill. */
export function pinSelf() {
  if (isPinned) spawnSync('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(process.pid)]);
}
