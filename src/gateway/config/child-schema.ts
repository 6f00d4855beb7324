/** How the child processes of a command are held in: the part of its schema. */
import { z } from 'zod';
import type { CommandShape } from './config-shape.ts';
import { text, wholeNumber, word } from './text-leaves.ts';

const MEMORY_MB_MAX = 1024 * 1024 * 1024;
/** What one system may have of them at most. */
const COUNT_MAX = 4_194_304;
const CPU_SECONDS_MAX = 2_147_483_647;

const resources = z.strictObject({
  memoryMb: wholeNumber(1, MEMORY_MB_MAX)
    .optional()
    .meta({ description: 'Megabytes of memory one process may write to.' }),
  processes: wholeNumber(1, COUNT_MAX)
    .optional()
    .meta({
      description:
        'Processes and threads of the user that Tidegate runs as, all together: the system ' +
        'counts by user, and does not hold root back.',
    }),
  files: wholeNumber(16, COUNT_MAX)
    .optional()
    .meta({ description: 'Files and sockets one process may have open.' }),
  cpuSeconds: wholeNumber(1, CPU_SECONDS_MAX).optional().meta({
    description: 'Seconds of CPU one process may use in its life; it is killed at their end.',
  }),
});

type ChildKey = 'workdir' | 'resources' | 'sandbox' | 'stderr';
type ChildKeys = { readonly [Key in ChildKey]: z.ZodType<CommandShape[Key]> };

export const CHILD_KEYS: ChildKeys = {
  workdir: word.optional().meta({
    description:
      "In place of `cwd`: a folder, from the config file's folder, below which each child works " +
      "in its tenant's or its principal's own, made when needed (0700).",
  }),
  resources: resources.optional().meta({
    description: 'What each of its processes may use: [below](#resources). Linux only.',
  }),
  sandbox: z
    .array(text)
    .min(1, { error: 'Give the words of a command.' })
    .optional()
    .meta({
      description:
        'Words in front of the command, such as `[bwrap, …, --]`. `{workdir}` in them stands for ' +
        'the folder the child works in.',
    }),
  stderr: z.enum(['count', 'log']).optional().meta({
    default: 'count',
    description: 'What it writes to stderr: `count` the lines, or `log` them, secrets included.',
  }),
};
