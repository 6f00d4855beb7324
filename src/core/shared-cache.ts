/**
 * A bounded cache that tenants share. An entry is found only together with its owner. Whoever adds
 * to a full one gives up his own oldest if he holds his share or more; else whoever holds most
 * does, and that is more than a share. So nobody who holds no more than his share loses anything to
 * anybody else, and room that others leave free is not wasted. No step takes longer for being
 * shared by many.
 */

/** What was found out for one owner. */
export interface CacheEntry<Value> {
  readonly owner: string;
  readonly key: string;
  readonly value: Value;
}

/** In the order of its shelf: the oldest of a Map that loses its oldest takes 10 us to find. */
interface Place<Value> extends CacheEntry<Value> {
  older: Place<Value> | undefined;
  newer: Place<Value> | undefined;
}

interface Shelf<Value> {
  readonly owner: string;
  readonly places: Map<string, Place<Value>>;
  oldest: Place<Value> | undefined;
  newest: Place<Value> | undefined;
}

export class SharedCache<Value> {
  readonly #entriesMax: number;
  readonly #shelves = new Map<string, Shelf<Value>>();
  /** Shelves by how much they hold; none is empty, and no set is. */
  readonly #byCount = new Map<number, Set<Shelf<Value>>>();
  /** What the fullest shelf holds. */
  #most = 0;
  #size = 0;

  /** @param entriesMax - of all owners together. */
  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#size;
  }

  /** Those that hold anything. */
  owners(): IterableIterator<string> {
    return this.#shelves.keys();
  }

  /** What is there stays as old as it is. */
  get(owner: string, key: string): Value | undefined {
    return this.#shelves.get(owner)?.places.get(key)?.value;
  }

  /** From now on it is the newest of its owner. */
  set(owner: string, key: string, value: Value): void {
    const isThere = this.#shelves.get(owner)?.places.has(key) === true;
    if (isThere) this.delete(owner, key);
    else if (this.#size >= this.#entriesMax) this.#makeRoom(owner);
    // Only now: the last of an owner takes his shelf with it.
    const shelf = this.#shelves.get(owner) ?? emptyShelf<Value>(owner);
    this.#shelves.set(owner, shelf);
    append(shelf, { owner, key, value, older: shelf.newest, newer: undefined });
    this.#size += 1;
    this.#recount(shelf, shelf.places.size - 1);
    this.#most = Math.max(this.#most, shelf.places.size);
  }

  delete(owner: string, key: string): void {
    const shelf = this.#shelves.get(owner);
    const place = shelf?.places.get(key);
    if (shelf === undefined || place === undefined) return;
    takeOut(shelf, place);
    this.#size -= 1;
    this.#recount(shelf, shelf.places.size + 1);
    if (shelf.places.size === 0) this.#shelves.delete(owner);
    if (!this.#byCount.has(this.#most)) this.#most -= 1;
  }

  /** Forgets all that one owner has. */
  deleteAll(owner: string): void {
    const shelf = this.#shelves.get(owner);
    if (shelf === undefined) return;
    const { size } = shelf.places;
    this.#shelves.delete(owner);
    shelf.places.clear();
    this.#size -= size;
    this.#recount(shelf, size);
    // Few: of so many entries only the root can lie on shelves that all differ.
    this.#most = Math.max(0, ...this.#byCount.keys());
  }

  clear(): void {
    this.#shelves.clear();
    this.#byCount.clear();
    this.#most = 0;
    this.#size = 0;
  }

  /** What makes room for one more of an owner; undefined when nothing is there. */
  nextOut(owner: string): CacheEntry<Value> | undefined {
    const own = this.#shelves.get(owner);
    const hasShare = own !== undefined && own.places.size * this.#shelves.size >= this.#size;
    if (hasShare) return own.oldest;
    const [fullest] = this.#byCount.get(this.#most) ?? [];
    return fullest?.oldest;
  }

  #makeRoom(owner: string): void {
    const out = this.nextOut(owner);
    if (out !== undefined) this.delete(out.owner, out.key);
  }

  /** A shelf holds more or less than before. */
  #recount(shelf: Shelf<Value>, before: number): void {
    const { size } = shelf.places;
    const left = this.#byCount.get(before);
    left?.delete(shelf);
    if (left?.size === 0) this.#byCount.delete(before);
    if (size === 0) return;
    const joined = this.#byCount.get(size) ?? new Set<Shelf<Value>>();
    this.#byCount.set(size, joined.add(shelf));
  }
}

function emptyShelf<Value>(owner: string): Shelf<Value> {
  return { owner, places: new Map(), oldest: undefined, newest: undefined };
}

/** @param place - the one behind the newest. */
function append<Value>(shelf: Shelf<Value>, place: Place<Value>): void {
  shelf.places.set(place.key, place);
  if (shelf.newest !== undefined) shelf.newest.newer = place;
  shelf.newest = place;
  shelf.oldest ??= place;
}

function takeOut<Value>(shelf: Shelf<Value>, place: Place<Value>): void {
  const { key, older, newer } = place;
  shelf.places.delete(key);
  if (older !== undefined) older.newer = newer;
  if (newer !== undefined) newer.older = older;
  if (shelf.oldest === place) shelf.oldest = newer;
  if (shelf.newest === place) shelf.newest = older;
}
