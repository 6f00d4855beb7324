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
  const memory = remembering(['resources/subscribe', '{"uri":"a"}']);
  const capabilities = '{"tools":{"listChanged":true},"prompts":{},"resources":null}';
  const result = `{"protocolVersion":"2025-03-26","capabilities":${capabilities}}`;
  memory.initialized(Message.result('1', result));
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
