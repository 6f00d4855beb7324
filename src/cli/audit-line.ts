/** Reads the words after `tidegate audit`. Pure, as `command-line.ts` is. */
import { Command } from 'commander';
import { parseSubcommand, type SubcommandEnd } from './subcommand.ts';

export interface AuditOptions {
  /** The oldest first. */
  readonly files: readonly string[];
  /** One line of JSON on standard output instead of text for people. */
  readonly isJson: boolean;
}

export type AuditLine = { readonly kind: 'audit'; readonly options: AuditOptions } | SubcommandEnd;

/** @param words - those after `audit`. */
export function readAuditLine(words: readonly string[]): AuditLine {
  const program = defineVerify();
  const [action, ...rest] = words;
  const isVerify = action === 'verify';
  const end = parseSubcommand(program, isVerify ? rest : words);
  if (end !== undefined && (isVerify || end.kind === 'shown')) return end;
  if (!isVerify) {
    return { kind: 'wrong', reason: 'say verify. See tidegate audit verify --help.' };
  }
  const [files] = program.processedArgs as unknown as readonly [readonly string[]];
  const isJson = program.opts<{ readonly json?: boolean }>().json === true;
  return { kind: 'audit', options: { files, isJson } };
}

function defineVerify(): Command {
  return new Command('tidegate audit verify')
    .description('Says whether a record is whole: no line changed, taken out or put in.')
    .usage('<file...> [options]')
    .helpOption('-h, --help', 'print this text')
    .argument('<file...>', 'the files of the record, the oldest first')
    .option('--json', 'print the outcome as one line of JSON on stdout')
    .addHelpText('after', '\nExample:\n  tidegate audit verify audit.jsonl.1 audit.jsonl');
}
