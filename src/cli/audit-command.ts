/** `tidegate audit verify`: reads a record back and says whether its chain is whole. */
import { statSync } from 'node:fs';
import { type AuditReport, verifyAudit } from '../adapters/audit/verify-audit.ts';
import type { AuditOptions } from './audit-line.ts';

export interface AuditOutcome {
  readonly exitCode: 0 | 1;
  /** For standard output. */
  readonly output: string;
  /** For standard error. */
  readonly text: string;
}

export async function auditCommand({ files, isJson }: AuditOptions): Promise<AuditOutcome> {
  let report: AuditReport;
  try {
    const missing = files.flatMap((file) => fileFault(file) ?? [])[0];
    if (missing !== undefined) return failed(missing);
    report = await verifyAudit(files);
  } catch (error) {
    const { code = 'unknown error', path = 'a file' } = error as NodeJS.ErrnoException;
    return failed(`${path} cannot be read (${code}).`);
  }
  const exitCode = report.faults.length === 0 && report.lines > 0 ? 0 : 1;
  if (isJson) return { exitCode, output: `${JSON.stringify(report)}\n`, text: '' };
  return { exitCode, output: '', text: textOf(report, files) };
}

/** What is told before anything is read: of a folder, the system's own fault has no name. */
function fileFault(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return `the file ${file} does not exist.`;
  return stat.isDirectory() ? `${file} is a folder. Name the files of the record.` : undefined;
}

function failed(reason: string): AuditOutcome {
  return { exitCode: 1, output: '', text: `tidegate: ${reason}\n` };
}

function textOf(
  { lines, from, head, torn, faults }: AuditReport,
  files: readonly string[],
): string {
  if (lines === 0) return `tidegate: no line of a record is in ${files.join(', ')}.\n`;
  const told = faults.map(({ file, line, fault }) => `${file}:${line}  ${fault}`);
  if (told.length > 0) return `${told.join('\n')}\nThe record is not whole.\n`;
  const start = from === 1 ? 'from its beginning' : `from line ${from} of the whole record`;
  const cut = torn === 0 ? '' : ` ${torn} cut off by a crash, and noted.`;
  return (
    `${lines} lines, whole, ${start}.${cut}\n` +
    `It ends with ${head?.sequence} ${head?.hash}; kept elsewhere, that proves later that ` +
    `nothing was cut off.\n`
  );
}
