import { isUtf8 } from 'node:buffer';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import type {
  SendOutcome,
  Telemetry,
  UpstreamClosedCause,
  UpstreamConnection,
  UpstreamEvents,
} from '../../../core/ports.ts';
import type { Message } from '../../../core/protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from '../../../core/protocol/read-message.ts';
import { GroupEnding, type StopTimes } from './group-ending.ts';
import { LineSplitter } from './line-splitter.ts';
import { oversizedId } from './oversized-id.ts';
import { RateGate } from './rate-gate.ts';
import { startFailure } from './start-failure.ts';
import { StderrLog } from './stderr-log.ts';
import type { Watchdog } from './watchdog.ts';
import { MARKER_NAME } from './watchdog-program.ts';

/** What every child of one upstream has in common. */
export interface ChildPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly lineBytesMax: number;
  readonly queueBytesMax: number;
  readonly stop: StopTimes;
  readonly endsStrays: boolean;
  readonly logsStderr: boolean;
  readonly telemetry: Telemetry;
}

/**
 * How long output is awaited after the exit while none comes: a grandchild may hold the pipe for
 * ever.
 */
const DRAIN_MS = 100;
const DRAIN_ROUNDS_MAX = 50;
const BREAKS = /[\r\n]/g;
/** What one read takes at most: where it took as much, there is more. */
const FULL_CHUNK_BYTES = 65_536;

/**
 * One child and the conversation with it over its standard streams.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
 */
export class StdioConnection implements UpstreamConnection {
  readonly #plan: ChildPlan;
  readonly #events: UpstreamEvents;
  readonly #onGone: () => void;
  readonly #skippedLogs: RateGate = new RateGate(5, 5 / 60);
  readonly #splitter: LineSplitter;
  readonly #stderr: StderrLog;
  #child: ChildProcessWithoutNullStreams | undefined;
  #ending: GroupEnding | undefined;
  /**
   * Lines of this turn of the event loop: they leave in one write. With 4 calls in flight or more
   * that costs less than a write each (2.9 against 3.4 us a round trip with 32), with one it costs
   * a tenth more.
   */
  #pending = '';
  #isOpen = true;
  #isClosedByUs = false;
  #hasOutputEnded = false;
  #hasStderrEnded = false;
  #isFinished = false;
  #isGroupGone = false;
  #bytesRead = 0;
  #exit: string | undefined;
  #drainTimer: NodeJS.Timeout | undefined;

  /** @param onGone - called once, when no process and no timer of this connection is left. */
  constructor(plan: ChildPlan, events: UpstreamEvents, watchdog: Watchdog, onGone: () => void) {
    this.#plan = plan;
    this.#events = events;
    this.#onGone = onGone;
    this.#splitter = new LineSplitter(plan.lineBytesMax, {
      onLine: (source, start, end) => this.#line(source, start, end),
      onOversized: (head, tail) => {
        this.#skipped('too-long');
        events.onOversized(oversizedId(head, tail));
      },
    });
    watchdog.start();
    this.#start(watchdog);
    this.#stderr = new StderrLog(plan.name, this.#child?.pid, plan.telemetry, plan.logsStderr);
  }

  send(message: Message): SendOutcome {
    const child = this.#child;
    if (!this.#isOpen || child === undefined) return 'closed';
    const text = message.toText();
    const waiting = this.#pending.length + child.stdin.writableLength;
    if (waiting + text.length >= this.#plan.queueBytesMax) return 'full';
    if (this.#pending === '') setImmediate(this.#flush);
    this.#pending += `${withoutBreaks(text)}\n`;
    return 'sent';
  }

  close(): void {
    this.#isClosedByUs = true;
    this.#end();
  }

  #start(watchdog: Watchdog): void {
    const plan = this.#plan;
    const number = watchdog.nextChild();
    const mark = plan.endsStrays ? { [MARKER_NAME]: `${watchdog.nonce}.${number}` } : {};
    let child: ChildProcessWithoutNullStreams;
    try {
      child = spawn(plan.command, plan.args, {
        cwd: plan.cwd,
        env: { ...plan.env, ...mark },
        detached: process.platform !== 'win32',
        windowsHide: true,
        shell: false,
      });
    } catch (error) {
      process.nextTick(() => this.#failed(error));
      return;
    }
    const pid = child.pid;
    if (pid === undefined) {
      child.on('error', (error) => this.#failed(error));
      return;
    }
    watchdog.watch(pid);
    this.#child = child;
    this.#ending = new GroupEnding(pid, plan.stop, (isEmpty) => {
      if (!isEmpty)
        plan.telemetry.log('error', 'upstream_unkillable', { upstream: plan.name, pid });
      watchdog.unwatch(pid, plan.endsStrays ? number : undefined);
      this.#isGroupGone = true;
      if (this.#exit === undefined) this.#finish('it outlived SIGKILL');
      else if (this.#isFinished) this.#onGone();
    });
    this.#listen(child);
  }

  #listen(child: ChildProcessWithoutNullStreams): void {
    child.stdout.on('data', (chunk: Buffer) => {
      this.#bytesRead += chunk.length;
      this.#splitter.push(chunk);
      if (chunk.length >= FULL_CHUNK_BYTES) restForATurn(child.stdout);
    });
    child.stdout.on('close', () => this.#outputEnded());
    child.stderr.on('close', () => {
      this.#hasStderrEnded = true;
      if (this.#exit !== undefined && this.#hasOutputEnded) this.#finish(this.#exit);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr.push(chunk);
      if (chunk.length >= FULL_CHUNK_BYTES) restForATurn(child.stderr);
    });
    // A server that does not read its input any more is of no use, whether it still lives or not.
    child.stdin.on('error', () => this.#end());
    // Their ends are what we act on; an error is just one way to end.
    child.stdout.on('error', () => {});
    child.stderr.on('error', () => {});
    child.on('error', () => {});
    child.on('exit', (code, signal) => {
      this.#exit = signal === null ? `exit code ${code}` : `signal ${signal}`;
      this.#isOpen = false;
      if (this.#hasOutputEnded && this.#hasStderrEnded) this.#finish(this.#exit);
      else this.#drain(DRAIN_ROUNDS_MAX);
      this.#ending?.leaderExited();
    });
  }

  readonly #flush = (): void => {
    const lines = this.#pending;
    this.#pending = '';
    if (lines !== '' && this.#child?.stdin.writable === true) this.#child.stdin.write(lines);
  };

  #end(): void {
    if (!this.#isOpen) return;
    this.#flush();
    this.#isOpen = false;
    this.#child?.stdin.end();
    this.#ending?.begin();
  }

  #line(source: Buffer, start: number, end: number): void {
    // Each line is decoded by itself: a slice of a longer text would keep all of that text alive
    // for as long as its payload waits in an event log.
    const text = source.toString('utf8', start, end);
    // Decoding puts U+FFFD where bytes are no UTF-8, so only a line that has one needs a second
    // look.
    if (text.includes('\ufffd') && !isUtf8(source.subarray(start, end))) {
      this.#skipped('not-utf8');
      this.#answerLost(source.subarray(start, end));
      return;
    }
    const outcome = readMessage(text, UPSTREAM_BOUNDS);
    if (outcome.kind === 'message') this.#events.onMessage(outcome.message);
    else if (outcome.kind === 'refused') this.#refused(source.subarray(start, end), text);
    else {
      for (const entry of outcome.entries) {
        if ('error' in entry) this.#skipped('not-json-rpc');
        else this.#events.onMessage(entry);
      }
    }
  }

  #refused(line: Buffer, text: string): void {
    // Consoles of Windows begin their output with a byte order mark.
    const marked = text.startsWith('\ufeff')
      ? readMessage(text.slice(1), UPSTREAM_BOUNDS)
      : undefined;
    if (marked?.kind === 'message') this.#events.onMessage(marked.message);
    else if (text.trim() !== '') {
      this.#skipped('not-json-rpc');
      this.#answerLost(line);
    }
  }

  /** An answer that cannot be relayed must end its call; nothing else ever would. */
  #answerLost(line: Buffer): void {
    const id = oversizedId(line.subarray(0, 4096), line.subarray(-512));
    if (id !== undefined) this.#events.onOversized(id);
  }

  #skipped(reason: 'too-long' | 'not-utf8' | 'not-json-rpc'): void {
    const { name, telemetry } = this.#plan;
    telemetry.count('upstream_lines_skipped_total', { upstream: name, reason });
    if (!this.#skippedLogs.admits(performance.now())) return;
    const unlogged = this.#skippedLogs.takeHeldBack();
    telemetry.log('warn', 'upstream_line_skipped', { upstream: name, reason, unlogged });
  }

  #outputEnded(): void {
    this.#hasOutputEnded = true;
    if (this.#exit === undefined) this.#end();
    else if (this.#hasStderrEnded) this.#finish(this.#exit);
  }

  /**
   * After the exit: takes what is still in the pipe, but does not wait for a grandchild to let go
   * of it.
   */
  #drain(rounds: number): void {
    const before = this.#bytesRead;
    this.#drainTimer = setTimeout(() => {
      // Between a timer and an immediate the loop reads: what came while it was blocked is not
      // missed.
      setImmediate(() => {
        if (this.#isFinished) return;
        const hasMore = this.#bytesRead > before && rounds > 0;
        if (hasMore) this.#drain(rounds - 1);
        else this.#finish(this.#exit ?? '');
      });
    }, DRAIN_MS);
  }

  #failed(error: unknown): void {
    const { command, cwd } = this.#plan;
    this.#isGroupGone = true;
    this.#close(this.#isClosedByUs ? 'closed' : 'start-failed', startFailure(error, command, cwd));
  }

  #finish(detail: string): void {
    if (this.#isFinished) return;
    this.#splitter.end();
    this.#stderr.end();
    for (const stream of [this.#child?.stdin, this.#child?.stdout, this.#child?.stderr]) {
      stream?.destroy();
    }
    if (this.#isClosedByUs) this.#close('closed', detail);
    else this.#close('exited', detail + this.#stderr.hint);
  }

  #close(cause: UpstreamClosedCause, detail: string): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#isOpen = false;
    this.#pending = '';
    clearTimeout(this.#drainTimer);
    this.#events.onClosed(cause, detail);
    if (this.#isGroupGone) this.#onGone();
  }
}

/**
 * The system is read up to 32 times in one turn of the event loop, with two megabytes of messages
 * for everybody else to wait for. Of a child that floods, others have their turn after each read.
 */
function restForATurn(output: Readable): void {
  output.pause();
  setImmediate(() => output.resume());
}

/**
 * Line breaks inside a message can only be white space between its tokens, where a blank says the
 * same.
 */
function withoutBreaks(text: string): string {
  return text.includes('\n') || text.includes('\r') ? text.replace(BREAKS, ' ') : text;
}
