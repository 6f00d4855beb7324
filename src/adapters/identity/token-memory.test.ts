import { expect, it } from 'vitest';
import { TokenMemory } from './token-memory.ts';

it('knows a token for a while from the last time it was told of it', () => {
  const memory = new TokenMemory(1000);
  expect(memory.has('a', 0)).toBe(false);
  memory.add('a', 0);
  expect([memory.has('a', 999), memory.has('b', 999)]).toEqual([true, false]);
  memory.add('a', 999);
  expect([memory.has('a', 1998), memory.has('a', 1999)]).toEqual([true, false]);
});

it('forgets the oldest of more than ten thousand', () => {
  const memory = new TokenMemory(1000);
  for (let i = 0; i < 9999; i += 1) memory.add(`${i}`, 0);
  memory.add('0', 0);
  memory.add('full', 0);
  memory.add('more', 0);
  expect(['0', '1', '2', 'more'].map((each) => memory.has(each, 1))).toEqual([
    true,
    false,
    true,
    true,
  ]);
});
