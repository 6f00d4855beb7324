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

  it('know those of each instance, and how many they are at all of them', () => {
    const here = new TaskOwners(new VirtualClock());
    const there = here.at('there');
    here.seen(ANN, 'tools/call', MADE);
    there.seen(BOB, 'tools/call', MADE);
    const own = (owners: TaskOwners, who: typeof ANN): number =>
      owners.ownOf(who, new Set(['one'])).size;
    expect([own(here, ANN), own(here, BOB), own(there, ANN), own(there, BOB)]).toEqual([
      1, 0, 0, 1,
    ]);
    for (let nth = 0; nth < 1000; nth += 1) {
      there.seen(ANN, 'tools/call', answer({ task: { taskId: String(nth) } }));
    }
    expect(own(here, ANN)).toBe(0);
  });

  it('are asked about tasks alone', () => {
    const owners = new TaskOwners(new VirtualClock());
    expect(owners.refusal(BOB, about('tools/call', { name: 'x', taskId: 'one' }))).toBeUndefined();
    expect(owners.refusal(BOB, about('tasks/cancel', { taskId: 'one' }))).toEqual({
      error: 'INVALID_PARAMS',
      id: '7',
      detail: 'Task not found.',
    });
  });

  it.each([
    ['an error', 'tasks/list', Message.error('7', '{"code":1,"message":"x"}')],
    ['no task', 'tools/call', answer({ content: [] })],
    ['a word of a task', 'tools/call', answer({ content: ['"taskId"'], taskId: 'one' })],
    ['a task that is nothing', 'tools/call', answer({ task: null, taskId: 'one' })],
    ['what is said of a task', 'tasks/result', answer({ resultType: 'task', taskId: 'one' })],
  ])('leave %s as it is', (_, method, given) => {
    const owners = new TaskOwners(new VirtualClock());
    expect(owners.seen(ANN, method, given)).toBe(given);
    expect(owners.ownOf(ANN, new Set(['one'])).size).toBe(0);
  });

  it('answer a list under the id it was asked by', () => {
    const owners = new TaskOwners(new VirtualClock());
    expect(owners.seen(ANN, 'tasks/list', answer({ tasks: [] })).id).toBe('7');
  });

  it('forget a task after a day', () => {
    const clock = new VirtualClock();
    const owners = new TaskOwners(clock);
    owners.seen(ANN, 'tools/call', MADE);
    clock.advance(86_399_999);
    owners.expire(clock.now());
    expect(owners.ownOf(ANN, new Set(['one'])).size).toBe(1);
    clock.advance(1);
    expect(owners.ownOf(ANN, new Set(['one'])).size).toBe(0);
  });
});
