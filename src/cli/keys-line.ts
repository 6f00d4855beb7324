/** Reads the words after `tidegate keys`. Pure, as `command-line.ts` is. */
import { Command, InvalidArgumentError } from 'commander';
import { parseSubcommand, type SubcommandEnd } from './subcommand.ts';

export interface AddKey {
  readonly action: 'add';
  readonly file: string;
  readonly tenant: string;
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  /** Milliseconds from now; undefined for never. */
  readonly lifeMs: number | undefined;
}

export type KeysOptions = (
  | AddKey
  | { readonly action: 'list'; readonly file: string }
  | { readonly action: 'revoke'; readonly file: string; readonly id: string }
) & {
  /** One line of JSON on standard output instead of text for people. */
  readonly isJson: boolean;
};

export type KeysLine = { readonly kind: 'keys'; readonly options: KeysOptions } | SubcommandEnd;

interface RawKeys {
  readonly file: string;
  readonly tenant: string;
  readonly scope?: readonly string[];
  readonly group?: readonly string[];
  readonly expires?: number;
  readonly json?: boolean;
}

const EXAMPLES = {
  add: 'tidegate keys add build-server --tenant acme --scope tools --expires 90d',
  list: 'tidegate keys list',
  revoke: 'tidegate keys revoke Zk3_0aXb',
};

/** @param words - those after `keys`. */
export function readKeysLine(words: readonly string[]): KeysLine {
  const actions = { add: addCommand, list: listCommand, revoke: revokeCommand };
  const [action = '', ...rest] = words;
  if (!Object.hasOwn(actions, action)) return overview(words);
  const program = actions[action as keyof typeof actions]();
  const end = parseSubcommand(program, rest);
  if (end !== undefined) return end;
  const raw = program.opts<RawKeys>();
  const [word = ''] = program.processedArgs as readonly string[];
  return { kind: 'keys', options: { ...optionsOf(action, word, raw), isJson: raw.json === true } };
}

function optionsOf(action: string, word: string, raw: RawKeys): AddKey | KeysOptionsOfOne {
  const { file } = raw;
  if (action === 'list') return { action, file };
  if (action === 'revoke') return { action, file, id: word };
  const { tenant, scope: scopes = [], group: groups = [], expires: lifeMs } = raw;
  return { action: 'add', file, tenant, subject: word, scopes, groups, lifeMs };
}

type KeysOptionsOfOne =
  | { readonly action: 'list'; readonly file: string }
  | { readonly action: 'revoke'; readonly file: string; readonly id: string };

function overview(words: readonly string[]): SubcommandEnd {
  const program = new Command('tidegate keys')
    .description('Makes, lists and revokes API keys. A gateway that serves notices within seconds.')
    .usage('add|list|revoke [options]')
    .helpOption('-h, --help', 'print this text')
    // An action that there is not is told apart below, in a better sentence than commander's.
    .allowExcessArguments()
    .allowUnknownOption()
    .addHelpText('after', `\nExamples:\n  ${Object.values(EXAMPLES).join('\n  ')}`);
  const end = parseSubcommand(program, words.length === 0 ? ['--help'] : words);
  return end ?? { kind: 'wrong', reason: 'say add, list or revoke. See tidegate keys --help.' };
}

function addCommand(): Command {
  return common('add', 'Makes a key and prints it, this once.')
    .argument('<subject>', 'whose it is; two keys of one subject are one principal', readName)
    .option('--tenant <name>', 'the tenant it belongs to', readName, 'default')
    .option('--scope <scope>', 'a scope it carries (repeatable)', gather)
    .option('--group <group>', 'a group its subject is in (repeatable)', gather)
    .option('--expires <time>', 'how long it counts: 90d, 12h or 30m', readLife);
}

function listCommand(): Command {
  return common('list', 'Prints the keys there are, without their secrets, which nobody has.');
}

function revokeCommand(): Command {
  return common('revoke', 'Ends a key and everything it opened.').argument(
    '<id>',
    'the eight characters after tgk_',
  );
}

function common(action: keyof typeof EXAMPLES, description: string): Command {
  return new Command(`tidegate keys ${action}`)
    .description(description)
    .helpOption('-h, --help', 'print this text')
    .option('--file <file>', 'the file of keys, from the current folder', 'keys.json')
    .option('--json', 'print the outcome as one line of JSON on stdout')
    .addHelpText('after', `\nExample:\n  ${EXAMPLES[action]}`);
}

function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, readName(value)];
}

function readName(value: string): string {
  if (/^[\x21-\x7e]{1,128}$/.test(value)) return value;
  throw new InvalidArgumentError('Give 1 to 128 characters of ASCII without spaces.');
}

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function readLife(value: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([mhd])$/.exec(value) ?? [];
  if (unit === '') throw new InvalidArgumentError('Give a number and a unit, as 90d, 12h or 30m.');
  return Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
}
