import { describe, expect, it } from 'vitest';
import { Message } from '../core/protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from '../core/protocol/read-message.ts';
import { OpenQuestions } from './open-questions.ts';

const QUESTION = Message.request('0', 'elicitation/create', '{"message":"Really?"}');

function received(text: string): Message {
  const read = readMessage(text, UPSTREAM_BOUNDS);
  if (read.kind !== 'message') throw new Error(text);
  return read.message;
}

function cancelled(requestId: string): Message {
  const params = `{"reason":"late","requestId":${requestId},"_meta":{"a":1}}`;
  return received(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`);
}

function answerTo(question: Message | undefined): Message {
  return Message.result(question?.id ?? 'none', '{"action":"accept"}');
}

describe('open questions', () => {
  it('are answered once each, under the id of the server', () => {
    const questions = new OpenQuestions();
    const named = questions.received(QUESTION.withId('"q"'));
    const answer = questions.answer(answerTo(named));
    expect([answer?.id, answer?.payload]).toEqual(['"q"', '{"action":"accept"}']);
    expect(questions.answer(answerTo(named))).toBeUndefined();
    expect(questions.answer(Message.result('"q"', '{}'))).toBeUndefined();
  });

  it('V25 V26 of a session that is over are not answered, whatever the next one asks', () => {
    const questions = new OpenQuestions();
    const old = questions.received(QUESTION);
    const [withdrawn] = questions.withdrawAll();
    expect(withdrawn?.value).toMatchObject({ requestId: Number(old?.id) });
    expect(withdrawn?.token(withdrawn.spans.requestId)).toBe(old?.id);
    const next = questions.received(QUESTION);
    expect(questions.answer(answerTo(old))).toBeUndefined();
    expect(questions.answer(answerTo(next))?.id).toBe('0');
    expect(questions.withdrawAll()).toEqual([]);
  });

  it('are taken back under the id the client was asked under', () => {
    const questions = new OpenQuestions();
    questions.received(QUESTION.withId('7'));
    const asked = questions.received(QUESTION.withId('"seven"'));
    const withdrawn = questions.received(cancelled('"seven"'));
    expect(withdrawn?.token(withdrawn.spans.requestId)).toBe(asked?.id);
    const requestId = Number(asked?.id);
    expect(withdrawn?.value).toEqual({ reason: 'late', requestId, _meta: { a: 1 } });
    expect(questions.answer(answerTo(asked))).toBeUndefined();
    expect(questions.received(cancelled('"seven"'))).toBeUndefined();
  });

  it('are refused beyond a bound, until some are answered', () => {
    const questions = new OpenQuestions();
    const first = questions.received(QUESTION);
    for (let asked = 1; asked < 10_000; asked += 1) questions.received(QUESTION);
    expect(questions.received(QUESTION)).toBeUndefined();
    questions.answer(answerTo(first));
    expect(questions.received(QUESTION)).toBeDefined();
  });

  it('leave everything else as it is', () => {
    const notification = Message.notification('notifications/message', '{"requestId":0}');
    expect(new OpenQuestions().received(notification)).toBe(notification);
  });
});
