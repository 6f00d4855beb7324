/**
 * Replies of one connection of HTTP/2 that its peer has not taken yet. It may ask for a hundred at
 * a time, which may be large; what was answered must be kept until it is taken, so that a peer that
 * asks and does not read would have us keep as much as it likes.
 */
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { ConnectionLimits } from './connection-limits.ts';
import { queuedBytes, takenBytes } from './taken-bytes.ts';
import { LITTLE_BYTES, type Reader, type UnsentBytes } from './unsent-bytes.ts';

/** How often a peer that leaves too much is looked at within the time it has. */
const LOOKS = 8;
/** On one connection, replies so small are bounded by their number. */
const SMALL_REPLY_BYTES = 65_536;

export class H2Backlog implements Reader {
  readonly #socket: Socket;
  readonly #limits: ConnectionLimits;
  readonly #all: Pick<UnsentBytes, 'add' | 'delete'>;
  readonly #onUnread: () => void;
  /** What is held of each reply. */
  readonly #held = new Map<Writable, number>();
  #smallBytes = 0;
  /** Event streams, of each of which Node keeps a little. */
  readonly #streams = new Set<Writable>();
  readonly #waiting = new Set<() => void>();
  #bytes = 0;
  /** Only while more waits than may. */
  #timer: NodeJS.Timeout | undefined;
  /** What was taken of the connection when enough had been taken the last time. */
  #takenBytes = 0;
  #looksLeft = LOOKS;

  /**
   * @param all - what waits on all connections.
   * @param onUnread - called once, when more waits than may, and too little of it is taken; or when
   * more waits on all connections than may.
   */
  constructor(
    socket: Socket,
    limits: ConnectionLimits,
    all: Pick<UnsentBytes, 'add' | 'delete'>,
    onUnread: () => void,
  ) {
    this.#socket = socket;
    this.#limits = limits;
    this.#all = all;
    this.#onUnread = onUnread;
  }

  /** Handles a request at once, or when no more waits than may. Never, where its stream ends. */
  enter(stream: Writable, handle: () => void): void {
    if (this.#timer === undefined) return handle();
    this.#waiting.add(handle);
    stream.once('close', () => this.#waiting.delete(handle));
  }

  /** Counts a reply until its stream is over, which is told by `release`. */
  hold(stream: Writable, bytes: number): void {
    this.#held.set(stream, bytes);
    if (bytes > SMALL_REPLY_BYTES) return this.add(bytes);
    this.#smallBytes += bytes;
    this.#counted(bytes);
  }

  /** Counts what Node keeps of an event stream until it is over. */
  watch(stream: Writable): void {
    if (!stream.destroyed) this.#streams.add(stream);
  }

  /** So much was given to Node for one that is watched. */
  handed(bytes: number): void {
    this.#all.add(this, bytes);
  }

  release(stream: Writable): void {
    this.#streams.delete(stream);
    const bytes = this.#held.get(stream);
    if (bytes === undefined) return;
    this.#held.delete(stream);
    if (bytes > SMALL_REPLY_BYTES) this.remove(bytes);
    else this.#smallBytes -= bytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#counted(bytes);
    if (this.#timer !== undefined || !this.#isOver()) return;
    this.#takenBytes = this.#taken();
    this.#looksLeft = LOOKS;
    const { stallMsMax } = this.#limits;
    this.#timer = setInterval(() => this.#look(), stallMsMax / 2 / LOOKS);
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#timer === undefined) return;
    // Whoever lets go of something may be in the middle of handling another request.
    setImmediate(() => this.#settle());
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
    this.#all.delete(this);
  }

  unsentBytes(): number {
    let bytes = this.#bytes + this.#smallBytes;
    for (const { writableLength } of this.#streams) bytes += writableLength;
    return Math.max(bytes, queuedBytes(this.#socket));
  }

  cut(): void {
    this.stop();
    this.#onUnread();
  }

  #counted(bytes: number): void {
    if (this.#bytes + this.#smallBytes > LITTLE_BYTES) this.#all.add(this, bytes);
  }

  #look(): void {
    if (!this.#isOver()) return this.#settle();
    const { unsentBytesPerSecondMin, stallMsMax } = this.#limits;
    const taken = this.#taken();
    if (taken - this.#takenBytes >= (unsentBytesPerSecondMin * stallMsMax) / 2 / 1000) {
      this.#takenBytes = taken;
      this.#looksLeft = LOOKS;
      return;
    }
    this.#looksLeft -= 1;
    if (this.#looksLeft > 0) return;
    this.cut();
  }

  #settle(): void {
    if (this.#isOver()) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const handle of this.#waiting) {
      this.#waiting.delete(handle);
      handle();
      if (this.#timer !== undefined) return;
    }
  }

  #taken(): number {
    return takenBytes(this.#socket) ?? 0;
  }

  /** What is over for its stream may still wait in the connection. */
  #isOver(): boolean {
    return Math.max(this.#bytes, queuedBytes(this.#socket)) > this.#limits.unsentBytesMax;
  }
}
