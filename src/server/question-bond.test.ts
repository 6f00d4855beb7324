import { expect, it } from 'vitest';
import { Message } from '../core/protocol/message.ts';
import { bondOf } from './question-bond.ts';

function asked(method: string, params: object = {}): Message {
  return Message.request('1', method, JSON.stringify(params));
}

it('questions hang on a call as surely as it is known to be the one they are asked for', () => {
  for (const method of ['sampling/createMessage', 'elicitation/create', 'vendor/ask']) {
    expect(bondOf(asked(method), true)).toBe('named');
    expect(bondOf(asked(method), false)).toBe('guessed');
  }
});

it('what a task asks, and roots, hang on no call', () => {
  const _meta = { 'io.modelcontextprotocol/related-task': { taskId: 't' } };
  expect(bondOf(asked('elicitation/create', { _meta }), true)).toBe('none');
  expect(bondOf(asked('elicitation/create', { _meta: { other: 1 } }), true)).toBe('named');
  expect(bondOf(asked('roots/list'), true)).toBe('none');
  expect(bondOf(Message.request('1', 'roots/list'), false)).toBe('none');
});
