/** Reads the words after `tidegate policy`. Pure, as `command-line.ts` is. */
import { Command } from 'commander';
import { parseSubcommand, type SubcommandEnd } from './subcommand.ts';

export interface PolicyOptions {
  /** The file of the cases. */
  readonly file: string;
  /** A config or Cedar text; undefined: as the cases say. */
  readonly config: string | undefined;
  /** One line of JSON on standard output instead of text for people. */
  readonly isJson: boolean;
}

export type PolicyLine =
  | { readonly kind: 'policy'; readonly options: PolicyOptions }
  | SubcommandEnd;

/** @param words - those after `policy`. */
export function readPolicyLine(words: readonly string[]): PolicyLine {
  const program = defineTest();
  const [action, ...rest] = words;
  const isTest = action === 'test';
  const end = parseSubcommand(program, isTest ? rest : words);
  if (end !== undefined && (isTest || end.kind === 'shown')) return end;
  if (!isTest) return { kind: 'wrong', reason: 'say test. See tidegate policy test --help.' };
  const [file = ''] = program.processedArgs as readonly string[];
  const { config, json } = program.opts<{ readonly config?: string; readonly json?: boolean }>();
  return { kind: 'policy', options: { file, config, isJson: json === true } };
}

function defineTest(): Command {
  return new Command('tidegate policy test')
    .description('Runs cases against a policy, and says which come out otherwise than expected.')
    .usage('<file> [options]')
    .helpOption('-h, --help', 'print this text')
    .argument('<file>', 'the cases, as YAML or JSON')
    .option('--config <file>', 'the config, or a .cedar file, in place of the one the cases name')
    .option('--json', 'print the outcome as one line of JSON on stdout')
    .addHelpText('after', '\nExample:\n  tidegate policy test cases.yaml --config tidegate.yaml');
}
