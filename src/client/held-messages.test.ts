import { expect, it } from 'vitest';
import { Message } from '../core/protocol/message.ts';
import { SendMeter } from './client-context.ts';
import { HeldMessages } from './held-messages.ts';

const call = (id: string): Message => Message.request(id, 'tools/call', '{"name":"tool"}');

function cancelled(requestId: string): Message {
  return Message.notification('notifications/cancelled', `{"requestId":${requestId}}`);
}

it('a request that is cancelled while it is held goes nowhere, nor does its cancellation', () => {
  const meter = new SendMeter(50);
  const held = new HeldMessages(meter);
  const kept = [Message.request('1', 'initialize', '{}'), call('"2"'), cancelled('1')];
  for (const each of [...kept.slice(0, 2), call('2'), ...kept.slice(2), cancelled('2')]) {
    held.push(each);
  }
  held.push(cancelled('2'));
  expect(held.takeAll()).toEqual([...kept, cancelled('2')]);
  expect(held.takeAll()).toEqual([]);
  meter.add(49);
  expect(meter.isFull).toBe(false);
});
