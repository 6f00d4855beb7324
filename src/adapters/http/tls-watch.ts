/**
 * Looks every second whether the files of a TLS listener were replaced, symbolic links followed. A
 * certificate and its key are two files that change one after the other, so what does not fit is
 * complained of only when it is still there at the next look; until it fits, the old pair serves.
 */
import { stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { readTlsFiles, tlsFaultLine, type TlsFiles } from './tls-files.ts';
import type { TlsOptions } from './tls-options.ts';

export interface TlsWatchEvents {
  /** New files that can be served with. */
  onFiles(files: TlsFiles): void;
  /** They cannot; told once for each change. */
  onFault(reason: string): void;
  /** A revocation list has ended, so that no certificate of its authority counts; told once. */
  onListEnded(untilMs: number): void;
}

/** Milliseconds between two looks. */
const LOOK_MS = 1000;

export class TlsWatch {
  readonly #options: TlsOptions;
  readonly #events: TlsWatchEvents;
  readonly #timer: NodeJS.Timeout;
  #files: TlsFiles;
  /** What was seen of the files that serve, and of ones that did not fit. */
  #served: string | undefined;
  #faulty: { readonly seen: string; readonly reason: string; isTold: boolean } | undefined;
  #isLooking = false;
  #isEndTold = false;

  /** @param files - as they were read to begin with. */
  constructor(options: TlsOptions, files: TlsFiles, events: TlsWatchEvents) {
    this.#files = files;
    this.#options = options;
    this.#events = events;
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const seen = await this.#seen();
    this.#isLooking = false;
    this.#readWhatChanged(seen);
    this.#watchLists();
  }

  #readWhatChanged(seen: string): void {
    if (seen === this.#served) return;
    if (seen === this.#faulty?.seen) {
      if (!this.#faulty.isTold) this.#events.onFault(this.#faulty.reason);
      this.#faulty.isTold = true;
      return;
    }
    const read = readTlsFiles(this.#options);
    if (read.kind === 'faulty') {
      this.#faulty = { seen, reason: tlsFaultLine(read.fault, this.#options), isTold: false };
      return;
    }
    this.#served = seen;
    this.#faulty = undefined;
    // The first look reads again, for a change before it; and who touches files may change nothing.
    if (isDeepStrictEqual(read.files, this.#files)) return;
    this.#files = read.files;
    this.#isEndTold = false;
    this.#events.onFiles(read.files);
  }

  #watchLists(): void {
    const untilMs = this.#files.revoked?.untilMs ?? Infinity;
    if (this.#isEndTold || Date.now() < untilMs) return;
    this.#isEndTold = true;
    this.#events.onListEnded(untilMs);
  }

  async #seen(): Promise<string> {
    const { cert, key, clientCa, clientCrl } = this.#options;
    const seen = [cert, key, clientCa, clientCrl].map(async (path) => {
      if (path === undefined) return '';
      try {
        const { dev, ino, mode, mtimeMs, size } = await stat(path);
        return `${dev}:${ino}:${mode}:${mtimeMs}:${size}`;
      } catch {
        return 'none';
      }
    });
    return (await Promise.all(seen)).join(' ');
  }
}
