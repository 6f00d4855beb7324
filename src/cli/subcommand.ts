/** Reads the words of a command of its own, such as `tidegate connect`. Pure. */
import { type Command, CommanderError } from 'commander';
import { usageFault } from './usage-fault.ts';

export type SubcommandEnd =
  /** What was asked for is this text: help. */
  | { readonly kind: 'shown'; readonly text: string }
  /** `reason` is one line that says what to do. */
  | { readonly kind: 'wrong'; readonly reason: string };

/** Undefined when the words were fine: then the program holds what they say. */
export function parseSubcommand(
  program: Command,
  words: readonly string[],
): SubcommandEnd | undefined {
  let shown = '';
  program.exitOverride().configureOutput({
    writeOut: (text) => {
      shown += text;
    },
    writeErr: () => {},
  });
  try {
    program.parse(words, { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'shown', text: shown };
    return { kind: 'wrong', reason: `${usageFault(program, error)} See ${program.name()} --help.` };
  }
}
