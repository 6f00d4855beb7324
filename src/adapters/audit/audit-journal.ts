/**
 * The record, kept: entries are chained as they come, wait in a bounded queue, and are written one
 * batch at a time. An entry that finds the queue full is lost and counted on the record itself; if
 * the record is required, calls are refused instead of made unrecorded, and those that were let in
 * before find room.
 *
 * Who is not let in has a share of its own, so that strangers cannot take the place of calls.
 */
import {
  type AdministrativeAct,
  type AuditEntry,
  type AuditTrail,
  isVisit,
} from '../../core/access.ts';
import type { Refusal } from '../../core/errors.ts';
import type { Telemetry } from '../../core/ports.ts';
import { AuditBatch } from './audit-batch.ts';
import { type ChainHead, CHAIN_START, type RecordLine } from './audit-line.ts';
import type { Digest } from './digest.ts';
import type { LineSink } from './line-sink.ts';
import { RefusalLines } from './refusal-lines.ts';
import { SECOND_MS, StrangerLines } from './stranger-lines.ts';

export interface AuditJournalOptions {
  readonly sink: LineSink;
  /** Whether calls are refused while the record cannot be kept. Default false. */
  readonly isRequired?: boolean | undefined;
  /**
   * Entries that may wait to be written: of what was done, and as many again of who was not let in.
   * Default 10,000.
   */
  readonly queueEntriesMax?: number | undefined;
  /** Of what is not kept. Default: SHA-256. */
  readonly digest?: Digest | undefined;
  /** Where the chain goes on. Default: its beginning. */
  readonly head?: ChainHead | undefined;
  /** Whether the last line before was cut off. */
  readonly isTorn?: boolean | undefined;
  readonly telemetry: Telemetry;
  /** Wall-clock milliseconds. Default: the machine's. */
  readonly now?: (() => number) | undefined;
}

/** Milliseconds after a failed write before the next is tried. */
const RETRY_MS = 1000;
/** Milliseconds from one write to the next: calls that come closely share one. */
const PAUSE_MS = 20;

export class AuditJournal implements AuditTrail {
  readonly #options: AuditJournalOptions;
  readonly #queueMax: number;
  readonly #now: () => number;
  /** What comes meanwhile. */
  #filling: AuditBatch;
  /** What is being written, or was and failed. */
  #leaving: AuditBatch;
  #head: ChainHead;
  #dropped = 0;
  readonly #strangers = new StrangerLines();
  readonly #refusals = new RefusalLines();
  #visitsTimer: NodeJS.Timeout | undefined;
  #isWriting = false;
  /** Whether the sink was given lines and has not said what became of them. */
  #isInFlight = false;
  #failure: Error | undefined;
  #isClosed = false;
  #closing: Promise<void> | undefined;
  #onWritten: (() => void) | undefined;
  #pauseTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #isPausing = false;

  constructor(options: AuditJournalOptions) {
    this.#filling = new AuditBatch(options.digest);
    this.#leaving = new AuditBatch(options.digest);
    this.#options = options;
    this.#queueMax = options.queueEntriesMax ?? 10_000;
    this.#now = options.now ?? Date.now;
    this.#head = options.head ?? CHAIN_START;
    if (options.isTorn === true) {
      // The cut line must not run into the next one.
      this.#filling.breakLine();
      this.#append({ event: 'recovered' });
    }
    this.#append({ event: 'started' });
  }

  fault(): Refusal | undefined {
    if (this.#options.isRequired !== true) return undefined;
    const isFull = this.#waitingActs >= this.#queueMax;
    return this.#failure !== undefined || isFull ? { error: 'AUDIT_UNAVAILABLE' } : undefined;
  }

  record(entry: AuditEntry | AdministrativeAct): void {
    if (!this.#isClosed && entry.event !== 'administered' && isVisit(entry)) {
      // One timer for all that come in a second.
      this.#visitsTimer ??= setTimeout(() => this.#tellVisits(), SECOND_MS).unref();
      if (entry.event === 'refused') return this.#refusals.count(entry);
      if (!this.#strangers.admits(entry)) return;
    }
    this.#take(entry);
  }

  #tellVisits(): void {
    clearTimeout(this.#visitsTimer);
    this.#visitsTimer = undefined;
    for (const note of this.#strangers.take()) this.#take(note);
    for (const note of this.#refusals.take()) this.#take(note);
  }

  #take(entry: RecordLine): void {
    if (this.#isClosed || !this.#hasRoom(entry)) {
      this.#dropped += 1;
      this.#options.telemetry.count('audit_dropped_total', {});
      return;
    }
    if (this.#dropped > 0) {
      this.#append({ event: 'dropped', count: this.#dropped });
      this.#dropped = 0;
    }
    this.#append(entry);
  }

  /** Writes what waits, as far as it can be written, and closes the sink. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#tellVisits();
    this.#append({ event: 'stopped' });
    this.#isClosed = true;
    this.#endPause();
    this.#retryNow();
    while (this.#waiting > 0 && (this.#isInFlight || this.#failure === undefined)) {
      await new Promise<void>((resolve) => {
        this.#onWritten = resolve;
      });
    }
    await this.#options.sink.close();
  }

  get #waiting(): number {
    return this.#filling.entries + this.#leaving.entries;
  }

  get #waitingVisits(): number {
    return this.#filling.visits + this.#leaving.visits;
  }

  get #waitingActs(): number {
    return this.#waiting - this.#waitingVisits;
  }

  /**
   * What was let in before the record failed is in flight, and so is bounded: where the record is
   * required no call starts meanwhile.
   */
  #hasRoom(entry: RecordLine): boolean {
    if (isVisit(entry)) return this.#waitingVisits < this.#queueMax;
    return this.#options.isRequired === true || this.#waitingActs < this.#queueMax;
  }

  #append(entry: RecordLine): void {
    this.#head = this.#filling.append(entry, this.#head, this.#now());
    if (!this.#isWriting) this.#writeSoon();
  }

  /** What comes in one turn, or in the pause after a write, leaves in one write. */
  #writeSoon(): void {
    if (this.#isPausing) return;
    this.#isWriting = true;
    setImmediate(() => this.#write());
  }

  #pause(): void {
    this.#isPausing = true;
    this.#pauseTimer = setTimeout(() => this.#endPause(), PAUSE_MS);
  }

  #endPause(): void {
    if (!this.#isPausing) return;
    clearTimeout(this.#pauseTimer);
    this.#isPausing = false;
    if (this.#waiting > 0) this.#writeSoon();
  }

  #write(): void {
    if (this.#leaving.entries === 0) {
      const empty = this.#leaving;
      this.#leaving = this.#filling;
      this.#filling = empty;
    }
    this.#isInFlight = true;
    this.#options.sink.write(this.#leaving.bytes, (failure) => {
      this.#isInFlight = false;
      if (failure !== undefined) {
        this.#failed(failure);
        return;
      }
      this.#failure = undefined;
      this.#leaving.clear();
      this.#isWriting = false;
      this.#onWritten?.();
      if (!this.#isClosed) this.#pause();
      else if (this.#waiting > 0) this.#writeSoon();
    });
  }

  /** Nothing is given up: the same lines are written once they can be. */
  #failed(failure: Error): void {
    const { telemetry } = this.#options;
    if (this.#failure === undefined) {
      const { code } = failure as NodeJS.ErrnoException;
      telemetry.log('error', 'audit_unwritable', { error: code ?? failure.name });
    }
    this.#failure = failure;
    this.#onWritten?.();
    if (this.#isClosed) return;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#write();
    }, RETRY_MS).unref();
  }

  /** The last time: once the sink is closed its file may be somebody else's. */
  #retryNow(): void {
    if (this.#retryTimer === undefined) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#write();
  }
}
