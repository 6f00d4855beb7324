/**
 * What the command shows of itself: structured logs on stderr and counters in memory.
 *
 * Only the fields that were given are logged, each made printable, so that nothing a peer chose can
 * forge a line or drive a terminal. Writing is asynchronous and bounded: a log that nobody reads
 * loses lines and never holds a request up.
 */
import type { CloseReason } from '../../core/close-reasons.ts';
import { checkOptions, flag, oneOf, type OptionKinds, work } from '../../core/option-kinds.ts';
import type { LogFields, LogLevel, Telemetry } from '../../core/ports.ts';
import { type Counter, Counters } from './counters.ts';
import { LogFile } from './log-file.ts';
import { printable } from './printable.ts';

const STANDARD_ERROR = 2;

export type LogFormat = 'pretty' | 'json';

export interface ConsoleTelemetryOptions {
  /** The least that is logged. Default `info`. */
  readonly level?: LogLevel | 'silent';
  /** `pretty` is for people, `json` is one object a line. Default `json`. */
  readonly format?: LogFormat;
  /** Colours in `pretty`. Default false. */
  readonly isColoured?: boolean;
  /** Takes each line, line break included. Default: standard error. */
  readonly write?: (line: string) => void;
}

export interface ConsoleTelemetry extends Telemetry {
  /** Every counter as it is now. */
  snapshot(): readonly Counter[];
  /** Writes what waits, at once. For the moment before the process ends. */
  flush(): void;
}

const KINDS: OptionKinds = {
  level: oneOf('debug', 'info', 'warn', 'error', 'silent'),
  format: oneOf('pretty', 'json'),
  isColoured: flag,
  write: work,
};

/**
 * Loads the logger, which is why it is asynchronous: who embeds the library does not pay for it.
 * @throws TypeError for an option of the wrong kind.
 */
export async function consoleTelemetry(
  options: ConsoleTelemetryOptions = {},
): Promise<ConsoleTelemetry> {
  checkOptions(options, KINDS);
  const { default: pino } = await import('pino');
  const stderr = options.write === undefined ? new LogFile(STANDARD_ERROR) : undefined;
  const write = options.write ?? ((line: string) => stderr?.write(line));
  const render = options.format === 'pretty' ? await prettyLine(options) : String;
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(render(line)) },
  );
  const counters = new Counters();
  return {
    log(level: LogLevel, event: string, fields: LogFields): void {
      if (logger.isLevelEnabled(level)) logger[level](lineOf(event, fields));
    },
    count: (name, labels, by) => counters.add(name, labels, by),
    request(
      era: string,
      method: string,
      outcome: string,
      durationMs: number,
      tenant?: string,
    ): void {
      const labels = { era, method, outcome, ...(tenant === undefined ? {} : { tenant }) };
      counters.add('requests_total', labels);
      counters.add('request_duration_ms_sum', labels, durationMs);
    },
    streamClosed(era: string, kind: string, reason: CloseReason, ageMs: number): void {
      counters.add('stream_closed_total', { reason });
      counters.add('stream_age_ms_sum', { era, kind }, ageMs);
    },
    snapshot: () => counters.snapshot(),
    flush: () => stderr?.flush(),
  };
}

/** The event comes first, where a reader looks for it. */
function lineOf(event: string, fields: LogFields): LogFields {
  const safe: Record<string, string | number | boolean | undefined> = { event: printable(event) };
  for (const name in fields) {
    const value = fields[name];
    safe[RESERVED.has(name) ? `${name}_` : name] = readable(value);
  }
  return safe;
}

/** Durations come with more digits than anyone reads. */
function readable(value: LogFields[string]): LogFields[string] {
  if (typeof value === 'string') return printable(value);
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}

/** Members of every line; a field of the same name must not stand twice in one object. */
const RESERVED: ReadonlySet<string> = new Set(['level', 'time', 'event']);

async function prettyLine(options: ConsoleTelemetryOptions): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  const render = prettyFactory({
    colorize: options.isColoured ?? false,
    messageKey: 'event',
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    singleLine: true,
  });
  return (line) => render(line) ?? '';
}
