import { spawn } from 'node:child_process';
import { isGroupRunning } from './watchdog-program.ts';

/**
 * A child is spawned as the leader of its own process group, so the group's id is the child's pid
 * and one signal reaches everything the child started. The kernel does not give the number away
 * again while any member lives, even after the leader is gone.
 *
 * Windows has no such groups and no SIGTERM: there both signals end the tree with `taskkill`, as
 * far as the tree can still be followed from a leader that lives.
 */
const IS_WINDOWS = process.platform === 'win32';

/** Sends a signal to every member. False when none is left. */
export function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  if (!IS_WINDOWS) return reaches(pid, signal);
  if (!reaches(pid, 0)) return false;
  const taskkill = spawn('taskkill', ['/PID', String(pid), '/T', '/F'], {
    stdio: 'ignore',
    windowsHide: true,
  });
  taskkill.on('error', () => reaches(pid, 'SIGKILL'));
  return true;
}

/**
 * Whether nothing of the group runs. Where the group still takes signals, this looks at every
 * process of the machine.
 */
export function isGroupEmpty(pid: number): boolean {
  return !reaches(pid, 0) || !isGroupRunning(pid);
}

/** Whether there was something to signal; a member that we may not signal (EPERM) is something. */
function reaches(pid: number, signal: NodeJS.Signals | 0): boolean {
  // Negated, 0 and 1 mean our own group and everybody: what is no child's pid must not get further.
  if (!Number.isSafeInteger(pid) || pid < 2) throw new Error('not a child');
  try {
    process.kill(IS_WINDOWS ? pid : -pid, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
