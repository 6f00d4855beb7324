import { expect, it } from 'vitest';
import { JoinedText, ownPart } from './own-text.ts';

// That nothing else is kept is shown by test/faults/kept-memory.test.ts.

it.each([10, 10_000])('a part of a text has its characters, with %i around it', (around) => {
  const text = `${'a'.repeat(around)}žluť 🐎${'b'.repeat(around)}`;
  expect(ownPart(text, around, around + 7)).toBe('žluť 🐎');
  expect(ownPart(text, around, around)).toBe('');
});

it('a text of many pieces is all of them, in order', () => {
  const joined = new JoinedText();
  const pieces = Array.from({ length: 10_000 }, (_, i) => (i % 7 === 0 ? '' : `ž${i}`));
  for (const piece of pieces) joined.add(piece);
  expect(joined.length).toBe(pieces.join('').length);
  expect(joined.take()).toBe(pieces.join(''));
  expect(joined.take()).toBe('');
});
