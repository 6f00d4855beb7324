/**
 * Writes lines behind whoever logs them. A reader who is slow loses lines, one who is gone loses
 * all of them, and neither holds up a request or the end of the process.
 */
import { write, writeSync } from 'node:fs';

/** Characters that may wait for a reader before lines are dropped. */
const WAITING_CHARS_MAX = 1024 * 1024;
/** Milliseconds until a reader who had no room is tried again. */
const RETRY_MS = 50;
/** Milliseconds that a reader without room may hold up the end of the process. */
const FLUSH_MS_MAX = 1000;

export class LogFile {
  readonly #descriptor: number;
  #waiting = '';
  #isWriting = false;

  /** @param descriptor - an open file, 2 for standard error. It stays open. */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(line: string): void {
    if (this.#waiting.length + line.length > WAITING_CHARS_MAX) return;
    this.#waiting += line;
    if (!this.#isWriting) this.#writeNext();
  }

  /** Writes what waits before it returns, unless nobody takes it. */
  flush(): void {
    let bytes = this.#take();
    const until = performance.now() + FLUSH_MS_MAX;
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(writeSync(this.#descriptor, bytes));
      } catch (error) {
        // A terminal that was closed, a pipe that nobody reads any more: it will not get better.
        if (!hasNoRoom(error) || performance.now() > until) return;
        pause(RETRY_MS);
      }
    }
  }

  #take(): Uint8Array {
    const bytes = Buffer.from(this.#waiting);
    this.#waiting = '';
    return bytes;
  }

  #writeNext(): void {
    this.#isWriting = this.#waiting !== '';
    if (this.#isWriting) this.#writeAll(this.#take());
  }

  #writeAll(bytes: Uint8Array): void {
    write(this.#descriptor, bytes, (error, written) => {
      if (hasNoRoom(error)) setTimeout(() => this.#writeAll(bytes), RETRY_MS);
      else if (error !== null || written === bytes.length) this.#writeNext();
      else this.#writeAll(bytes.subarray(written));
    });
  }
}

/** A pipe or a terminal that does not block says so when it is full. */
function hasNoRoom(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EBUSY';
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
