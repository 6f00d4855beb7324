import { expect, it } from 'vitest';
import { EVERY_TOOL, ToolBook, UNKNOWN_TOOL } from './tool-book.ts';

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
  book.replace('empty', new Map());
  book.learn('partly', 'x', told);
  book.learn('many', 'x', told);
  expect(book.owners()).toEqual(['whole', 'empty', 'partly', 'many']);
  expect(book.find('partly', 'z', 'many')).toBe(UNKNOWN_TOOL);
  book.learn('many', 'z', told);
  expect(book.find('partly', 'z', 'many').readOnly).toBe(true);
  expect(book.find('whole', 'z', 'many')).toBe(UNKNOWN_TOOL);
  expect(book.find('empty', 'z', 'many')).toBe(UNKNOWN_TOOL);
  book.forget('partly');
  book.forget('empty');
  expect(book.owners()).toEqual(['whole', 'many']);
  expect(book.find('partly', 'x', 'nobody')).toBe(UNKNOWN_TOOL);
  expect(book.find('empty', 'z', 'many').readOnly).toBe(true);
});

it('of fifty thousand whose whole lists are known the first is forgotten for another', () => {
  const book = new ToolBook();
  const tools = new Map([['x', { annotations: { readOnlyHint: true } }]]);
  book.replace('first', tools);
  for (let i = 1; i < 50_000; i += 1) book.replace(`${i}`, new Map());
  expect([book.owners().length, book.find('first', 'x', '').readOnly]).toEqual([50_000, true]);
  book.replace('one more', new Map());
  expect([book.owners().length, book.find('first', 'x', '').readOnly]).toEqual([50_000, false]);
  expect(book.owners().slice(0, 2)).toEqual(['1', '2']);
});

it('every tool is whatever one could say of itself', () => {
  const either = [false, true];
  const said = either.flatMap((openWorldHint) =>
    either.flatMap((idempotentHint) =>
      either.flatMap((destructiveHint) =>
        either.map((readOnlyHint) => ({
          annotations: { readOnlyHint, destructiveHint, idempotentHint, openWorldHint },
        })),
      ),
    ),
  );
  const book = new ToolBook();
  expect(EVERY_TOOL).toEqual(said.map((tool) => book.learn('s', 'x', tool)));
});

it('what one tenant’s server lists has no other’s tools forgotten', () => {
  const book = new ToolBook();
  const told = { annotations: { readOnlyHint: true } };
  book.learn('s/quiet', 'x', told);
  book.replace('t/quiet', new Map([['x', told]]));
  for (let i = 0; i < 50_001; i += 1) book.learn('s/noisy', `${i}`, told);
  for (const owner of ['s/quiet', 't/quiet']) {
    expect(book.find(owner, 'x', '').readOnly).toBe(true);
  }
  expect(book.find('s/noisy', '0', '')).toBe(UNKNOWN_TOOL);
});

type Tools = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

function listOf(...names: string[]): Tools {
  return new Map(names.map((name) => [name, { annotations: { readOnlyHint: true } }]));
}

it('what conversations say is of each tool by its own words, and teaches the book nothing', () => {
  const book = new ToolBook();
  const there = book.there('files', new Map([...listOf('safe'), ['bold', {}]]));
  expect([...there]).toEqual([
    ['safe', { readOnly: true, destructive: false, idempotent: true, openWorld: true }],
    ['bold', UNKNOWN_TOOL],
  ]);
  expect(book.find('files', 'safe', 'files')).toBe(UNKNOWN_TOOL);
  expect(book.owners()).toEqual([]);
});

it('conversations in a row that say the same of one server share it, and no others', () => {
  const book = new ToolBook();
  const first = book.there('files', listOf('x'));
  expect(book.there('files', listOf('x'))).toBe(first);
  expect(book.there('mail', listOf('x'))).not.toBe(first);
  expect(book.there('files', listOf('x'))).toBe(first);
  for (const other of [listOf(), listOf('y'), listOf('x', 'y'), new Map([['x', {}]])]) {
    const before = book.there('files', listOf('x'));
    const after = book.there('files', other);
    expect([...after.keys()]).toEqual([...other.keys()]);
    expect(after).not.toEqual(before);
    expect(book.there('files', other)).toBe(after);
  }
});

it('of a conversation fifty thousand tools are kept, the first of its list', () => {
  const names = Array.from({ length: 50_001 }, (_, index) => `${index}`);
  const book = new ToolBook();
  expect(book.there('files', listOf(...names.slice(1))).size).toBe(50_000);
  const kept = book.there('files', listOf(...names));
  expect([kept.size, kept.has('0'), kept.has('49999'), kept.has('50000')]).toEqual([
    50_000,
    true,
    true,
    false,
  ]);
});

it('what is shared is of the thousand servers that said something new last', () => {
  const book = new ToolBook();
  const tools = listOf('x');
  const servers = ['changed', 'unchanged', ...Array.from({ length: 998 }, (_, i) => `${i}`)];
  const said = new Map(servers.map((server) => [server, book.there(server, tools)]));
  const isShared = (server: string): boolean => book.there(server, tools) === said.get(server);
  expect(servers.every(isShared)).toBe(true);
  for (const now of [listOf('y'), tools]) said.set('changed', book.there('changed', now));
  expect(servers.every(isShared)).toBe(true);
  book.there('one more', tools);
  expect([isShared('changed'), isShared('0'), isShared('997')]).toEqual([true, true, true]);
  expect(isShared('unchanged')).toBe(false);
});
