import { expect, it } from 'vitest';
import { Message } from '../core/protocol/message.ts';
import { HandshakeMemory } from './handshake-memory.ts';

function remembering(...said: readonly (readonly [method: string, params: string])[]) {
  const memory = new HandshakeMemory('nonce');
  said.forEach(([method, params], i) => memory.sent(Message.request(String(i), method, params)));
  return memory;
}

it('repeats the handshake, the level and what is still subscribed, under ids of its own', () => {
  const memory = remembering(
    ['initialize', '{"a":1}'],
    ['logging/setLevel', '{"level":"info"}'],
    ['logging/setLevel', '{"level":"error"}'],
    ['resources/subscribe', '{"uri":"a"}'],
    ['resources/subscribe', '{"uri":"b"}'],
    ['resources/unsubscribe', '{"uri":"a"}'],
  );
  const again = [memory.initializeAgain(), ...memory.restoring()];
  expect(again.map((message) => [message?.method, message?.payload])).toEqual([
    ['initialize', '{"a":1}'],
    ['logging/setLevel', '{"level":"error"}'],
    ['resources/subscribe', '{"uri":"b"}'],
  ]);
  const ids = again.map((message) => message?.id);
  expect(new Set(ids).size).toBe(3);
  expect(ids.every((id) => memory.isOwn(id))).toBe(true);
  expect(memory.isOwn('"tidegate-1"')).toBe(false);
  expect(memory.isHandshake(ids[0])).toBe(true);
});

it('tells to look again at what the server declared and what is subscribed', () => {
  const memory = remembering(['resources/subscribe', '{"uri":"a"}'], ['initialize', '{}']);
  const capabilities = '{"tools":{"listChanged":true},"prompts":{},"resources":null}';
  const result = `{"protocolVersion":"2025-03-26","capabilities":${capabilities}}`;
  memory.answered(Message.result('1', result));
  expect(memory.version).toBe('2025-03-26');
  expect(memory.changeNotices().map((notice) => notice.toText())).toEqual([
    '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}',
    '{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a"}}',
  ]);
});

it('has nothing to repeat where nothing was said', () => {
  const memory = remembering();
  expect(memory.initializeAgain()).toBeUndefined();
  expect(memory.restoring()).toEqual([]);
  expect(memory.changeNotices()).toEqual([]);
});

it('repeats no subscription that was refused or given up, unless it was granted otherwise', () => {
  const subscribe = (uri: string): readonly [string, string] => [
    'resources/subscribe',
    JSON.stringify({ uri }),
  ];
  const again: readonly [string, string] = ['resources/unsubscribe', '{"uri":"d"}'];
  const all = ['a', 'b', 'c', 'a', 'd'].map(subscribe);
  const memory = remembering(...all, again, subscribe('d'));
  memory.answered(Message.result('0', '{}'));
  memory.answered(Message.error('1', '{"code":1,"message":"no"}'));
  memory.sent(Message.notification('notifications/cancelled', '{"requestId":2}'));
  for (const id of ['0', '3', '4']) {
    memory.answered(Message.error(id, '{"code":1,"message":"no"}'));
  }
  expect(memory.restoring().map(({ payload }) => payload)).toEqual(['{"uri":"a"}', '{"uri":"d"}']);
  memory.answered(Message.error('6', '{"code":1,"message":"no"}'));
  expect(memory.restoring()).toHaveLength(1);
});
