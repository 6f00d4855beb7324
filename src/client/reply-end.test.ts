import { expect, it } from 'vitest';
import { Message } from '../core/protocol/message.ts';
import type { ReplyEnd } from './reply.ts';
import { answerIn } from './reply-end.ts';

function refused(status: number, id: string, code: number, isLocal?: boolean): ReplyEnd {
  const error = Message.error(id, JSON.stringify({ code, message: 'No.' }));
  return { kind: 'refused', status, error, retryAfterMs: undefined, isLocal };
}

it.each([
  ['a 400 of the call', refused(400, '7', -32602), true],
  ['a 400 that was refused before its id was read', refused(400, 'null', -32602), true],
  ['a 500 without an id', refused(500, 'null', -32603), true],
  ['a 403 without an id', refused(403, 'null', -32000), true],
  ['a 404 of the call', refused(404, '7', -32600), true],
  ['a 404 of its method', refused(404, 'null', -32601), true],
  ['a 404 with a code of the stateless revision', refused(404, 'null', -32022), true],
  ['a 404 of the URL', refused(404, 'null', -32600), false],
  ['a 405 of the URL', refused(405, 'null', -32000), false],
  ['a 401, which is of our credential', refused(401, '7', -32600), false],
  ["a 401 in this process, which is of the caller's", refused(401, '7', -32600, true), true],
  ['a 404 in this process', refused(404, 'null', -32600, true), true],
])('%s', (_name, end, isOfCall) => {
  const answer = answerIn(end, '7');
  expect(answer?.id).toBe(isOfCall ? '7' : undefined);
  if (isOfCall) expect(answer?.value).toMatchObject({ message: 'No.' });
});

it('holds no answer where the reply held none', () => {
  const empty = {
    kind: 'refused',
    status: 400,
    error: undefined,
    retryAfterMs: undefined,
  } as const;
  expect(answerIn(empty, '7')).toBeUndefined();
  expect(answerIn({ kind: 'complete' }, '7')).toBeUndefined();
});
