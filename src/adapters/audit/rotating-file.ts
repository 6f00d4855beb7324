/**
 * Lines in a file that is put aside when it is large enough: `audit.jsonl` becomes
 * `audit.jsonl.<n>`, counted upwards, and nothing is ever deleted by us. The chain goes on over
 * files.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  write,
} from 'node:fs';
import { type ChainHead, CHAIN_START, checkAuditLine, LINE_BYTES_MAX } from './audit-line.ts';
import type { LineSink } from './line-sink.ts';

export class RotatingFile implements LineSink {
  /** Where the chain of the file stood when it was opened. */
  readonly head: ChainHead;
  /** Whether the file ended in the middle of a line: the machine or the process died. */
  readonly isTorn: boolean;
  readonly #path: string;
  readonly #bytesMax: number;
  #descriptor: number;
  #bytes: number;
  #isWriting = false;
  #onIdle: (() => void) | undefined;

  /**
   * @param bytesMax - beyond which the next line begins a new file.
   * @throws Error when the file cannot be opened, saying why.
   */
  constructor(path: string, bytesMax: number) {
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#descriptor = openSync(path, 'a+', 0o600);
    this.#bytes = fstatSync(this.#descriptor).size;
    const { head, isTorn } = lastHead(this.#descriptor, this.#bytes);
    this.head = head;
    this.isTorn = isTorn;
  }

  write(bytes: Uint8Array, done: (failure: Error | undefined) => void): void {
    const failure = this.#rotate();
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
      ftruncateSync(this.#descriptor, bytes);
      this.#bytes = bytes;
    } catch {
      // The file is as broken as it was; whoever verifies it is told of the torn line.
    }
  }

  #rotate(): Error | undefined {
    if (this.#bytes < this.#bytesMax) return undefined;
    try {
      let number = 1;
      while (existsSync(`${this.#path}.${number}`)) number += 1;
      renameSync(this.#path, `${this.#path}.${number}`);
      const next = openSync(this.#path, 'a+', 0o600);
      closeSync(this.#descriptor);
      this.#descriptor = next;
      this.#bytes = 0;
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

/** The newest line of a file that is whole and proves itself. */
function lastHead(descriptor: number, size: number): { head: ChainHead; isTorn: boolean } {
  if (size === 0) return { head: CHAIN_START, isTorn: false };
  const tail = Buffer.alloc(Math.min(size, LINE_BYTES_MAX));
  readSync(descriptor, tail, 0, tail.length, size - tail.length);
  const text = tail.toString();
  for (const line of text.split('\n').toReversed()) {
    const head = checkAuditLine(line, undefined);
    if (typeof head !== 'string') return { head, isTorn: !text.endsWith('\n') };
  }
  return { head: CHAIN_START, isTorn: !text.endsWith('\n') };
}
