import { expect, it } from 'vitest';
import { Message } from '../core/protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from '../core/protocol/read-message.ts';
import { HostCalls } from './host-calls.ts';

const CALL = Message.request('7', 'tools/call');
const ANSWER = Message.result('7', '{}');

function cancelled(id: string): Message {
  const params = `{"requestId":${id}}`;
  const text = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`;
  const read = readMessage(text, UPSTREAM_BOUNDS);
  if (read.kind !== 'message') throw new Error('It is one.');
  return read.message;
}

it('a host waits for the answer of each request, and for nothing else', () => {
  const calls = new HostCalls();
  calls.said(Message.notification('notifications/initialized'));
  calls.said(Message.request('6', 'subscriptions/listen'));
  expect(calls.areAnswered).toBe(true);
  calls.said(CALL);
  calls.said(Message.request('"7"', 'ping'));
  calls.told(ANSWER);
  expect(calls.areAnswered).toBe(false);
  calls.told(Message.error('"7"', '{}'));
  expect(calls.areAnswered).toBe(true);
});

it('a host waits no more for what it cancelled, whatever the server cancels', () => {
  const calls = new HostCalls();
  calls.said(CALL);
  calls.told(cancelled('7'));
  calls.said(cancelled('"7"'));
  expect(calls.areAnswered).toBe(false);
  calls.said(cancelled('7'));
  expect(calls.areAnswered).toBe(true);
});

it('questions are open until the host answers or the server takes them back, and taken once', () => {
  const calls = new HostCalls();
  for (const id of ['1', '2', '3', '4']) {
    calls.told(Message.request(id, 'elicitation/create'));
  }
  calls.said(Message.result('2', '{}'));
  calls.told(cancelled('3'));
  calls.said(cancelled('4'));
  expect(calls.takeQuestions()).toEqual(['1', '4']);
  expect([calls.takeQuestions(), calls.areAnswered]).toEqual([[], true]);
});
