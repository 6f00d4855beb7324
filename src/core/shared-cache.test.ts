import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedCache } from './shared-cache.ts';

interface Row {
  readonly owner: string;
  readonly key: string;
  readonly value: number;
}

/** The same as a list, the oldest first, gone through from end to end at each step. */
class Model {
  rows: Row[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  of(owner: string): readonly Row[] {
    return this.rows.filter((row) => row.owner === owner);
  }

  get owners(): readonly string[] {
    return [...new Set(this.rows.map(({ owner }) => owner))].sort();
  }

  /** Whoever may be the one to give something up. */
  givers(owner: string): readonly string[] {
    const counts = this.owners.map((each) => this.of(each).length);
    const share = this.rows.length / new Set([...this.owners, owner]).size;
    const own = this.of(owner).length;
    if (own > 0 && own >= share) return [owner];
    return this.owners.filter((each) => this.of(each).length === Math.max(...counts));
  }

  drop({ owner, key }: Pick<Row, 'owner' | 'key'>): void {
    this.rows = this.rows.filter((row) => row.owner !== owner || row.key !== key);
  }

  set(row: Row, out: Pick<Row, 'owner' | 'key'> | undefined): void {
    const isThere = this.of(row.owner).some(({ key }) => key === row.key);
    if (!isThere && this.rows.length >= this.#max && out !== undefined) this.drop(out);
    this.drop(row);
    this.rows.push(row);
  }
}

const OWNERS = ['a', 'b', 'c', 'd'];
const KEYS = Array.from({ length: 12 }, (_, i) => `${i}`);
const STEP = fc.record({
  do: fc.constantFrom('set', 'set', 'set', 'set', 'delete', 'deleteAll', 'clear'),
  owner: fc.constantFrom(...OWNERS),
  key: fc.constantFrom(...KEYS),
});
const STEPS = fc.array(STEP, { maxLength: 200, size: 'max' });
const MAX = fc.integer({ min: 1, max: 20 });

function keysOf(cache: SharedCache<number>, owner: string): readonly string[] {
  return KEYS.filter((key) => cache.get(owner, key) !== undefined);
}

function valuesOf(model: Model, owner: string): readonly (number | undefined)[] {
  const known = new Map(model.of(owner).map(({ key, value }) => [key, value]));
  return KEYS.map((key) => known.get(key));
}

describe('a cache that tenants share', () => {
  it('holds what its rule says, whatever comes and goes', () => {
    fc.assert(
      fc.property(STEPS, MAX, (steps, max) => {
        const cache = new SharedCache<number>(max);
        const model = new Model(max);
        for (const [value, { do: what, owner, key }] of steps.entries()) {
          const out = cache.nextOut(owner);
          if (model.rows.length === 0) expect(out).toBeUndefined();
          else {
            expect(model.givers(owner)).toContain(out?.owner);
            expect(out).toMatchObject(model.of(out?.owner ?? '')[0] ?? {});
          }
          if (what === 'set') {
            cache.set(owner, key, value);
            model.set({ owner, key, value }, out);
          } else if (what === 'delete') {
            cache.delete(owner, key);
            model.drop({ owner, key });
          } else if (what === 'deleteAll') {
            cache.deleteAll(owner);
            model.rows = model.rows.filter((row) => row.owner !== owner);
          } else if (value % 5 === 0) {
            cache.clear();
            model.rows = [];
          }
          expect(cache.size).toBe(model.rows.length);
          expect([...cache.owners()].sort()).toEqual(model.owners);
          const found = OWNERS.map((each) => KEYS.map((name) => cache.get(each, name)));
          expect(found).toEqual(OWNERS.map((each) => valuesOf(model, each)));
        }
      }),
    );
  });

  it('takes nothing from whoever holds no more than a share, whatever others do', () => {
    fc.assert(
      fc.property(STEPS, MAX, (steps, max) => {
        const cache = new SharedCache<number>(max);
        // Of all there are, also those that hold nothing yet.
        const share = Math.floor(max / OWNERS.length);
        for (const [value, { owner, key }] of steps.entries()) {
          const before = OWNERS.map((each) => keysOf(cache, each));
          cache.set(owner, key, value);
          for (const [i, each] of OWNERS.entries()) {
            const held = before[i] ?? [];
            if (each === owner || held.length > share) continue;
            expect(keysOf(cache, each)).toEqual(held);
          }
        }
      }),
    );
  });

  it('leaves all of it to whoever is alone, and takes it back for others one by one', () => {
    const cache = new SharedCache<number>(4);
    for (const key of ['1', '2', '3', '4', '5']) cache.set('a', key, 1);
    expect(keysOf(cache, 'a')).toEqual(['2', '3', '4', '5']);
    cache.set('b', '1', 1);
    cache.set('b', '2', 1);
    expect(keysOf(cache, 'a')).toEqual(['4', '5']);
    cache.set('b', '3', 1);
    expect([keysOf(cache, 'a'), keysOf(cache, 'b')]).toEqual([
      ['4', '5'],
      ['2', '3'],
    ]);
    cache.set('a', '6', 1);
    expect([keysOf(cache, 'a'), keysOf(cache, 'b')]).toEqual([
      ['5', '6'],
      ['2', '3'],
    ]);
  });

  it('finds an entry with its owner alone, however keys are spelled', () => {
    const cache = new SharedCache<number>(10);
    cache.set('a', 'bc', 1);
    cache.set('ab', 'c', 2);
    expect([cache.get('a', 'bc'), cache.get('ab', 'c')]).toEqual([1, 2]);
    expect([cache.get('ab', 'bc'), cache.get('a', 'c'), cache.get('', 'abc')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('has what is set again as the newest, and takes nobody’s room for it', () => {
    const cache = new SharedCache<number>(3);
    for (const key of ['1', '2', '3']) cache.set('a', key, 1);
    cache.set('a', '1', 2);
    expect(cache.size).toBe(3);
    cache.set('a', '4', 1);
    expect(keysOf(cache, 'a')).toEqual(['1', '3', '4']);
    expect(cache.get('a', '1')).toBe(2);
  });
});
