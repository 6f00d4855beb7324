/**
 * What goes by a number, found by it. A list with open addressing, for the reason a bag is one: a
 * Map under constant change keeps what passes through it until everything is collected.
 */
export interface Numbered {
  /** An integer above 0, and no other item's. */
  readonly number: number;
}

/** Places at least. Powers of two throughout: a place is found by its lowest bits. */
const PLACES_MIN = 16;

export class NumberTable<Item extends Numbered> {
  #places: (Item | undefined)[] = emptyPlaces(PLACES_MIN);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The number must be free. */
  add(item: Item): void {
    if (this.#size * 2 >= this.#places.length) this.#resize(this.#places.length * 2);
    this.#places[this.#placeOf(item.number)] = item;
    this.#size += 1;
  }

  find(number: number): Item | undefined {
    return this.#places[this.#placeOf(number)];
  }

  /** @returns whether there was one of that number. */
  delete(number: number): boolean {
    const place = this.#placeOf(number);
    if (this.#places[place] === undefined) return false;
    this.#places[place] = undefined;
    this.#size -= 1;
    this.#closeGap(place);
    const isRoomy = this.#places.length > PLACES_MIN && this.#size * 8 < this.#places.length;
    if (isRoomy) this.#resize(this.#places.length / 2);
    return true;
  }

  /** In no order; it must not change meanwhile. */
  some(test: (item: Item) => boolean): boolean {
    return this.#places.some((item) => item !== undefined && test(item));
  }

  /** A copy of those that pass, the least number first. */
  where(test: (item: Item) => boolean): readonly Item[] {
    const items = this.#places.filter((item) => item !== undefined && test(item)) as Item[];
    return items.sort((a, b) => a.number - b.number);
  }

  /** Where it is, or where it would be. There is always a place free, so this ends. */
  #placeOf(number: number): number {
    const last = this.#places.length - 1;
    let place = number & last;
    for (;;) {
      const item = this.#places[place];
      if (item === undefined || item.number === number) return place;
      place = (place + 1) & last;
    }
  }

  /** Those behind a gap that are not where their number would have them move up. */
  #closeGap(gap: number): void {
    const last = this.#places.length - 1;
    for (let place = (gap + 1) & last; ; place = (place + 1) & last) {
      const item = this.#places[place];
      if (item === undefined) return;
      this.#places[place] = undefined;
      this.#places[this.#placeOf(item.number)] = item;
    }
  }

  #resize(length: number): void {
    const items = this.#places;
    this.#places = emptyPlaces(length);
    for (const item of items) {
      if (item !== undefined) this.#places[this.#placeOf(item.number)] = item;
    }
  }
}

function emptyPlaces<Item>(length: number): (Item | undefined)[] {
  return Array.from<undefined>({ length });
}
