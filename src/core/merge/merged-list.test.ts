import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Message } from '../protocol/message.ts';
import type { ListKind } from './list-kind.ts';
import { listKindOf } from './list-kind.ts';
import { readPage, type ListPage } from './list-page.ts';
import { readCursor } from './merged-cursor.ts';
import { mergedList, type MemberPages, type MergedList } from './merged-list.ts';

const TOOLS = listKindOf('tools/list') as ListKind;
const RESOURCES = listKindOf('resources/list') as ListKind;
const INFO = { name: 'merged', version: '1' };

interface Result {
  readonly tools: readonly { readonly name: string }[];
  readonly resources: readonly { readonly uri: string }[];
  readonly nextCursor?: string;
  readonly ttlMs: number;
  readonly cacheScope: string;
}

function page(kind: ListKind, server: string, payload: string, cursor?: string): ListPage {
  return readPage(kind, server, cursor, Message.result('1', payload)) as ListPage;
}

function toolPage(server: string, names: readonly string[], more: object = {}): ListPage {
  const tools = names.map((name) => ({ name, inputSchema: { type: 'object' } }));
  const result = { tools, ttlMs: 1000, cacheScope: 'public', ...more };
  return page(TOOLS, server, JSON.stringify(result));
}

function merge(members: readonly MemberPages[], more: object = {}): MergedList {
  return mergedList(members, {
    kind: TOOLS,
    serverInfo: INFO,
    isComplete: true,
    charsMax: 1_000_000,
    isTaken: () => false,
    ...more,
  });
}

function resultOf({ text }: MergedList): Result {
  return JSON.parse(text) as Result;
}

function namesOf(list: MergedList): readonly string[] {
  return resultOf(list).tools.map(({ name }) => name);
}

test('entries stand in the order of the servers, and within each in its own', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(names, { maxLength: 4 }), (lists) => {
      const members = lists.map((list, index) => ({
        server: `s${index}`,
        pages: [toolPage(`s${index}`, list)],
      }));
      const expected = lists.flatMap((list, index) => list.map((name) => `s${index}__${name}`));
      expect(namesOf(merge(members))).toEqual(expected);
    }),
  );
});

test('an entry keeps every character but those of its name', () => {
  const entry = '{"inputSchema":{"maximum":1.0,"minimum":90071992547409931}, "name" : "a\\u0062"}';
  const payload = `{"tools":[ ${entry} ,{"name":"c"}],"ttlMs":0}`;
  const { text } = merge([{ server: 's', pages: [page(TOOLS, 's', payload)] }]);
  expect(text).toContain(
    '[{"inputSchema":{"maximum":1.0,"minimum":90071992547409931},"name":"s__ab"},{"name":"s__c"}]',
  );
});

test('entries without a name are left out', () => {
  const payload = '{"tools":[{"name":1},null,"x",{},{"name":""},{"name":"a"}]}';
  const list = merge([{ server: 's', pages: [page(TOOLS, 's', payload)] }]);
  expect(namesOf(list)).toEqual(['s__a']);
});

test('a result without a list is none', () => {
  expect(readPage(TOOLS, 's', undefined, Message.result('1', '{"tools":{}}'))).toBeUndefined();
});

test('a tool whose name became too long is left out, and said to be', () => {
  const long = 'x'.repeat(126);
  const list = merge([{ server: 's', pages: [toolPage('s', [long.slice(1), long])] }]);
  expect(namesOf(list)).toEqual([`s__${long.slice(1)}`]);
  expect(list.leftOut).toEqual([{ server: 's', key: `s__${long}`, reason: 'name-too-long' }]);
});

test('a URI of two servers is the first one’s', () => {
  const payload = '{"resources":[{"uri":"a:1"}]}';
  const members = ['one', 'two'].map((server) => ({
    server,
    pages: [page(RESOURCES, server, payload)],
  }));
  const list = merge(members, { kind: RESOURCES });
  expect(resultOf(list).resources).toEqual([{ uri: 'a:1' }]);
  expect(list.leftOut).toEqual([{ server: 'two', key: 'a:1', reason: 'repeated' }]);
});

test('a list with a server missing is not to be kept', () => {
  const members = [{ server: 's', pages: [toolPage('s', ['a'])] }];
  expect(resultOf(merge(members))).toMatchObject({ ttlMs: 1000, cacheScope: 'public' });
  const partial = resultOf(merge(members, { isComplete: false }));
  expect(partial).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
});

describe('more than fits one result', () => {
  const pages = (server: string): readonly ListPage[] => [
    toolPage(server, ['a'], { nextCursor: 'p~2' }),
    { ...toolPage(server, ['b']), cursor: 'p~2' },
  ];
  const members = [
    { server: 'one', pages: pages('one') },
    { server: 'two', pages: pages('two') },
  ];

  test('goes on at the page of the server where it stopped', () => {
    const chars = pages('one')[0]?.chars ?? 0;
    const list = merge(members, { charsMax: chars });
    expect(namesOf(list)).toEqual(['one__a']);
    expect(readCursor(resultOf(list).nextCursor ?? '')).toEqual({ server: 'one', cursor: 'p~2' });
    const further = merge(members, { charsMax: 2 * chars });
    expect(readCursor(resultOf(further).nextCursor ?? '')).toEqual({
      server: 'two',
      cursor: undefined,
    });
  });

  test('goes on where a server was not read to its end', () => {
    const cut = [{ server: 'one', pages: pages('one').slice(0, 1) }, members[1] as MemberPages];
    const list = merge(cut);
    expect(namesOf(list)).toEqual(['one__a']);
    expect(readCursor(resultOf(list).nextCursor ?? '')).toEqual({ server: 'one', cursor: 'p~2' });
  });

  test('has no cursor when all is told', () => {
    expect(namesOf(merge(members))).toEqual(['one__a', 'one__b', 'two__a', 'two__b']);
    expect(resultOf(merge(members)).nextCursor).toBeUndefined();
  });
});
