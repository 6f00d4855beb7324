import { describe, expect, it } from 'vitest';
import { Message } from '../../protocol/message.ts';
import { LegacyClient } from './legacy-client.ts';
import { TaskWait, type TaskWaitDecision } from './task-wait.ts';

const CLIENT = new LegacyClient(
  '{"capabilities":{"elicitation":{"form":{},"url":{}}},"clientInfo":{"name":"n","version":"1"}}',
  undefined,
);
const FORM = { method: 'elicitation/create', params: { message: 'Who?' } };
const PAGE = { method: 'elicitation/create', params: { mode: 'url', url: 'https://example.com' } };
const YES = Message.result('7', '{"action":"accept"}');

function state(members: object): Message {
  return Message.result('1', JSON.stringify({ taskId: 't', ttlMs: null, ...members }));
}

function waiting(client = CLIENT): {
  readonly wait: TaskWait;
  readonly step: (
    input: (wait: TaskWait, outbox: TaskWaitDecision[]) => void,
  ) => TaskWaitDecision[];
  readonly got: (members: object) => TaskWaitDecision[];
} {
  const wait = new TaskWait('t', client, () => 'page-1', false);
  const step = (
    input: (wait: TaskWait, outbox: TaskWaitDecision[]) => void,
  ): TaskWaitDecision[] => {
    const outbox: TaskWaitDecision[] = [];
    input(wait, outbox);
    return outbox;
  };
  return { wait, step, got: (members) => step((it, outbox) => it.got(state(members), outbox)) };
}

describe('waiting for the result of a task', () => {
  it('looks again at the interval of the server, within bounds', () => {
    for (const [said, kept] of [
      [500, 500],
      [0, 50],
      [1e9, 60_000],
      [undefined, 1000],
    ] as const) {
      const { got, step } = waiting();
      expect(got({ status: 'working', pollIntervalMs: said })).toEqual([{ do: 'wait', ms: kept }]);
      expect(step((it, outbox) => it.waited(outbox))).toEqual([{ do: 'get' }]);
    }
  });

  it('answers exactly what the call of the task ended with', () => {
    const { got } = waiting();
    const result = { resultType: 'complete', content: [], _meta: { mine: 1 } };
    const [end] = got({ status: 'completed', result });
    expect(end?.do === 'finish' && end.answer.value).toEqual({
      content: [],
      _meta: { mine: 1, 'io.modelcontextprotocol/related-task': { taskId: 't' } },
    });
    const failed = waiting().got({ status: 'failed', error: { code: -5, message: 'no' } });
    expect(failed[0]?.do === 'finish' && failed[0].answer.isError).toBe(true);
    expect(failed[0]?.do === 'finish' && failed[0].answer.value).toEqual({
      code: -5,
      message: 'no',
    });
  });

  it('asks each question once, and sends the answers of a round together', () => {
    const { got, step, wait } = waiting();
    const inputRequests = { a: FORM, b: FORM };
    const asked = got({ status: 'input_required', inputRequests });
    expect(asked.map((each) => each.do)).toEqual(['wait', 'ask', 'ask']);
    expect(asked[1]).toMatchObject({ key: 'a', method: 'elicitation/create' });
    expect(asked[1]?.do === 'ask' && JSON.parse(asked[1].params)).toEqual({
      message: 'Who?',
      _meta: { 'io.modelcontextprotocol/related-task': { taskId: 't' } },
    });
    expect(step((it, outbox) => it.answered('a', YES, outbox))).toEqual([]);
    expect(step((it, outbox) => it.answered('b', YES, outbox))).toEqual([
      { do: 'update', inputResponses: '{"a":{"action":"accept"},"b":{"action":"accept"}}' },
    ]);
    expect(step((it, outbox) => it.updated(outbox))).toEqual([{ do: 'wait', ms: 50 }]);
    step((it, outbox) => it.waited(outbox));
    // The server has not looked at the answers yet.
    expect(got({ status: 'input_required', inputRequests })).toMatchObject([{ do: 'wait' }]);
    expect(wait.state).toBe('pausing');
  });

  it('waits where nothing is asked though something is required', () => {
    expect(waiting().got({ status: 'input_required' })).toMatchObject([{ do: 'wait' }]);
  });

  it('names pages, and says when they are done with', () => {
    const { got, step } = waiting();
    const asked = got({ status: 'input_required', inputRequests: { a: PAGE } });
    expect(asked[1]?.do === 'ask' && JSON.parse(asked[1].params)).toMatchObject({
      elicitationId: 'page-1',
    });
    step((it, outbox) => it.answered('a', YES, outbox));
    step((it, outbox) => it.updated(outbox));
    step((it, outbox) => it.waited(outbox));
    const [visited] = got({ status: 'completed', result: {} });
    expect(visited).toEqual({ do: 'visited', elicitationId: 'page-1' });
  });

  it('fails where the client cannot answer, does not, or takes too long', () => {
    const inputRequests = { a: { method: 'sampling/createMessage', params: {} } };
    expect(waiting().got({ status: 'input_required', inputRequests })).toMatchObject([
      { do: 'fail', text: expect.stringContaining('did not offer') as string },
    ]);
    const refusing = waiting();
    refusing.got({ status: 'input_required', inputRequests: { a: FORM, b: FORM } });
    const error = Message.error('7', '{"code":-1,"message":"no"}');
    expect(refusing.step((it, outbox) => it.answered('a', error, outbox))).toMatchObject([
      { do: 'withdraw', key: 'b' },
      { do: 'fail' },
    ]);
    const slow = waiting();
    slow.got({ status: 'input_required', inputRequests: { a: FORM } });
    expect(slow.step((it, outbox) => it.waited(outbox))).toMatchObject([
      { do: 'withdraw', key: 'a' },
      { do: 'fail' },
    ]);
  });

  it('takes its questions back when nobody waits any more', () => {
    const { got, step, wait } = waiting();
    got({ status: 'input_required', inputRequests: { a: FORM } });
    const outbox = step((it, out) => it.abandoned(out));
    expect(outbox).toEqual([{ do: 'withdraw', key: 'a' }]);
    expect(wait.state).toBe('finished');
    expect(got({ status: 'completed', result: {} })).toEqual([]);
  });
});
