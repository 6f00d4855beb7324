import { spawn } from 'node:child_process';

/**
 * A child is spawned as the leader of its own process group, so the group's id is the child's pid and one
 * signal reaches everything the child started. The kernel does not give the number away again while any
 * member lives, even after the leader is gone.
 *
 * Windows has no such groups and no SIGTERM: there both signals end the tree with `taskkill`, as far as the
 * tree can still be followed from a leader that lives.
 */
const IS_WINDOWS = process.platform === 'win32';

/** Sends a signal to every member. False when none is left. */
export function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  if (!IS_WINDOWS) return killed(-pid, signal);
  if (!killed(pid, 0)) return false;
  const taskkill = spawn('taskkill', ['/PID', String(pid), '/T', '/F'], {
    stdio: 'ignore',
    windowsHide: true,
  });
  taskkill.on('error', () => killed(pid, 'SIGKILL'));
  return true;
}

export function isGroupEmpty(pid: number): boolean {
  return !killed(IS_WINDOWS ? pid : -pid, 0);
}

/** Whether the target exists; a member that we may not signal (EPERM) exists too. */
function killed(target: number, signal: NodeJS.Signals | 0): boolean {
  // 0, -1 and 1 mean our own group, everybody and init: a pid that is not one must never get here.
  if (!Number.isSafeInteger(target) || Math.abs(target) < 2) throw new Error('not a child');
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
