/**
 * Lines in a file that is put aside when it is large enough: `audit.jsonl` becomes
 * `audit.jsonl.<n>`, counted upwards, and nothing is ever deleted by us. The chain goes on over
 * files.
 *
 * The file is ours alone: nobody else may write to it while we do. Whoever moves it away finds a
 * new one in its place at the next write.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  write,
} from 'node:fs';
import { type ChainHead, CHAIN_START, checkAuditLine, LINE_BYTES_MAX } from './audit-line.ts';
import { FileLock } from './file-lock.ts';
import { isForeign } from './foreign-file.ts';
import type { LineSink } from './line-sink.ts';
import { newestNumber } from './numbered-files.ts';
import { isOwnStream } from './own-stream.ts';

export interface RotatingFileEvents {
  /** The file was moved away or removed by somebody else, and a new one was begun. */
  onReplaced(): void;
}

export class RotatingFile implements LineSink {
  /** Where the chain of the file stood when it was opened. */
  readonly head: ChainHead;
  /** Whether the file ended in the middle of a line: the machine or the process died. */
  readonly isTorn: boolean;
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #events: RotatingFileEvents;
  /** Undefined for what is no regular file, such as a pipe: it has no size and is not put aside. */
  readonly #lock: FileLock | undefined;
  #descriptor: number;
  #opened: Stats;
  #bytes: number;
  /** The highest number that was ever given, by whomever. */
  #lastNumber: number;
  /** Whether the open file has its number, and the next one could not be opened yet. */
  #isPutAside = false;
  #isWriting = false;
  #onIdle: (() => void) | undefined;

  /**
   * @param bytesMax - beyond which the next line begins a new file.
   * @throws Error when the file cannot be opened or another process keeps it, saying why.
   */
  constructor(path: string, bytesMax: number, events: RotatingFileEvents = { onReplaced() {} }) {
    if (isOwnStream(path)) {
      throw new Error('a stream is no file; give none for standard output');
    }
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#events = events;
    this.#descriptor = openSync(path, 'a+', 0o600);
    let lock: FileLock | undefined;
    try {
      this.#opened = fstatSync(this.#descriptor);
      if (this.#opened.isFile() && isForeign(this.#descriptor)) {
        throw new Error('it holds something else than a record');
      }
      lock = this.#opened.isFile() ? new FileLock(`${path}.lock`) : undefined;
      this.#lock = lock;
      // Whoever kept it until now may have written to it since.
      this.#bytes = fstatSync(this.#descriptor).size;
      this.#lastNumber = lock === undefined ? 0 : newestNumber(path);
      const own = lastHead(this.#descriptor, this.#bytes);
      this.head = own.head ?? headOf(path, this.#lastNumber) ?? CHAIN_START;
      this.isTorn = own.isTorn;
    } catch (error) {
      lock?.release();
      closeSync(this.#descriptor);
      throw error;
    }
  }

  write(bytes: Uint8Array, done: (failure: Error | undefined) => void): void {
    const failure = this.#prepare();
    if (failure !== undefined) {
      done(failure);
      return;
    }
    this.#isWriting = true;
    const before = this.#bytes;
    this.#writeAll(bytes, 0, (error) => {
      if (error !== undefined) this.#takeBack(before);
      this.#isWriting = false;
      this.#onIdle?.();
      done(error);
    });
  }

  async close(): Promise<void> {
    if (this.#isWriting) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    closeSync(this.#descriptor);
    this.#lock?.release();
  }

  #writeAll(bytes: Uint8Array, from: number, done: (error: Error | undefined) => void): void {
    write(this.#descriptor, bytes, from, bytes.length - from, null, (error, written) => {
      this.#bytes += written ?? 0;
      if (error !== null) done(error);
      else if (from + written < bytes.length) this.#writeAll(bytes, from + written, done);
      else done(undefined);
    });
  }

  /** The same lines are written again later: what was written of them would stand there twice. */
  #takeBack(bytes: number): void {
    try {
      // What stands behind ours is not ours to take away.
      if (fstatSync(this.#descriptor).size !== this.#bytes) return;
      ftruncateSync(this.#descriptor, bytes);
      this.#bytes = bytes;
    } catch {
      // The file is as broken as it was; whoever verifies it is told of the torn line.
    }
  }

  /** Makes sure that what is written now is found where the record is looked for. */
  #prepare(): Error | undefined {
    if (this.#lock === undefined) return undefined;
    try {
      const found = statSync(this.#path, { throwIfNoEntry: false });
      const isThere = found?.ino === this.#opened.ino && found.dev === this.#opened.dev;
      if (!isThere) {
        if (!this.#isPutAside) this.#events.onReplaced();
        this.#begin();
      } else if (found.size !== this.#bytes) {
        return foreignWrites(this.#path);
      } else if (this.#bytes >= this.#bytesMax) {
        this.#putAside();
        this.#begin();
      }
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** A number that was given once is not given again, though its file may be archived by now. */
  #putAside(): void {
    const number = Math.max(this.#lastNumber, newestNumber(this.#path)) + 1;
    renameSync(this.#path, `${this.#path}.${number}`);
    this.#lastNumber = number;
    this.#isPutAside = true;
  }

  /** Opens the file anew. What fails here is tried again with the next write. */
  #begin(): void {
    const next = openSync(this.#path, 'a+', 0o600);
    closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#opened = fstatSync(next);
    this.#bytes = this.#opened.size;
    this.#isPutAside = false;
  }
}

/** Our chain is no longer what the file holds, and would not be after another line of ours. */
function foreignWrites(path: string): Error {
  const message = `${path} was written to or cut by another process.`;
  return Object.assign(new Error(message), { code: 'CHANGED_BY_ANOTHER' });
}

/** Of a file that was put aside; undefined when there is none. */
function headOf(path: string, number: number): ChainHead | undefined {
  if (number === 0) return undefined;
  const descriptor = openSync(`${path}.${number}`, 'r');
  try {
    return lastHead(descriptor, fstatSync(descriptor).size).head;
  } finally {
    closeSync(descriptor);
  }
}

/** The newest line of a file that is whole and proves itself, if it has one. */
function lastHead(
  descriptor: number,
  size: number,
): { head: ChainHead | undefined; isTorn: boolean } {
  if (size === 0) return { head: undefined, isTorn: false };
  const tail = Buffer.alloc(Math.min(size, LINE_BYTES_MAX));
  readSync(descriptor, tail, 0, tail.length, size - tail.length);
  const text = tail.toString();
  const isTorn = !text.endsWith('\n');
  for (const line of text.split('\n').toReversed()) {
    const head = checkAuditLine(line, undefined);
    if (typeof head !== 'string') return { head, isTorn };
  }
  return { head: undefined, isTorn };
}
