/**
 * From the first signal to the end of the process. The first signal drains, the second ends at
 * once; a fault that nobody caught ends what was started and fails.
 */
import type { Telemetry } from '../core/ports.ts';

export interface LifecycleParts {
  /** Drains and closes everything; resolves inside the window when all goes well. */
  close(): Promise<void>;
  /** Begins to end every child, without waiting. */
  abandon(): Promise<void>;
  /** Writes what waits of the record. Absent: none is kept. */
  closeRecord?: (() => Promise<void>) | undefined;
  /** Ends the process. Called once. */
  exit(code: number): void;
  /** Runs `task` later; returns what disarms it. */
  after(delayMs: number, task: () => void): () => void;
  /** Monotonic milliseconds. */
  now(): number;
  readonly drainMs: number;
  readonly telemetry: Telemetry;
}

/** Milliseconds past the window before a drain that hangs is given up. */
const OVERRUN_MS = 2000;
/** Milliseconds that children have to end after a fault of ours. */
const FAULT_MS = 3000;
/** Milliseconds that the end of the record may take when nothing else is waited for. */
const RECORD_MS = 1000;
/**
 * Milliseconds in which signals count as one. Under `npm start` a single Ctrl-C arrives twice: from
 * the terminal, and passed on by npm.
 */
const SAME_GESTURE_MS = 200;

export class Lifecycle {
  readonly #parts: LifecycleParts;
  #isDraining = false;
  #drainingSince = 0;
  #isOver = false;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  /** SIGTERM, SIGINT or SIGHUP came. */
  onSignal(signal: string): void {
    if (this.#isDraining) {
      if (this.#parts.now() - this.#drainingSince < SAME_GESTURE_MS) return;
      this.#parts.telemetry.log('warn', 'stopped_at_once', { signal });
      this.#stopAtOnce();
      return;
    }
    this.#isDraining = true;
    this.#drainingSince = this.#parts.now();
    const { drainMs, telemetry } = this.#parts;
    telemetry.log('info', 'draining', { signal, drainMs });
    this.#parts.after(drainMs + OVERRUN_MS, () => {
      telemetry.log('error', 'drain_overran', { drainMs });
      this.#stopAtOnce();
    });
    this.#parts.close().then(
      () => {
        telemetry.log('info', 'stopped', {});
        this.#exit(0);
      },
      (error: unknown) => this.onFault('drain', error),
    );
  }

  /** An error nobody caught: the state can no longer be trusted. */
  onFault(origin: string, error: unknown): void {
    this.#parts.telemetry.log('error', 'internal_fault', { origin, ...describe(error) });
    this.#isDraining = true;
    this.#parts.after(FAULT_MS, () => this.#exit(1));
    void this.#parts
      .abandon()
      .catch(() => {})
      .then(() => this.#exit(1));
  }

  /** What was in flight is lost, and that has to be on the record. */
  #stopAtOnce(): void {
    const { closeRecord } = this.#parts;
    this.#parts.abandon().catch(() => {});
    if (closeRecord === undefined) {
      this.#exit(1);
      return;
    }
    this.#parts.after(RECORD_MS, () => this.#exit(1));
    void closeRecord()
      .catch(() => {})
      .then(() => this.#exit(1));
  }

  #exit(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.exit(code);
  }
}

/** Where it happened, without the message: an engine's message may quote what a client sent. */
function describe(error: unknown): { error: string; at?: string | undefined } {
  if (!(error instanceof Error)) return { error: typeof error };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    error: error.name,
    at: frames
      .slice(0, 8)
      .map((line) => line.trim())
      .join(' < '),
  };
}
