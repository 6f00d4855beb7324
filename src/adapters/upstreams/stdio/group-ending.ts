import { performance } from 'node:perf_hooks';
import { isGroupEmpty, signalGroup } from './process-group.ts';

/** How long a server may take to go before we ask less kindly. */
export interface StopTimes {
  /** Milliseconds from the end of its input to SIGTERM. */
  readonly stdinMs: number;
  /** Milliseconds from SIGTERM to SIGKILL. */
  readonly termMs: number;
}

export const DEFAULT_STOP_TIMES: StopTimes = { stdinMs: 2000, termMs: 5000 };

/**
 * How often a group without its leader is looked at, since nothing tells us when a grandchild dies:
 * soon, then ever less often, because a look costs a millisecond or two.
 */
const POLL_MS_MIN = 10;
const POLL_MS_MAX = 320;
/** SIGKILL cannot be refused, but a process in an uninterruptible wait takes it late. */
const KILL_MS = 5000;

/**
 * Sees a process group off: the input ends, then SIGTERM, then SIGKILL. A group whose leader is
 * gone gets no more time to read the end of its input; it was the leader's. One timer at most.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio#shutdown
 */
export class GroupEnding {
  readonly #pid: number;
  readonly #times: StopTimes;
  readonly #onGone: (isEmpty: boolean) => void;
  #stage: 'running' | 'asked' | 'terminated' | 'killed' | 'gone' = 'running';
  #hasLeader = true;
  #deadline = 0;
  #pollMs = POLL_MS_MIN;
  #timer: NodeJS.Timeout | undefined;

  /** @param onGone - called once; false when something outlived SIGKILL by 5 s and was given up. */
  constructor(pid: number, times: StopTimes, onGone: (isEmpty: boolean) => void) {
    this.#pid = pid;
    this.#times = times;
    this.#onGone = onGone;
  }

  /** The input of the leader was ended. Idempotent. */
  begin(): void {
    if (this.#stage === 'running') this.#enter('asked', this.#times.stdinMs);
  }

  leaderExited(): void {
    this.#hasLeader = false;
    this.#step();
  }

  /** Decides what the group needs now, and when to look again. */
  #step(): void {
    if (this.#stage === 'gone') return;
    if (!this.#hasLeader && isGroupEmpty(this.#pid)) {
      this.#finish(true);
      return;
    }
    const isDue = performance.now() >= this.#deadline;
    if (this.#stage === 'killed') {
      if (isDue) this.#finish(false);
      else this.#arm();
    } else if (this.#stage === 'terminated') {
      if (isDue) this.#signal('SIGKILL');
      else this.#arm();
    } else if (isDue || !this.#hasLeader) this.#signal('SIGTERM');
    else this.#arm();
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    signalGroup(this.#pid, signal);
    if (signal === 'SIGTERM') this.#enter('terminated', this.#times.termMs);
    else this.#enter('killed', KILL_MS);
  }

  #enter(stage: 'asked' | 'terminated' | 'killed', ms: number): void {
    this.#stage = stage;
    this.#deadline = performance.now() + ms;
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const left = Math.max(0, Math.ceil(this.#deadline - performance.now()));
    this.#timer = setTimeout(() => this.#step(), Math.min(left, this.#nextPollMs()));
  }

  #nextPollMs(): number {
    if (this.#hasLeader) return Infinity;
    this.#pollMs = Math.min(this.#pollMs * 2, POLL_MS_MAX);
    return this.#pollMs;
  }

  #finish(isEmpty: boolean): void {
    clearTimeout(this.#timer);
    this.#stage = 'gone';
    this.#onGone(isEmpty);
  }
}
