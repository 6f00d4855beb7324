import { describe, expect, it } from 'vitest';
import { Message } from '../../protocol/message.ts';
import {
  acknowledgment,
  asTaskRequest,
  createdTaskOf,
  modernCreated,
  modernState,
  modernStateResult,
} from './task-result.ts';

const INFO = { name: 'server', version: '1' };
const INFO_TEXT = `"io.modelcontextprotocol/serverInfo":${JSON.stringify(INFO)}`;
const TASK = { taskId: 't', status: 'working', ttl: 5, pollInterval: 7 };
const RELATED = { 'io.modelcontextprotocol/related-task': { taskId: 't' } };

function state(task: object, facts: object = {}): unknown {
  return JSON.parse(modernState({ ...TASK, ...task }, { infoText: INFO_TEXT, ...facts }));
}

describe('a task of 2025-11-25 in the words of the extension', () => {
  it('is created flat, and says that it is a task', () => {
    const created = Message.result('1', JSON.stringify({ task: TASK, _meta: {} }));
    expect(createdTaskOf(created)).toEqual(TASK);
    expect(modernCreated(TASK, INFO_TEXT).value).toEqual({
      resultType: 'task',
      taskId: 't',
      status: 'working',
      ttlMs: 5,
      pollIntervalMs: 7,
      _meta: { 'io.modelcontextprotocol/serverInfo': INFO },
    });
  });

  it('is none where the server answered for good, or with an error', () => {
    expect(createdTaskOf(Message.result('1', '{"content":[]}'))).toBeUndefined();
    expect(createdTaskOf(Message.error('1', '{"task":{"taskId":"t"}}'))).toBeUndefined();
  });

  it('carries its result, without the mark that 2025-11-25 puts there', () => {
    const result = { content: [], _meta: { ...RELATED, mine: 1 } };
    const ending = Message.result('9', JSON.stringify(result));
    expect(state({ status: 'completed' }, { ending })).toMatchObject({
      status: 'completed',
      result: { resultType: 'complete', content: [], _meta: { mine: 1 } },
    });
    expect(JSON.stringify(state({ status: 'completed' }, { ending }))).not.toContain('related');
  });

  it('has completed where the tool says itself that it failed', () => {
    const ending = Message.result('9', '{"content":[],"isError":true}');
    expect(state({ status: 'failed' }, { ending })).toMatchObject({
      status: 'completed',
      result: { isError: true },
    });
  });

  it('has failed where the call ended with an error', () => {
    const ending = Message.error('9', '{"code":-1,"message":"no"}');
    expect(state({ status: 'failed' }, { ending })).toMatchObject({
      status: 'failed',
      error: { code: -1, message: 'no' },
    });
  });

  it('requires input once its questions are known', () => {
    expect(state({ status: 'input_required' })).toMatchObject({ status: 'working' });
    const inputRequests = '{"a":{"method":"roots/list"}}';
    expect(state({ status: 'input_required' }, { inputRequests })).toMatchObject({
      status: 'input_required',
      inputRequests: { a: { method: 'roots/list' } },
    });
  });

  it('is answered as a result that is complete', () => {
    expect(modernStateResult('{"taskId":"t"}', INFO_TEXT).value).toMatchObject({
      resultType: 'complete',
      taskId: 't',
    });
    expect(acknowledgment('').value).toEqual({ resultType: 'complete', _meta: {} });
  });
});

it.each([
  ['{"name":"n","_meta":{}}', { name: 'n', _meta: {}, task: {} }],
  ['{ }', { task: {} }],
])('asks for a task of a call with the params %s', (params, asking) => {
  expect(asTaskRequest(Message.request('1', 'tools/call', params)).value).toEqual(asking);
});
