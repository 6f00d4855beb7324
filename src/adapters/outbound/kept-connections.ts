/** The connections with one server that wait for a request; the one used last goes first. */
import type { Destination } from './connecting.ts';
import type { Connection, ConnectionEvents } from './connection.ts';

/** Connections with one server that are kept without use. */
const KEPT_MAX = 64;
/**
 * Milliseconds a connection is kept without use: below the 5 s after which common servers close
 * theirs, so that no request is sent into a closing connection.
 */
const KEEP_MS = 4000;
/** A server that says when it closes is left this much earlier. */
const KEEP_MARGIN_MS = 1000;

/** Where connections come from, and end. */
export interface ConnectionSource {
  /** One that was not used yet. */
  open(to: Destination, events: ConnectionEvents): Connection;
  /** Cuts it. */
  drop(connection: Connection): Promise<void>;
}

export class KeptConnections implements ConnectionEvents {
  readonly #all: ConnectionSource;
  readonly #to: Destination;
  readonly #kept: Connection[] = [];
  /** One for them all: a call arms none. */
  #timer: NodeJS.Timeout | undefined;

  constructor(all: ConnectionSource, to: Destination) {
    this.#all = all;
    this.#to = to;
  }

  /** @param isFresh - whether it must be one that was not used before. */
  take(isFresh: boolean): Connection {
    const now = performance.now();
    while (!isFresh) {
      const kept = this.#kept.pop();
      if (kept === undefined) break;
      kept.place = -1;
      if (kept.isIdle && kept.keptUntil > now) return kept;
      this.drop(kept);
    }
    return this.#all.open(this.#to, this);
  }

  /**
   * Takes back one whose reply was received to its end.
   * @param saidMs - how long the server says that it keeps it, in milliseconds.
   */
  give(connection: Connection, saidMs: number | undefined): void {
    const keepMs = saidMs === undefined ? KEEP_MS : Math.min(KEEP_MS, saidMs - KEEP_MARGIN_MS);
    if (keepMs <= 0 || !connection.isIdle || this.#kept.length >= KEPT_MAX) {
      this.drop(connection);
      return;
    }
    connection.rest();
    connection.keptUntil = performance.now() + keepMs;
    connection.place = this.#kept.push(connection) - 1;
    if (this.#timer === undefined) this.#watch(keepMs);
  }

  drop(connection: Connection): void {
    void this.#all.drop(connection);
  }

  /** Told by a connection. One in use is looked after by whoever uses it. */
  closed(connection: Connection): void {
    const { place } = connection;
    if (place === -1) return;
    connection.place = -1;
    const last = this.#kept.pop();
    if (last !== undefined && last !== connection) {
      this.#kept[place] = last;
      last.place = place;
    }
    this.drop(connection);
  }

  #watch(delayMs: number): void {
    this.#timer = setTimeout(() => this.#sweep(), delayMs).unref();
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = performance.now();
    let next = Infinity;
    for (const each of this.#kept) {
      // It leaves the list once its socket is closed.
      if (each.keptUntil <= now) this.drop(each);
      else next = Math.min(next, each.keptUntil);
    }
    if (next < Infinity) this.#watch(Math.ceil(next - now));
  }
}
