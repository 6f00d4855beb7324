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
 * The load never sleeps, and the rest of the machine would find the server's core alone idle. What runs
 * as SCHED_IDLE gives way to everybody, so that the load's core counts as idle, too. See sched(7).
 */
export function yielding(command) {
  return canYield ? ['chrt', '--idle', '0', ...command] : command;
}

/** This process and all its threads to the load's core: what it does is on no server's bill. */
export function pinSelf() {
  if (isPinned) spawnSync('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(process.pid)]);
}
