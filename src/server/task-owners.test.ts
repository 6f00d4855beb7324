import { describe, expect, it } from 'vitest';
import { principalOf } from '../core/principal.ts';
import { Message } from '../core/protocol/message.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { TaskOwners } from './task-owners.ts';

const person = (subject: string): ReturnType<typeof principalOf> =>
  principalOf({ tenant: 't', issuer: 'i', subject, clientId: 'c' });
const ANN = person('ann');
const BOB = person('bob');

const about = (method: string, params: unknown): Message =>
  Message.request('7', method, JSON.stringify(params));
const answer = (result: unknown): Message => Message.result('7', JSON.stringify(result));
const MADE = answer({ task: { taskId: 'one', ttl: 5 } });

describe('the owners of tasks', () => {
  it.each([
    ['of 2025-11-25', MADE],
    ['of the extension', answer({ resultType: 'task', taskId: 'one' })],
  ])('know a task %s from the answer that made it', (_, made) => {
    const owners = new TaskOwners(new VirtualClock());
    const asked = about('tasks/get', { taskId: 'one' });
    expect(owners.refusal(ANN, asked)).toMatchObject({ error: 'INVALID_PARAMS', id: '7' });
    expect(owners.seen(ANN, 'tools/call', made)).toBe(made);
    expect(owners.refusal(ANN, asked)).toBeUndefined();
    expect(owners.refusal(BOB, asked)).toMatchObject({ error: 'INVALID_PARAMS', id: '7' });
    expect([...owners.ownOf(ANN, new Set(['one', 'two']))]).toEqual(['one']);
    expect([...owners.ownOf(BOB, new Set(['one', 'two']))]).toEqual([]);
  });

  it.each([
    ['an error', 'tools/call', Message.error('7', '{"code":1,"message":"taskId"}')],
    ['what a tool says of a task', 'tools/call', answer({ structuredContent: { taskId: 'one' } })],
    ['an answer about a task', 'tasks/get', answer({ taskId: 'one', resultType: 'task' })],
    ['an id that is no text', 'tools/call', answer({ task: { taskId: 1 } })],
  ])('take %s for no new task', (_, method, given) => {
    const owners = new TaskOwners(new VirtualClock());
    owners.seen(BOB, method, given);
    for (const taskId of ['one', 1]) {
      expect(owners.refusal(BOB, about('tasks/get', { taskId }))).toBeDefined();
    }
  });

  it('leave in a list what is the principal’s, and its cursor', () => {
    const owners = new TaskOwners(new VirtualClock());
    owners.seen(ANN, 'tools/call', MADE);
    const tasks = [{ taskId: 'one' }, { taskId: 'two' }, null];
    const list = answer({ tasks, nextCursor: 'n' });
    expect(owners.refusal(BOB, about('tasks/list', {}))).toBeUndefined();
    expect(owners.seen(ANN, 'tasks/list', list).value).toEqual({
      tasks: [{ taskId: 'one' }],
      nextCursor: 'n',
    });
    expect(owners.seen(BOB, 'tasks/list', list).value).toEqual({ tasks: [], nextCursor: 'n' });
    expect(owners.seen(BOB, 'tasks/list', answer({ tasks: 'all' })).value).toEqual({ tasks: [] });
  });

  it('know the last whose request became a task of this id', () => {
    const owners = new TaskOwners(new VirtualClock());
    owners.seen(ANN, 'tools/call', MADE);
    owners.seen(BOB, 'tools/call', MADE);
    const asked = about('tasks/result', { taskId: 'one' });
    expect([owners.refusal(ANN, asked) === undefined, owners.refusal(BOB, asked)]).toEqual([
      false,
      undefined,
    ]);
  });
});
