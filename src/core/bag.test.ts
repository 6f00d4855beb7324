import { describe, expect, it } from 'vitest';
import { Bag, type Bagged } from './bag.ts';

interface Named extends Bagged {
  readonly name: string;
}

const named = (name: string): Named => ({ name, place: -1 });

describe('a bag', () => {
  it('holds what was added until it is taken out, whatever the order', () => {
    const items = ['a', 'b', 'c', 'd'].map(named);
    for (const first of items) {
      for (const second of items) {
        const bag = new Bag<Named>();
        for (const item of items) bag.add(item);
        expect(bag.delete(first)).toBe(true);
        expect(bag.delete(second)).toBe(first !== second);
        const left = items.filter((item) => item !== first && item !== second);
        expect(new Set(bag.all())).toEqual(new Set(left));
        expect(bag.size).toBe(left.length);
        for (const item of items) expect(bag.has(item)).toBe(left.includes(item));
      }
    }
  });

  it('finds by what an item is, and forgets all at once', () => {
    const bag = new Bag<Named>();
    const [a, b] = [named('a'), named('b')];
    bag.add(a);
    bag.add(b);
    expect(bag.find(({ name }) => name === 'b')).toBe(b);
    expect(bag.find(({ name }) => name === 'c')).toBeUndefined();
    bag.clear();
    expect(bag.all()).toEqual([]);
    expect(bag.delete(a)).toBe(false);
  });
});
