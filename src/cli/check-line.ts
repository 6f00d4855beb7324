/** Reads the words after `tidegate check`. Pure, as `command-line.ts` is. */
import { Command } from 'commander';
import { parseSubcommand, type SubcommandEnd } from './subcommand.ts';

/** `tidegate check <file> [options]`, checked. */
export interface CheckOptions {
  readonly file: string;
  /** One line of JSON on standard output instead of text for people. */
  readonly isJson: boolean;
}

export type CheckLine = { readonly kind: 'check'; readonly options: CheckOptions } | SubcommandEnd;

/** @param words - those after `check`. */
export function readCheckLine(words: readonly string[]): CheckLine {
  const program = defineCheck();
  const end = parseSubcommand(program, words);
  if (end !== undefined) return end;
  const isJson = program.opts<{ readonly json?: boolean }>().json === true;
  return { kind: 'check', options: { file: program.processedArgs[0] as string, isJson } };
}

function defineCheck(): Command {
  return new Command('tidegate check')
    .description('Says everything that is wrong with a config, by line, and starts nothing.')
    .usage('<file> [options]')
    .helpOption('-h, --help', 'print this text')
    .argument('<file>', 'tidegate.yaml, or the mcpServers JSON of a desktop host')
    .option('--json', 'print the outcome as one line of JSON on stdout')
    .addHelpText('after', '\nExample:\n  tidegate check tidegate.yaml');
}
