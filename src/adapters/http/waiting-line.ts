/**
 * Requests that wait for their turn: those of new connections, and of connections whose last
 * request was refused. All others are handled as they come, so whoever floods us with requests that
 * are refused waits behind everybody whose requests are not.
 */
import { availableParallelism } from 'node:os';

/** Turns of the event loop after which a request is handled, however long the line is. */
const TURNS_MAX = 256;
/** Milliseconds without rest for which a line is served before others may have the only core. */
const RESTLESS_MS = 0.5;
/** Milliseconds of such a rest; the kernel makes some 60 us of it. */
const REST_MS = 0.001;
/** Nobody ever wakes who waits for it. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

export class WaitingLine {
  /** Connections whose last request was not refused. */
  readonly #welcome = new WeakSet<object>();
  readonly #sharesCore: boolean;
  readonly #line: (() => void)[] = [];
  /** When a line came to be, or the last rest ended; milliseconds. */
  #restedAt = 0;

  /** @param sharesCore - whether our children have no other core than ours. */
  constructor(sharesCore: boolean = availableParallelism() === 1) {
    this.#sharesCore = sharesCore;
  }

  /**
   * Handles a request of `connection`: at once, or in its turn, first come, first served, one in a
   * turn of the event loop. None is lost. No more wait than connections have requests open.
   */
  enter(connection: object, handle: () => void): void {
    if (this.#welcome.has(connection)) handle();
    else this.#wait(handle);
  }

  /** Tells how a request of `connection` was answered. */
  answered(connection: object, status: number): void {
    if (status >= 400) this.#welcome.delete(connection);
    else this.#welcome.add(connection);
  }

  #wait(handle: () => void): void {
    this.#line.push(handle);
    if (this.#line.length > 1) return;
    this.#restedAt = performance.now();
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#sharesCore) this.#rest();
    const handled = this.#line.splice(0, Math.ceil(this.#line.length / TURNS_MAX));
    if (this.#line.length > 0) setImmediate(this.#turn);
    for (const handle of handled) handle();
  };

  /**
   * As long as somebody is in line the event loop never waits, and a child on the same core gets it
   * only when the kernel takes it from us, some 4 ms later: that was the p99 of everybody's calls.
   */
  #rest(): void {
    if (performance.now() - this.#restedAt < RESTLESS_MS) return;
    Atomics.wait(NEVER, 0, 0, REST_MS);
    this.#restedAt = performance.now();
  }
}
