import { findProgram } from './find-program.ts';

/** What each process of a server may use. The system enforces it; Linux only. */
export interface ChildResources {
  /**
   * Megabytes (1024 * 1024 bytes) of memory that one process may write to. Address space that is
   * only reserved, as JavaScript engines do by the gigabyte, is not counted.
   */
  readonly memoryMb?: number | undefined;
  /**
   * Processes and threads of the user that Tidegate runs as, all of them together: the system
   * counts by user. It does not hold root back.
   */
  readonly processes?: number | undefined;
  /** Files and sockets that one process may have open. */
  readonly files?: number | undefined;
  /** Seconds of CPU that one process may use in its life; it is killed at the end of them. */
  readonly cpuSeconds?: number | undefined;
}

const MB = 1024 * 1024;
/** Not by `PATH`: whoever writes to a folder of it would run in every server's place. */
const FOLDERS = '/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin';

/**
 * The words in front of a command that hold it, and all it starts, to these limits, and to no core
 * dump, which would hold its secrets. They set the limits and become the command: it stays the
 * process that was spawned. Undefined where the system cannot.
 * @see https://man7.org/linux/man-pages/man1/prlimit.1.html
 */
export function limitingWords(
  resources: ChildResources,
  platform: string,
): readonly string[] | undefined {
  const program = platform === 'linux' ? findProgram('prlimit', FOLDERS) : undefined;
  if (program === undefined) return undefined;
  const { memoryMb, processes, files, cpuSeconds } = resources;
  return [
    program,
    '--core=0',
    // Not the address space: a runtime that reserves 10 GB and uses 40 MB would not start.
    ...(memoryMb === undefined ? [] : [`--data=${memoryMb * MB}`]),
    ...(processes === undefined ? [] : [`--nproc=${processes}`]),
    ...(files === undefined ? [] : [`--nofile=${files}`]),
    ...(cpuSeconds === undefined ? [] : [`--cpu=${cpuSeconds}`]),
    '--',
  ];
}
