import { expect, it } from 'vitest';
import type { Refusal } from '../core/errors.ts';
import { Message } from '../core/protocol/message.ts';
import { Pending } from '../core/sessions/pending.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { askBriefly } from './ask-briefly.ts';
import { askedBy, type CallOwner, type UpstreamCall } from './upstream-call.ts';

type Answer = Message | Refusal;

/** A server that answers when the test does, and what it was asked. */
function bench(answersAtOnce?: Answer) {
  const clock = new VirtualClock();
  const pending = new Pending<CallOwner>(9);
  const asked: [string, string][] = [];
  const cancelled: UpstreamCall[] = [];
  const told: Answer[] = [];
  let answer: (answer: Answer) => void = () => {};
  const conversation = {
    ports: { clock },
    ask: (method: string, params: string, done: (answer: Answer) => void) => {
      asked.push([method, params]);
      const call = pending.begin(askedBy(done), '0', method, undefined, 0);
      answer = (given) => {
        if (call !== undefined) pending.end(call, 'answer');
        done(given);
      };
      if (answersAtOnce !== undefined) answer(answersAtOnce);
      return call;
    },
    cancel: (call: UpstreamCall) => void cancelled.push(call),
  };
  askBriefly(conversation, 'resources/subscribe', { uri: 'x:a' }, (each) => told.push(each));
  return { clock, asked, cancelled, told, answer: (given: Answer) => answer(given) };
}

const GRANTED = Message.result('0', '{}');

it('an answer is told once, and nothing is waited for any longer', () => {
  const { clock, asked, cancelled, told, answer } = bench();
  expect([asked, told]).toEqual([[['resources/subscribe', '{"uri":"x:a"}']], []]);
  clock.advance(59_999);
  answer(GRANTED);
  expect([told, clock.pending, cancelled]).toEqual([[GRANTED], 0, []]);
});

it('an answer at once leaves no timer behind', () => {
  const { clock, told } = bench(GRANTED);
  expect([told, clock.pending]).toEqual([[GRANTED], 0]);
});

it('a server that says nothing for a minute is not waited for', () => {
  const { clock, cancelled, told } = bench();
  clock.advance(60_000);
  expect([told, cancelled.length, clock.pending]).toEqual([[{ error: 'CALL_TIMED_OUT' }], 1, 0]);
});
