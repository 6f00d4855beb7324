/** How the child processes of a command are held in: from the file to the server's source. */
import type { Isolation } from '../../server/instance-places.ts';
import type { ServerSource } from '../gateway-config.ts';
import type { Passed } from './config-section.ts';
import type { CommandShape } from './config-shape.ts';
import type { FileAccess } from './file-access.ts';
import type { ConfigPath } from './problem.ts';
import type { ProblemList } from './problem-list.ts';

type ChildKeys = 'workdir' | 'resources' | 'sandbox' | 'stderr';
type ChildSource = Pick<Extract<ServerSource, { readonly kind: 'command' }>, ChildKeys>;

/** Only the keys that were given. */
export function childSource(found: Passed<CommandShape>, files: FileAccess): ChildSource {
  const { workdir, resources, sandbox, stderr } = found;
  return {
    ...(workdir === undefined ? {} : { workdir: files.resolve(workdir) }),
    ...(resources === undefined ? {} : { resources }),
    ...(sandbox === undefined ? {} : { sandbox: besideFile(sandbox, files) }),
    ...(stderr === undefined ? {} : { stderr }),
  };
}

/** A bare word is looked up on PATH; a path is beside the file, wherever the child runs. */
function besideFile(sandbox: readonly string[], files: FileAccess): readonly string[] {
  const [program = '', ...rest] = sandbox;
  return [/[/\\]/.test(program) ? files.resolve(program) : program, ...rest];
}

export function tellChildFaults(
  found: Passed<CommandShape>,
  isolation: Isolation,
  path: ConfigPath,
  problems: ProblemList,
): void {
  if (found.workdir === undefined) return;
  if (found.cwd !== undefined) {
    problems.key([...path, 'cwd'], 'A child works in one folder: give cwd or workdir, not both.');
  }
  if (isolation === 'shared') {
    const text =
      'With isolation shared a child serves every tenant: give cwd, or another isolation.';
    problems.value([...path, 'workdir'], text);
  }
}
