/**
 * What commander says of a wrong command line, as one sentence: it begins with "error:" and has its
 * suggestion on a line of its own. The value that is wrong is left out: it may be a secret of
 * somebody who mistyped a header, and hosts keep what we print.
 */
import type { Command, CommanderError } from 'commander';
import { nearest } from '../gateway/config/nearest.ts';

/** The name of an option that there is not, without what hangs on it. */
const UNKNOWN_OPTION = /^error: unknown option '(--?)([\w-]*)/;

/** Longer names are nobody's mistake in spelling. */
const NAME_LENGTH_MAX = 100;

export function usageFault(program: Command, { message }: CommanderError): string {
  const [, dashes, name = ''] = UNKNOWN_OPTION.exec(message) ?? [];
  if (dashes !== undefined) return unknownOption(program, dashes, name);
  const text = message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/^(option '.*?') argument '.*' is invalid\./, '$1 has a wrong value.')
    .replace(
      /^command-argument value '.*' is invalid for (argument '.*?')\./,
      '$1 has a wrong value.',
    );
  return /[.?)]$/.test(text) ? text : `${text}.`;
}

/** Commander looks for what was meant with the value on it, as in `--tokn=x`, and finds nothing. */
function unknownOption(program: Command, dashes: string, name: string): string {
  const known = program.createHelp().visibleOptions(program);
  const near = nearest(
    name.slice(0, NAME_LENGTH_MAX),
    known.flatMap(({ long }) => long?.slice(2) ?? []),
  );
  // Behind one hyphen stands one letter: the rest is its value, as in `-HAuthorization`.
  const shown = dashes === '-' ? name.slice(0, 1) : name;
  const suggestion = near === undefined ? '.' : ` (Did you mean --${near}?)`;
  return `unknown option '${dashes}${shown}'${suggestion}`;
}
