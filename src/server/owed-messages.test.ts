import { expect, it } from 'vitest';
import type { SendOutcome } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import { OwedMessages } from './owed-messages.ts';

const LIMITS = { pendingPerUpstreamMax: 3, upstreamQueueBytesMax: 1000 };

function told(name: string): Message {
  return Message.notification(name);
}

it('what is owed is sent in its order, once, for as long as there is room', () => {
  const owed = new OwedMessages(LIMITS);
  const sent: (string | undefined)[] = [];
  const outcomes: SendOutcome[] = ['sent', 'full', 'sent', 'sent'];
  const send = ({ method }: Message): SendOutcome => {
    const outcome = outcomes.shift() ?? 'closed';
    if (outcome === 'sent') sent.push(method);
    return outcome;
  };
  for (const name of ['a', 'b', 'c']) owed.add(told(name));
  owed.pay(send);
  expect([sent, owed.size]).toEqual([['a'], 2]);
  owed.pay(send);
  expect([sent, owed.size]).toEqual([['a', 'b', 'c'], 0]);
  owed.pay(send);
  expect(sent).toEqual(['a', 'b', 'c']);
});

it('is bounded by count and by characters', () => {
  const owed = new OwedMessages(LIMITS);
  expect(owed.add(Message.result('1', 'x'.repeat(901)))).toBe(false);
  expect(owed.add(Message.result('1', 'x'.repeat(750)))).toBe(true);
  expect([owed.add(told('a')), owed.add(told('b')), owed.size]).toEqual([true, false, 2]);
  owed.clear();
  const all = ['a', 'b', 'c', 'd'].map((name) => owed.add(told(name)));
  expect(all).toEqual([true, true, true, false]);
});

it('what is said while it is sent is sent once, and after it', () => {
  const owed = new OwedMessages(LIMITS);
  const sent: (string | undefined)[] = [];
  const send = ({ method }: Message): SendOutcome => {
    if (sent.length === 1) return 'full';
    sent.push(method);
    owed.add(told('later'));
    owed.pay(() => 'full');
    return 'sent';
  };
  for (const name of ['a', 'b']) owed.add(told(name));
  owed.pay(send);
  owed.pay(({ method }) => (sent.push(method), 'sent'));
  expect(sent).toEqual(['a', 'b', 'later']);
});

it('what it cannot be sent any more is dropped', () => {
  const owed = new OwedMessages(LIMITS);
  owed.add(told('a'));
  owed.pay(() => 'closed');
  expect(owed.size).toBe(0);
});
