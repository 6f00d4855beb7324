/** The pages of docs/reference/ that are written from the product's own tables. */
import { CLOSE_REASONS } from '../src/core/close-reasons.ts';
import { ERRORS } from '../src/core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../src/core/limits.ts';
import { readText } from './source-files.ts';

const WRITTEN_FROM = (path: string): string =>
  `<!-- Written by \`npm run docs\` from ${path}; change it there. -->`;

export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { httpStatus, rpcCode, retryable, message }]) =>
      `| \`${code}\` | ${httpStatus} | ${rpcCode} | ${retryable ? 'yes' : 'no'} | ${message} |`,
  );
  return page(
    'Errors',
    'src/core/errors.ts',
    `Every refusal is one JSON-RPC error. The HTTP status applies while the reply is undecided; once an event
stream has begun, the same error travels on the stream. *Retry* says whether the same request may succeed
later, unchanged. Codes from -32020 to -32099 belong to the specification; from -32019 to -32000 they are
Tidegate's. The sentence may be more precise in a single case; the codes are not.`,
    [
      '| Name | HTTP | JSON-RPC | Retry | What the peer is told |',
      '|---|---|---|---|---|',
      ...rows,
    ],
  );
}

export function limitsPage(): string {
  const reasons = reasonsOfLimits();
  const rows = Object.entries(DEFAULT_LIMITS).map(
    ([name, value]: [string, number]) =>
      `| \`${name}\` | ${readable(name, value)} | ${reasons.get(name) ?? ''} |`,
  );
  return page(
    'Limits',
    'src/core/limits.ts',
    `Nothing grows without a bound, and every bound is here. Pass other values as \`limits\` to
\`createEndpoint\`. A breach is answered with one of the [errors](errors.md) or ends a stream with one of the
[close reasons](close-reasons.md).`,
    ['| Name | Default | What it bounds, and why |', '|---|---|---|', ...rows],
  );
}

export function closeReasonsPage(): string {
  const rows = Object.entries(CLOSE_REASONS).map(
    ([reason, { resumable, meaning }]) =>
      `| \`${reason}\` | ${resumable ? 'yes' : 'no'} | ${meaning} |`,
  );
  return page(
    'Close reasons',
    'src/core/close-reasons.ts',
    `Every stream, session and call ends for one of these reasons. They appear in the log and in metrics.
*Come back* says whether the peer may reconnect and go on where it was.`,
    ['| Reason | Come back | Meaning |', '|---|---|---|', ...rows],
  );
}

/** Names of limits without a documentation comment: each needs its reason. */
export function limitsWithoutReason(): string[] {
  const reasons = reasonsOfLimits();
  return (Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]).filter((name) => !reasons.get(name));
}

function reasonsOfLimits(): Map<string, string> {
  const source = readText('src/core/limits.ts');
  const members = source.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*readonly (\w+): number;/g);
  return new Map(
    [...members].map(([, comment = '', name = '']) => [
      name,
      comment.replaceAll(/\s*\n\s*\*\s*/g, ' ').trim(),
    ]),
  );
}

function readable(name: string, value: number): string {
  if (/Bytes|Chars/.test(name) && value % 1024 === 0) {
    const isMebi = value % (1024 * 1024) === 0;
    return isMebi ? `${value / 1024 / 1024} MiB` : `${value / 1024} KiB`;
  }
  if (!/Ms(Max)?$/.test(name) || value < 1000) {
    return /Ms(Max)?$/.test(name) ? `${value} ms` : value.toLocaleString('en-US');
  }
  if (value % 3_600_000 === 0) return `${value / 3_600_000} h`;
  return value % 60_000 === 0 ? `${value / 60_000} min` : `${value / 1000} s`;
}

function page(title: string, from: string, about: string, table: readonly string[]): string {
  return `# ${title}\n\n${WRITTEN_FROM(from)}\n\n${about}\n\n${table.join('\n')}\n`;
}
