/**
 * Time that moves only when told to: hours run in milliseconds, and every run of one seed is the
 * same. Tasks due at the same millisecond run in the order they were armed.
 */
import type { Clock } from '../core/ports.ts';

interface Task {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export class VirtualClock implements Clock {
  /** A binary heap: the earliest task first. Disarmed tasks stay until they surface. */
  readonly #heap: Task[] = [];
  #now: number;
  #order = 0;
  #armed = 0;

  /** @param startMs - the first `now()`; 0 by default. */
  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): () => void {
    const order = this.#order;
    this.#order += 1;
    const entry: Task = { at: this.#now + Math.max(0, delayMs), order, run: task };
    this.#push(entry);
    this.#armed += 1;
    return () => {
      if (entry.run === undefined) return;
      entry.run = undefined;
      this.#armed -= 1;
    };
  }

  /** Tasks that are armed and have not run. */
  get pending(): number {
    return this.#armed;
  }

  /** When the next task is due; undefined when none is armed. */
  nextDeadline(): number | undefined {
    return this.#head()?.at;
  }

  /** Runs everything due within `ms`, in order of time, and moves time to its end. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let task = this.#head(); task !== undefined && task.at <= until; task = this.#head()) {
      this.#runNext();
    }
    this.#now = until;
  }

  /**
   * Runs tasks until none is armed or `limitMs` have passed: a server with heartbeats is never
   * idle.
   * @returns whether nothing is armed.
   */
  runUntilIdle(limitMs: number): boolean {
    const until = this.#now + limitMs;
    for (let task = this.#head(); task !== undefined && task.at <= until; task = this.#head()) {
      this.#runNext();
    }
    return this.#head() === undefined;
  }

  #runNext(): void {
    const task = this.#pop();
    const run = task?.run;
    if (task === undefined || run === undefined) return;
    task.run = undefined;
    this.#armed -= 1;
    this.#now = Math.max(this.#now, task.at);
    run();
  }

  #head(): Task | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].run === undefined) this.#pop();
    return this.#heap[0];
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(task);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as Task;
      if (isBefore(parent, task)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = task;
  }

  #pop(): Task | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Task)) child += 1;
      const lesser = heap[child];
      if (lesser === undefined || isBefore(last, lesser)) break;
      heap[index] = lesser;
      index = child;
    }
    heap[index] = last;
    return top;
  }
}

function isBefore(one: Task, other: Task): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
