/**
 * What is open, in no order. A list, because a Map or a Set keeps what it held: each table that it
 * outgrew points to the next, so that once one of them is old, all that ever passes through it
 * outlives the young generation, until everything is collected.
 */
export interface Bagged {
  /** Where it is; the bag's. */
  place: number;
}

export class Bag<Item extends Bagged> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    item.place = this.#items.push(item) - 1;
  }

  has(item: Item): boolean {
    return this.#items[item.place] === item;
  }

  /** @returns whether it was there. The last one takes its place. */
  delete(item: Item): boolean {
    const { place } = item;
    if (this.#items[place] !== item) return false;
    const last = this.#items.pop();
    if (last === undefined || last === item) return true;
    this.#items[place] = last;
    last.place = place;
    return true;
  }

  find(test: (item: Item) => boolean): Item | undefined {
    return this.#items.find(test);
  }

  /** A copy, so that they may leave while it is walked. */
  all(): readonly Item[] {
    return this.#items.slice();
  }

  clear(): void {
    this.#items.length = 0;
  }
}
