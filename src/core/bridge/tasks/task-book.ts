/**
 * Which task belongs to whom. A task is found only together with the principal that made it, and a
 * stranger's is answered as one that never was.
 */

/** What is kept of a task. */
interface Entry<Note> {
  readonly note: Note;
  readonly expiresAt: number;
  /** Characters that it keeps. */
  readonly weight: number;
}

/** Tasks of one principal; the oldest is forgotten first. */
const TASKS_MAX = 1000;
/** Characters of results that are kept for one principal. */
const WEIGHT_MAX = 16 * 1024 * 1024;
/** Milliseconds that a task is kept at most, one without end included. */
export const TASK_MS_MAX: number = 24 * 60 * 60 * 1000;

/**
 * What a task is kept under where several servers fill one book: each may number its own from the
 * beginning. @param scope - the server.
 */
export function taskIdWithin(scope: string, taskId: string): string {
  return `${JSON.stringify(taskId)} ${scope}`;
}

export class TaskBook<Note> {
  readonly #shelves = new Map<string, Map<string, Entry<Note>>>();

  /** Tasks that are known. */
  get size(): number {
    let sum = 0;
    for (const shelf of this.#shelves.values()) sum += shelf.size;
    return sum;
  }

  /**
   * @param owner - the key of the principal.
   * @param ttlMs - what the server said; anything but a number means without end.
   * @returns what of the same principal had to make room for it.
   */
  add(
    owner: string,
    taskId: string,
    note: Note,
    ttlMs: unknown,
    now: number,
    weight = 0,
  ): readonly Note[] {
    const shelf = this.#shelves.get(owner) ?? new Map<string, Entry<Note>>();
    this.#shelves.set(owner, shelf);
    const lifeMs = typeof ttlMs === 'number' ? Math.min(ttlMs, TASK_MS_MAX) : TASK_MS_MAX;
    expire(shelf, now);
    shelf.delete(taskId);
    shelf.set(taskId, { note, expiresAt: now + lifeMs, weight });
    let total = 0;
    for (const each of shelf.values()) total += each.weight;
    const forgotten: Note[] = [];
    for (const [oldest, each] of shelf) {
      if (oldest === taskId || (shelf.size <= TASKS_MAX && total <= WEIGHT_MAX)) break;
      shelf.delete(oldest);
      total -= each.weight;
      forgotten.push(each.note);
    }
    return forgotten;
  }

  /** Undefined for an unknown task and for another principal's. */
  find(owner: string, taskId: string | undefined, now: number): Note | undefined {
    const entry = taskId === undefined ? undefined : this.#shelves.get(owner)?.get(taskId);
    return entry === undefined || now >= entry.expiresAt ? undefined : entry.note;
  }

  delete(owner: string, taskId: string): void {
    const shelf = this.#shelves.get(owner);
    shelf?.delete(taskId);
    if (shelf?.size === 0) this.#shelves.delete(owner);
  }

  /** Whoever's it is. */
  forget(taskId: string): void {
    for (const owner of this.#shelves.keys()) this.delete(owner, taskId);
  }

  /** Forgets whatever outlived its time. */
  expire(now: number): void {
    for (const [owner, shelf] of this.#shelves) {
      expire(shelf, now);
      if (shelf.size === 0) this.#shelves.delete(owner);
    }
  }
}

function expire(shelf: Map<string, { readonly expiresAt: number }>, now: number): void {
  for (const [taskId, { expiresAt }] of shelf) if (now >= expiresAt) shelf.delete(taskId);
}
