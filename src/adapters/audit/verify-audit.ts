/** Reads records back and says whether their chain is whole. */
import { createReadStream } from 'node:fs';
import { type ChainHead, checkAuditLine, LINE_BYTES_MAX, type LineFault } from './audit-line.ts';

export interface AuditFault {
  readonly file: string;
  /** Counted from one. */
  readonly line: number;
  readonly fault: LineFault;
}

export interface AuditReport {
  readonly lines: number;
  /** The first line's number; 1 when nothing before it was taken away. */
  readonly from: number | undefined;
  /** Where the chain ends: written down elsewhere, it proves later that nothing was cut off. */
  readonly head: ChainHead | undefined;
  /** Lines cut off by a crash, and noted as such by the line after them. */
  readonly torn: number;
  readonly faults: readonly AuditFault[];
}

/** Faults that are told; a record that is rewritten whole has one in every line. */
const FAULTS_MAX = 100;

/**
 * @param files - in the order they were written: the oldest first.
 * @throws Error when a file cannot be read.
 */
export async function verifyAudit(files: readonly string[]): Promise<AuditReport> {
  const walk = new ChainWalk();
  for (const file of files) {
    let line = 0;
    for await (const text of linesOf(file)) {
      line += 1;
      walk.take(text, file, line);
    }
  }
  return walk.report();
}

/**
 * Lines end with LF and nothing else. One that is longer than any of ours is cut, so that it is no
 * whole line, and is the last of its file: `/dev/zero` has no end.
 */
async function* linesOf(file: string): AsyncGenerator<string> {
  const rest: Buffer[] = [];
  let restBytes = 0;
  for await (const read of createReadStream(file)) {
    const chunk = read as Buffer;
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      rest.push(chunk.subarray(start, end));
      yield Buffer.concat(rest).toString();
      rest.length = 0;
      restBytes = 0;
      start = end + 1;
    }
    rest.push(chunk.subarray(start));
    restBytes += chunk.length - start;
    if (restBytes > LINE_BYTES_MAX) break;
  }
  if (restBytes > 0) yield Buffer.concat(rest).toString();
}

const LF = 0x0a;

class ChainWalk {
  #lines = 0;
  #from: number | undefined;
  #head: ChainHead | undefined;
  #torn = 0;
  /** Lines that are none, in a row: a crash may cut off the note of the crash before it. */
  #suspects: AuditFault[] = [];
  #suspectCount = 0;
  readonly #faults: AuditFault[] = [];

  take(text: string, file: string, line: number): void {
    const outcome = checkAuditLine(text, this.#head);
    if (outcome === 'malformed') {
      this.#suspectCount += 1;
      if (this.#suspects.length < FAULTS_MAX) this.#suspects.push({ file, line, fault: outcome });
      return;
    }
    const isExplanation = typeof outcome !== 'string' && text.includes('"event":"recovered"');
    if (isExplanation) this.#torn += this.#suspectCount;
    this.#settle(isExplanation);
    this.#lines += 1;
    if (typeof outcome === 'string') {
      this.#accuse({ file, line, fault: outcome });
      const own = checkAuditLine(text, undefined);
      if (typeof own !== 'string') this.#head = own;
      return;
    }
    this.#from ??= outcome.sequence;
    this.#head = outcome;
  }

  report(): AuditReport {
    this.#settle(false);
    return {
      lines: this.#lines,
      from: this.#from,
      head: this.#head,
      torn: this.#torn,
      faults: this.#faults,
    };
  }

  #settle(isExplained: boolean): void {
    if (!isExplained) for (const suspect of this.#suspects) this.#accuse(suspect);
    this.#suspects = [];
    this.#suspectCount = 0;
  }

  #accuse(fault: AuditFault): void {
    if (this.#faults.length < FAULTS_MAX) this.#faults.push(fault);
  }
}
