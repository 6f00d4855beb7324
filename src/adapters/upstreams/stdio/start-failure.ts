import { existsSync } from 'node:fs';

/** Why a command could not be started, for the log: no arguments, no environment. */
export function startFailure(error: unknown, command: string, cwd: string | undefined): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  // The kernel reports a missing folder and a missing command alike.
  if (code === 'ENOENT' && cwd !== undefined && !existsSync(cwd)) {
    return `ENOENT: the working directory ${cwd} does not exist`;
  }
  return `${code}: ${REASONS[code] ?? 'the system refused to start'} ${command}`;
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
