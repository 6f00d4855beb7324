import { expect, it } from 'vitest';
import { Message } from '../../core/protocol/message.ts';
import { questionsOf } from './question.ts';

const asked = (method: string, params: unknown = {}) =>
  questionsOf(Message.request('1', method, JSON.stringify(params)));

it.each(['initialize', 'ping', 'server/discover', 'logging/setLevel', 'resources/unsubscribe'])(
  'nothing for %s',
  (method) => {
    expect(asked(method)).toEqual([]);
  },
);

it.each(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'tasks/list'])(
  'whether the server may be listed, for %s',
  (method) => {
    expect(asked(method)).toEqual([
      { action: 'list', target: { kind: 'server' }, passesByDefault: true },
    ]);
  },
);

it.each([
  ['tools/call', { name: 'x', arguments: { a: 1 } }, 'call', 'tool'],
  ['prompts/get', { name: 'x', arguments: { a: 1 } }, 'get', 'prompt'],
  ['resources/read', { uri: 'x', name: 'y' }, 'read', 'resource'],
  ['resources/subscribe', { uri: 'x' }, 'subscribe', 'resource'],
  ['tasks/get', { taskId: 'x' }, 'call', 'task'],
  ['tasks/result', { taskId: 'x' }, 'call', 'task'],
  ['tasks/update', { taskId: 'x' }, 'call', 'task'],
  ['tasks/cancel', { taskId: 'x' }, 'call', 'task'],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'x' } }, 'complete', 'prompt'],
  ['completion/complete', { ref: { type: 'ref/resource', uri: 'x' } }, 'complete', 'resource'],
])('about the one thing of %s %j', (method, params, action, kind) => {
  const given = method === 'tools/call' ? { a: 1 } : undefined;
  expect(asked(method, params)).toEqual([
    { action, target: { kind, name: 'x' }, arguments: given },
  ]);
});

it('about a resource with braces as a URL parser reads it, and about a template as it is', () => {
  const uri = 'file:///public/../secret/{a}';
  const names = (method: string, params: object): readonly string[] =>
    (asked(method, params) ?? []).map(({ target }) => ('name' in target ? target.name : ''));
  for (const method of ['resources/read', 'resources/subscribe']) {
    expect(names(method, { uri })).toEqual([uri, 'file:///secret/%7Ba%7D']);
  }
  const ref = { type: 'ref/resource', uri };
  expect(names('completion/complete', { ref })).toEqual([uri, 'file:///secret/{a}']);
});

it('about a resource as a server reads it that undoes its encoding, which nothing has to permit', () => {
  const plain = { target: { kind: 'resource', name: 'note:a b' }, passesByDefault: true };
  for (const [method, action] of [
    ['resources/read', 'read'],
    ['resources/subscribe', 'subscribe'],
  ] as const) {
    expect(asked(method, { uri: 'note:a%20b' })).toEqual([
      { action, target: { kind: 'resource', name: 'note:a%20b' } },
      { action, ...plain },
    ]);
  }
  const ref = { type: 'ref/resource', uri: 'note:a%20b' };
  expect(asked('completion/complete', { ref })?.at(-1)).toEqual({ action: 'complete', ...plain });
});

it('about each thing of a listen', () => {
  const notifications = {
    toolsListChanged: true,
    resourceSubscriptions: ['a:', 'b:'],
    taskIds: ['t'],
  };
  expect(asked('subscriptions/listen', { notifications })).toEqual([
    { action: 'subscribe', target: { kind: 'resource', name: 'a:' }, arguments: undefined },
    { action: 'subscribe', target: { kind: 'resource', name: 'b:' }, arguments: undefined },
    { action: 'call', target: { kind: 'task', name: 't' }, arguments: undefined },
  ]);
  for (const nothing of [{}, { toolsListChanged: true }, null, 'all']) {
    expect(asked('subscriptions/listen', { notifications: nothing })).toEqual([]);
  }
  // One that cannot be said refuses them all.
  const unsaid = { resourceSubscriptions: ['a:', '\ud800'] };
  expect(asked('subscriptions/listen', { notifications: unsaid })).toBeUndefined();
});

it.each([
  ['files/own', {}],
  ['', {}],
  ['tools/call', {}],
  ['tools/call', { name: 7 }],
  ['tools/call', null],
  ['tools/call', 'name'],
  ['tools/call', { name: '\ud800' }],
  ['resources/read', { name: 'x' }],
  ['tasks/get', { name: 'x' }],
  ['completion/complete', {}],
  ['completion/complete', { ref: { type: 'ref/else', name: 'x', uri: 'x' } }],
  ['completion/complete', { ref: { type: 'ref/prompt', uri: 'x' } }],
  ['completion/complete', { ref: { type: 'ref/resource', name: 'x' } }],
])('none that has words for %s %j', (method, params) => {
  expect(asked(method, params)).toBeUndefined();
});
