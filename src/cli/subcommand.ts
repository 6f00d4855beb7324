/** Reads the words of a command of its own, such as `tidegate connect`. Pure. */
import { type Command, CommanderError } from 'commander';

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
    const text = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
    const sentence = /[.?)]$/.test(text) ? text : `${text}.`;
    return { kind: 'wrong', reason: `${sentence} See ${program.name()} --help.` };
  }
}
