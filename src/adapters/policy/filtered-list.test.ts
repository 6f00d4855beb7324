import { expect, it, onTestFinished, vi } from 'vitest';
import { Message } from '../../core/protocol/message.ts';
import { filteredList, type ListEntry, useOf } from './filtered-list.ts';

const answer = (text: string): Message => Message.result('7', text);
const except =
  (...names: readonly string[]) =>
  ({ name }: ListEntry): boolean =>
    !names.includes(name);

it.each([
  ['tools/list', 'tools', 'name', 'tool'],
  ['prompts/list', 'prompts', 'name', 'prompt'],
  ['resources/list', 'resources', 'uri', 'resource'],
  ['resources/templates/list', 'resourceTemplates', 'uriTemplate', 'template'],
  ['tasks/list', 'tasks', 'taskId', 'task'],
])(
  '%s is left without what is not shown, and the rest to the letter',
  (method, member, key, kind) => {
    const seen: ListEntry[] = [];
    const list = answer(
      `{ "x": 1.0, "${member}": [ {"${key}":"a", "n": 1e3}, {"${key}":"b"} ,{"${key}":"c"}] }`,
    );
    const filtered = filteredList(method, list, (entry) => {
      seen.push(entry);
      return entry.name !== 'b';
    });
    expect(filtered.id).toBe('7');
    expect(filtered.payload).toBe(
      `{"x": 1.0,"${member}":[{"${key}":"a", "n": 1e3},{"${key}":"c"}]}`,
    );
    expect(seen.map((entry) => [entry.kind, entry.name])).toEqual(
      ['a', 'b', 'c'].map((n) => [kind, n]),
    );
    expect(seen[0]?.value).toEqual({ [key]: 'a', n: 1000 });
  },
);

it.each([
  ['tools/list', 'tools/call'],
  ['prompts/list', 'prompts/get'],
  ['resources/list', 'resources/read'],
  ['resources/templates/list', 'resources/read'],
  ['tasks/list', 'tasks/get'],
  ['tools/call', undefined],
  [undefined, undefined],
])('what %s holds is used by %s', (method, use) => {
  const message = useOf(method);
  expect([message?.kind, message?.method]).toEqual([use && 'request', use]);
  if (message !== undefined) expect(message.id).toMatch(/^\d+$/);
});

it('is the same object when all is shown', () => {
  for (const text of ['{"tools":[{"name":"a"}]}', '{"tools":[],"cacheScope":"private"}']) {
    const list = answer(text);
    expect(filteredList('tools/list', list, () => true)).toBe(list);
  }
});

it('loses entries that nobody could be allowed', () => {
  const text = String.raw`{"tools":[{"name":7},null,{},"a",{"name":"\ud800"},{"name":"a"}]}`;
  const filtered = filteredList('tools/list', answer(text), () => true);
  expect(filtered.payload).toBe('{"tools":[{"name":"a"}]}');
});

it('is kept for nobody else once it was chosen for one', () => {
  const scoped = '{"cacheScope":"public","tools":[{"name":"a"},{"name":"b"}],"ttlMs":5}';
  const chosen = filteredList('tools/list', answer(scoped), except('b'));
  expect(chosen.payload).toBe('{"ttlMs":5,"cacheScope":"private","tools":[{"name":"a"}]}');
  const whole = filteredList('tools/list', answer(scoped), () => true);
  expect(whole.value).toEqual({
    ttlMs: 5,
    cacheScope: 'private',
    tools: [{ name: 'a' }, { name: 'b' }],
  });
  const unscoped = filteredList('tools/list', answer('{"tools":[{"name":"b"}]}'), except('b'));
  expect(unscoped.payload).toBe('{"tools":[]}');
});

it('and what was read are kept for nobody else', () => {
  const read = answer('{"contents":[{"n": 1.0}],"ttlMs":5, "cache\\u0053cope":"public"}');
  expect(filteredList('resources/read', read, () => true).toText()).toBe(
    '{"jsonrpc":"2.0","id":7,"result":{"cacheScope":"private","contents":[{"n": 1.0}],"ttlMs":5}}',
  );
  const plain = answer('{"contents":[],"cacheScope":"public"}');
  expect(filteredList('resources/read', plain, () => true).payload).toBe(
    '{"cacheScope":"private","contents":[]}',
  );
  const empty = new Message('response', '7', undefined, false, undefined);
  const texts = ['{"contents":[]}', '{"contents":[],"cacheScope":"private"}'];
  for (const given of [...texts.map(answer), empty]) {
    expect(filteredList('resources/read', given, () => false)).toBe(given);
  }
});

it('and what was read is not parsed to see that it says nothing of who keeps it', () => {
  const parsing = vi.spyOn(Message.prototype, 'value', 'get');
  onTestFinished(() => parsing.mockRestore());
  const read = answer('{"contents":[{"uri":"file:///a","text":"a\\nb"}],"ttlMs":5}');
  expect(filteredList('resources/read', read, () => true)).toBe(read);
  expect(parsing).not.toHaveBeenCalled();
});

it('is what counts of a member that is there twice', () => {
  const twice = answer('{"tools":[{"name":"b"},{"name":"c"}],"tools":[{"name":"a"},{"name":"b"}]}');
  expect(filteredList('tools/list', twice, except('b')).payload).toBe('{"tools":[{"name":"a"}]}');
});

it.each([
  ['tools/call', '{"tools":[{"name":"b"}]}'],
  ['tools/list', '{"prompts":[{"name":"b"}]}'],
  ['tools/list', '{"tools":{"name":"b"}}'],
  [undefined, '{"tools":[{"name":"b"}]}'],
])('of %s leaves alone what is no list of it: %s', (method, text) => {
  const given = answer(text);
  expect(filteredList(method, given, () => false)).toBe(given);
});

it('leaves alone an answer without a result', () => {
  const error = Message.error('7', '{"code":1,"message":"tools"}');
  expect(filteredList('tools/list', error, () => false)).toBe(error);
});
