import { expect, it } from 'vitest';
import { Message } from '../core/protocol/message.ts';
import { permittedListen } from './permitted-listen.ts';

const LISTEN = Message.request(
  '7',
  'subscriptions/listen',
  '{"_meta":{"a":1e2},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["x:a","x:b"]}}',
);

function uriOf({ id, method, value }: Message): unknown {
  expect([id, method]).toEqual(['7', 'subscriptions/listen']);
  const { notifications } = value as { notifications: { resourceSubscriptions: unknown[] } };
  expect(Object.keys(notifications)).toEqual(['resourceSubscriptions']);
  expect(notifications.resourceSubscriptions).toHaveLength(1);
  return notifications.resourceSubscriptions[0];
}

it('a listen loses the resources that are refused and keeps all else as it came', () => {
  const rest = permittedListen(LISTEN, (one) => uriOf(one) === 'x:b');
  expect(rest?.toText()).toBe(
    '{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen","params":{"_meta":{"a":1e2},' +
      '"notifications":{"toolsListChanged":true,"resourceSubscriptions":["x:b"]}}}',
  );
  expect(permittedListen(LISTEN, () => false)?.payload).toBe(
    '{"_meta":{"a":1e2},"notifications":{"toolsListChanged":true}}',
  );
});

it('a listen of which no resource is refused is refused for another reason', () => {
  expect(permittedListen(LISTEN, () => true)).toBeUndefined();
  const bare = Message.request('7', 'subscriptions/listen');
  expect(permittedListen(bare, () => false)).toBeUndefined();
});
