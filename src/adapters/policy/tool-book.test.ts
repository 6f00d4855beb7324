import { expect, it } from 'vitest';
import { ToolBook, UNKNOWN_TOOL } from './tool-book.ts';

it.each([
  [{}, UNKNOWN_TOOL],
  [{ annotations: null }, UNKNOWN_TOOL],
  [{ annotations: { readOnlyHint: 'yes', destructiveHint: 0 } }, UNKNOWN_TOOL],
  [
    { annotations: { readOnlyHint: true } },
    { readOnly: true, destructive: false, idempotent: true, openWorld: true },
  ],
  [
    { annotations: { readOnlyHint: true, destructiveHint: true, idempotentHint: false } },
    { readOnly: true, destructive: false, idempotent: true, openWorld: true },
  ],
  [
    { annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true } },
    { readOnly: false, destructive: false, idempotent: true, openWorld: true },
  ],
  [
    { annotations: { openWorldHint: false } },
    { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  ],
])('%j says of a tool', (tool, facts) => {
  const book = new ToolBook();
  expect(book.learn('files', 'x', tool)).toEqual(facts);
  expect(book.find('files', 'x', 'else')).toEqual(facts);
});

it('what nobody has heard of may do anything', () => {
  expect(UNKNOWN_TOOL).toEqual({
    readOnly: false,
    destructive: true,
    idempotent: false,
    openWorld: true,
  });
  expect(new ToolBook().find('files', 'x', 'files')).toBe(UNKNOWN_TOOL);
});

it('what one tenant was told counts for no other, and what all were told counts behind it', () => {
  const book = new ToolBook();
  book.learn('files', 'x', { annotations: { readOnlyHint: true } });
  book.learn('files/acme', 'x', { annotations: { openWorldHint: false } });
  expect(book.find('files/acme', 'x', 'files').openWorld).toBe(false);
  expect(book.find('files/bolt', 'x', 'files').readOnly).toBe(true);
  expect(book.find('files/bolt', 'x', 'mail')).toBe(UNKNOWN_TOOL);
  book.learn('a', 'bc', { annotations: { readOnlyHint: true } });
  expect(book.find('ab', 'c', 'ab')).toBe(UNKNOWN_TOOL);
});

it('a list that was read to its end counts alone, until it is forgotten', () => {
  const book = new ToolBook();
  book.learn('files', 'x', { annotations: { readOnlyHint: true } });
  book.learn('files/acme', 'y', { annotations: { readOnlyHint: true } });
  book.replace('files/acme', new Map([['z', { annotations: { readOnlyHint: true } }]]));
  const isKnown = (owner: string, name: string): boolean =>
    book.find(owner, name, 'files') !== UNKNOWN_TOOL;
  expect(['x', 'y', 'z'].map((name) => isKnown('files/acme', name))).toEqual([false, false, true]);
  expect(isKnown('files/bolt', 'x')).toBe(true);
  book.forget('files/acme');
  expect(['x', 'z'].map((name) => isKnown('files/acme', name))).toEqual([true, false]);
});

it('the longest unheard of is forgotten when there are fifty thousand others', () => {
  const book = new ToolBook();
  const isKnown = (name: string): boolean => book.find('s', name, 's').readOnly;
  const told = { annotations: { readOnlyHint: true } };
  book.learn('s', 'old', told);
  book.learn('s', 'heard again', told);
  for (let i = 0; i < 49_998; i += 1) book.learn('s', `${i}`, told);
  expect([isKnown('old'), isKnown('heard again')]).toEqual([true, true]);
  book.learn('s', 'old', told);
  book.learn('s', 'one more', told);
  expect([isKnown('old'), isKnown('heard again'), isKnown('0')]).toEqual([true, false, true]);
});

it('an owner is known as long as anything is known of it, and its list to its end as that', () => {
  const book = new ToolBook();
  const told = { annotations: { readOnlyHint: true } };
  book.replace('whole', new Map([['x', told]]));
  book.learn('gone', 'x', told);
  book.learn('partly', 'x', told);
  book.learn('partly', 'y', told);
  book.learn('many', 'x', told);
  expect(book.owners()).toEqual(['whole', 'gone', 'partly', 'many']);
  expect(book.find('partly', 'z', 'many')).toBe(UNKNOWN_TOOL);
  book.learn('many', 'z', told);
  expect(book.find('partly', 'z', 'many').readOnly).toBe(true);
  for (let i = 0; i < 49_997; i += 1) book.learn('many', `${i}`, told);
  expect(book.owners()).toEqual(['whole', 'partly', 'many']);
  expect(book.find('whole', 'x', 'many')).toBe(UNKNOWN_TOOL);
  expect(book.find('partly', 'y', 'nobody').readOnly).toBe(true);
  book.forget('partly');
  expect(book.owners()).toEqual(['whole', 'many']);
});

it('the longest known owner is forgotten when there are fifty thousand others', () => {
  const book = new ToolBook();
  const tools = new Map([['x', { annotations: { readOnlyHint: true } }]]);
  book.replace('first', tools);
  for (let i = 1; i < 50_000; i += 1) book.replace(`${i}`, new Map());
  expect([book.owners().length, book.find('first', 'x', '').readOnly]).toEqual([50_000, true]);
  book.replace('one more', new Map());
  expect([book.owners().length, book.find('first', 'x', '').readOnly]).toEqual([50_000, false]);
  expect(book.owners().slice(0, 2)).toEqual(['1', '2']);
});
