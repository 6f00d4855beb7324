import { limitingWords, type ChildResources } from './child-resources.ts';
import { findProgram } from './find-program.ts';
import { type ChildOwner, workFolder } from './work-folder.ts';

/** How the operator holds children in. */
export interface ChildBounds {
  /** The folder whose folders children work in, one for each tenant or principal. */
  readonly workdir: string | undefined;
  readonly resources: ChildResources | undefined;
  /** Words in front of the command; empty for none. */
  readonly sandbox: readonly string[];
}

export interface PlainCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

export type ChildCommand =
  | {
      readonly kind: 'command';
      readonly command: string;
      readonly args: readonly string[];
      readonly cwd: string | undefined;
    }
  /** `reason` is for the log. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** Stands in a word of the sandbox for the folder the child works in. */
const FOLDER = '{workdir}';

/**
 * What is spawned in place of the plain command: limits, then the sandbox, then the command, each
 * of which becomes or starts the next. No shell reads any of it.
 */
export function childCommand(
  plain: PlainCommand,
  { workdir, resources, sandbox }: ChildBounds,
  owner: ChildOwner,
): ChildCommand {
  let { cwd } = plain;
  if (workdir !== undefined) {
    const folder = workFolder(workdir, owner);
    if (folder.kind === 'unusable') return folder;
    cwd = folder.path;
  }
  const limits = resources === undefined ? [] : limitingWords(resources, process.platform);
  if (limits === undefined) {
    return { kind: 'unusable', reason: 'limits on resources need Linux, and prlimit there' };
  }
  const here = cwd ?? process.cwd();
  const boxed = sandbox.map((word) => word.replaceAll(FOLDER, () => here));
  const words = [...limits, ...boxed, plain.command, ...plain.args];
  const [command = '', ...args] = words;
  const missing = limits.length === 0 ? undefined : missingProgram(boxed, plain);
  return missing === undefined ? { kind: 'command', command, args, cwd } : missing;
}

/** What sets the limits is found, so a command that is not would be an exit like any other. */
function missingProgram(
  boxed: readonly string[],
  { command, env }: PlainCommand,
): ChildCommand | undefined {
  const first = boxed[0] ?? command;
  if (process.platform === 'win32' || findProgram(first, env['PATH']) !== undefined) return;
  return { kind: 'unusable', reason: `ENOENT: there is no command ${first}` };
}
