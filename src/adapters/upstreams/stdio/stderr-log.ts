import { performance } from 'node:perf_hooks';
import type { Telemetry } from '../../../core/ports.ts';
import { LineSplitter } from './line-splitter.ts';
import { RateGate } from './rate-gate.ts';

/** Characters of one stderr line that are worth reading; stack frames and progress bars fit. */
const LINE_BYTES_MAX = 4096;
const BURST_LINES = 50;
const LINES_PER_SECOND = 50;
/**
 * Controls of C0 and C1, and the characters that turn the direction of text: a server must not be
 * able to move the operator's cursor or to fake a line of the log.
 */
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * What a server writes to stderr, for the operator's eyes: bounded lines, at most 50 a second after
 * a burst of 50; the rest is counted.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
 */
export class StderrLog {
  readonly #upstream: string;
  readonly #pid: number | undefined;
  readonly #telemetry: Telemetry;
  readonly #isLogged: boolean;
  readonly #gate: RateGate = new RateGate(BURST_LINES, LINES_PER_SECOND);
  readonly #splitter: LineSplitter;
  #lines = 0;

  constructor(upstream: string, pid: number | undefined, telemetry: Telemetry, isLogged: boolean) {
    this.#upstream = upstream;
    this.#pid = pid;
    this.#telemetry = telemetry;
    this.#isLogged = isLogged;
    this.#splitter = new LineSplitter(LINE_BYTES_MAX, {
      onLine: (source, start, end) => this.#line(source, start, end, false),
      onOversized: (head) => this.#line(head, 0, head.length, true),
    });
  }

  /** What was held back, for whoever asks why the server ended; empty if nothing was. */
  get hint(): string {
    if (this.#isLogged || this.#lines === 0) return '';
    const lines = this.#lines === 1 ? '1 line' : `${this.#lines} lines`;
    return `; ${lines} on stderr, shown with --log-stderr or "stderr: log"`;
  }

  push(chunk: Buffer): void {
    this.#splitter.push(chunk);
  }

  end(): void {
    this.#splitter.end();
    const heldBack = this.#gate.takeHeldBack();
    if (heldBack > 0) this.#log({ line: '', suppressed: heldBack });
  }

  #line(source: Buffer, start: number, end: number, isCut: boolean): void {
    this.#lines += 1;
    this.#telemetry.count('upstream_stderr_lines_total', { upstream: this.#upstream });
    if (!this.#isLogged || !this.#gate.admits(performance.now())) return;
    const heldBack = this.#gate.takeHeldBack();
    const line = source.toString('utf8', start, end).replace(UNSAFE, escaped);
    const suppressed = heldBack > 0 ? { suppressed: heldBack } : {};
    this.#log({ line, ...(isCut ? { cut: true } : {}), ...suppressed });
  }

  #log(fields: Readonly<Record<string, string | number | boolean>>): void {
    const origin = { upstream: this.#upstream, pid: this.#pid };
    this.#telemetry.log('info', 'upstream_stderr', { ...origin, ...fields });
  }
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
