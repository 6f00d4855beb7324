/**
 * What commander says of a wrong command line, as one sentence: it begins with "error:" and has its
 * suggestion on a line of its own. The value that is wrong is left out: it may be a secret of
 * somebody who mistyped a header, and hosts keep what we print.
 */
import type { CommanderError } from 'commander';

export function usageFault({ message }: CommanderError): string {
  const text = message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/^(option '.*?') argument '.*' is invalid\./, '$1 has a wrong value.')
    .replace(
      /^command-argument value '.*' is invalid for (argument '.*?')\./,
      '$1 has a wrong value.',
    )
    .replace(/^(unknown option '[^=]*)=.*'/, "$1'");
  return /[.?)]$/.test(text) ? text : `${text}.`;
}
