import { accessSync, constants, existsSync } from 'node:fs';

/** Why a command could not be started, for the log: no arguments, no environment. */
export function startFailure(error: unknown, command: string, cwd: string | undefined): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  // The kernel reports what is wrong with the folder and with the command alike.
  if (code === 'ENOENT' && cwd !== undefined && !existsSync(cwd)) {
    return `ENOENT: the working directory ${cwd} does not exist`;
  }
  if (code === 'EACCES' && cwd !== undefined && !mayEnter(cwd)) {
    return `EACCES: the working directory ${cwd} may not be entered by this user`;
  }
  return `${code}: ${REASONS[code] ?? 'the system refused to start'} ${command}`;
}

function mayEnter(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no command',
  EACCES: 'not allowed to execute',
  EAGAIN: 'too many processes to start',
  EMFILE: 'too many open files to start',
  ENFILE: 'too many open files on this machine to start',
  ENOMEM: 'not enough memory to start',
  E2BIG: 'too long arguments or environment for',
  EINVAL: 'the system cannot start without a shell',
};
