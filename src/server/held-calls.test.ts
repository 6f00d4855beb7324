import { expect, it } from 'vitest';
import { Message } from '../core/protocol/message.ts';
import { Pending } from '../core/sessions/pending.ts';
import { HeldCalls } from './held-calls.ts';
import { askedBy, type CallOwner, type UpstreamCall } from './upstream-call.ts';

const ONE = Message.request('1', 'tools/call', '{}');
const TOLD = Message.notification('notifications/roots/list_changed');
const pending = new Pending<CallOwner>(9);

function call(): UpstreamCall {
  const begun = pending.begin(
    askedBy(() => {}),
    '1',
    'tools/call',
    undefined,
    0,
  );
  if (begun === undefined) throw new Error('no room for a call');
  return begun;
}

it('what is held is given back once, in its order, without calls that were given up', () => {
  const held = new HeldCalls(9);
  const [first, second] = [call(), call()];
  held.hold(ONE, first);
  held.holdNotification(TOLD);
  held.hold(ONE, second);
  expect([held.drop(first), held.drop(first)]).toEqual([true, false]);
  expect(held.take()).toEqual([
    { message: TOLD, call: undefined },
    { message: ONE, call: second },
  ]);
  expect([held.take(), held.drop(second)]).toEqual([[], false]);
});

it('notifications find no room beyond the bound, and calls do', () => {
  const held = new HeldCalls(1);
  held.holdNotification(TOLD);
  held.holdNotification(TOLD);
  held.hold(ONE, call());
  expect(held.take()).toHaveLength(2);
});
