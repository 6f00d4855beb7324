import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ReplayCache as TenantsReplayCache, type ReplayCacheOptions } from './replay-cache.ts';

/** With everybody a tenant of his own. */
class ReplayCache {
  readonly #cache: TenantsReplayCache;

  constructor(options: ReplayCacheOptions) {
    this.#cache = new TenantsReplayCache(options);
  }

  get size(): number {
    return this.#cache.size;
  }

  use(owner: string, id: string, now: number): string {
    return this.#cache.use({ tenant: owner, owner }, id, now);
  }
}

const OPTIONS = { keptMs: 1000, entriesMax: 4, entriesPerOwnerMax: 2 };

it('takes everything once, for as long as it is kept', () => {
  const cache = new ReplayCache(OPTIONS);
  expect(cache.use('ann', 'a', 0)).toBe('first');
  expect(cache.use('ann', 'a', 0)).toBe('again');
  expect(cache.use('ann', 'a', 999)).toBe('again');
  expect(cache.use('ann', 'a', 1000)).toBe('first');
  expect(cache.use('ann', 'a', 1999)).toBe('again');
});

it('takes what is named alike by another for something else', () => {
  const cache = new ReplayCache(OPTIONS);
  expect([cache.use('ann', 'a', 0), cache.use('bob', 'a', 0)]).toEqual(['first', 'first']);
  expect([cache.use('an', 'na', 0), cache.use('a', 'nna', 0)]).toEqual(['first', 'first']);
});

it('refuses an owner who has no place left, and nobody else', () => {
  const cache = new ReplayCache(OPTIONS);
  for (const id of ['a', 'b']) expect(cache.use('ann', id, 0)).toBe('first');
  expect(cache.use('ann', 'c', 0)).toBe('full');
  expect(cache.use('ann', 'a', 0)).toBe('again');
  expect(cache.use('bob', 'c', 500)).toBe('first');
  // Places are given back one by one, as they come to their end.
  expect(cache.use('ann', 'c', 1000)).toBe('first');
  expect(cache.use('ann', 'd', 1000)).toBe('first');
  expect(cache.use('ann', 'e', 1000)).toBe('full');
  expect(cache.use('bob', 'c', 1499)).toBe('again');
});

it('refuses everybody when it is full, and forgets nothing for it', () => {
  const cache = new ReplayCache(OPTIONS);
  for (const [i, owner] of ['a', 'b', 'c', 'd'].entries()) {
    expect(cache.use(owner, 'x', i * 100)).toBe('first');
  }
  expect([cache.use('e', 'x', 300), cache.size]).toEqual(['full', 4]);
  expect(cache.use('a', 'x', 300)).toBe('again');
  expect([cache.use('e', 'x', 1000), cache.size]).toEqual(['first', 4]);
  expect(cache.use('b', 'x', 1000)).toBe('again');
});

it('counts an owner’s places down as they end', () => {
  const cache = new ReplayCache({ ...OPTIONS, entriesPerOwnerMax: 3 });
  cache.use('ann', 'a', 0);
  cache.use('ann', 'b', 10);
  cache.use('ann', 'c', 20);
  expect(cache.use('ann', 'd', 1005)).toBe('first');
  expect(cache.use('ann', 'e', 1005)).toBe('full');
  expect(cache.use('ann', 'e', 1010)).toBe('first');
  expect(cache.use('ann', 'f', 1010)).toBe('full');
});

it('counts down to nothing, and keeps nothing of an owner who has nothing there', () => {
  const cache = new ReplayCache(OPTIONS);
  cache.use('ann', 'a', 0);
  cache.use('ann', 'b', 10);
  expect(cache.use('ann', 'c', 1000)).toBe('first');
  expect(cache.use('ann', 'd', 1000)).toBe('full');
  const forgotten = vi.spyOn(Map.prototype, 'delete');
  onTestFinished(() => forgotten.mockRestore());
  cache.use('bob', 'a', 1010);
  expect(forgotten).not.toHaveBeenCalledWith('ann');
  cache.use('bob', 'b', 2000);
  expect(forgotten).toHaveBeenCalledWith('ann');
});

describe('of a tenant with many owners', () => {
  const LARGE = { keptMs: 1000, entriesMax: 100, entriesPerOwnerMax: 50 };

  /** How many it takes, each of an owner of its own. */
  function taken(cache: TenantsReplayCache, tenant: string, now: number): number {
    const uses = Array.from({ length: 200 }, (_, i) =>
      cache.use({ tenant, owner: `${tenant}${i}` }, 'x', now),
    );
    return uses.filter((use) => use === 'first').length;
  }

  it('takes no more than three quarters, and others find room behind it', () => {
    const cache = new TenantsReplayCache(LARGE);
    expect([taken(cache, 'noisy', 0), cache.size]).toEqual([75, 75]);
    expect(cache.use({ tenant: 'quiet', owner: 'ann' }, 'x', 0)).toBe('first');
    expect(cache.use({ tenant: 'quiet', owner: 'ann' }, 'x', 0)).toBe('again');
    // Of several such, each leaves as much to the next.
    expect([taken(cache, 'loud', 0), taken(cache, 'louder', 0)]).toEqual([18, 5]);
    expect(cache.use({ tenant: 'late', owner: 'bob' }, 'x', 0)).toBe('first');
  });

  it('finds room again as its own come to their end', () => {
    const cache = new TenantsReplayCache(LARGE);
    expect(taken(cache, 'noisy', 0)).toBe(75);
    expect(taken(cache, 'noisy', 999)).toBe(0);
    expect(taken(cache, 'noisy', 1000)).toBe(75);
  });

  it('remembers what was used of whichever tenant it is shown for', () => {
    const cache = new TenantsReplayCache(LARGE);
    expect(cache.use({ tenant: 'a', owner: 'ann' }, 'x', 0)).toBe('first');
    expect(cache.use({ tenant: 'b', owner: 'ann' }, 'x', 0)).toBe('again');
  });
});
