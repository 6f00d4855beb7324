import { expect, it } from 'vitest';
import { silent } from '../../adapters/telemetry/silent.ts';
import { Message } from '../../core/protocol/message.ts';
import { readFilter, type Subscription } from '../../core/sessions/subscription.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import type { Listener } from '../listener.ts';
import type { BridgedTask, TaskHome } from './bridged-task.ts';
import { BridgedTasks, type TasksHome } from './bridged-tasks.ts';
import { Leg } from './leg.ts';

/** A session whose server says nothing; what it is asked is noted. */
function homeOf(asked: string[] = []): TasksHome {
  const instance = {
    cancel: () => {},
    tell: () => {},
    ask: (method: string, params: string) => void asked.push(`${method} ${params}`),
    ports: { upstream: { name: 'hand' } },
  } as unknown as TaskHome['instance'];
  const tasks = new Map<string, BridgedTask>();
  return { instance, tasks, capabilities: {}, server: undefined, isDown: false };
}

function tasksOf(logs: string[] = []): BridgedTasks {
  let ids = 0;
  return new BridgedTasks({
    clock: new VirtualClock(),
    random: { sessionId: () => `ours-${(ids += 1)}`, fraction: () => 0 },
    telemetry: { ...silent, log: (level, event) => logs.push(`${level} ${event}`) },
  });
}

function listen(tasks: BridgedTasks, ...taskIds: string[]): Subscription {
  const filter = readFilter({ taskIds });
  const subscription: Subscription = { filter, state: 'listening', honoured: filter };
  const listener: Listener = {
    id: '1',
    acknowledged: () => {},
    deliver: () => {},
    ended: () => {},
  };
  tasks.listen('ann', subscription, listener);
  return subscription;
}

it('a listen that its client left is kept by no task that says nothing', () => {
  const tasks = tasksOf();
  const home = homeOf();
  for (const taskId of ['one', 'two']) tasks.created(home, 'ann', { taskId });
  const [first, second] = [listen(tasks, 'one', 'two'), listen(tasks, 'two', 'unknown')];
  expect(tasks.listens).toBe(2);
  tasks.unlisten(first);
  tasks.unlisten(first);
  expect(tasks.listens).toBe(1);
  second.state = 'ended';
  tasks.expire(home);
  expect(tasks.listens).toBe(0);
});

it('a listen that ended before it began, or names no task that is there, is not kept at all', () => {
  const tasks = tasksOf();
  tasks.created(homeOf(), 'bob', { taskId: 'one' });
  listen(tasks, 'one');
  expect(tasks.listens).toBe(0);
});

it('as many tasks of a principal are kept as can be found, on whichever session they live', () => {
  const tasks = tasksOf();
  const [home, other] = [homeOf(), homeOf()];
  tasks.created(other, 'ann', { taskId: 'first' });
  tasks.created(home, 'bob', { taskId: 'of bob' });
  const oldest = other.tasks.get('first');
  for (let i = 0; i < 1000; i += 1) tasks.created(home, 'ann', { taskId: `task-${i}` });
  expect([other.tasks.size, home.tasks.size, oldest?.isLiving]).toEqual([0, 1001, false]);
  tasks.created(home, 'ann', { taskId: 'last' });
  expect([home.tasks.has('task-0'), home.tasks.has('of bob'), home.tasks.size]).toEqual([
    false,
    true,
    1001,
  ]);
});

it('tasks of one number on several sessions are several, each asked about where it lives', () => {
  const logs: string[] = [];
  const tasks = tasksOf(logs);
  const asked: readonly string[][] = [[], []];
  const [home, other] = [homeOf(asked[0]), homeOf(asked[1])];
  const get = (taskId: string): void => {
    const params = JSON.stringify({ taskId });
    const message = Message.request('1', 'tasks/get', params);
    const owner = { answered() {}, lost() {}, related() {}, closeStream() {} };
    tasks.request('ann', new Leg(owner, message, 0), message);
  };
  const task = { taskId: '1', status: 'working' };
  expect(tasks.created(home, 'ann', task)).toEqual(task);
  expect(tasks.created(other, 'ann', task)).toEqual({ ...task, taskId: 'ours-1' });
  expect(tasks.created(other, 'bob', { taskId: '2' })).toEqual({ taskId: '2' });
  get('1');
  get('ours-1');
  expect(asked).toEqual([['tasks/get {"taskId":"1"}'], ['tasks/get {"taskId":"1"}']]);
  expect(logs).toEqual([]);
});

it('a task whose number its own server gives away is gone, and the log says so while it lived', () => {
  const logs: string[] = [];
  const tasks = tasksOf(logs);
  const home = homeOf();
  tasks.created(home, 'ann', { taskId: '1' });
  const first = home.tasks.get('1');
  expect(tasks.created(home, 'bob', { taskId: '1' })).toEqual({ taskId: '1' });
  expect([first?.isLiving, logs]).toEqual([false, ['warn task_replaced']]);
  const second = home.tasks.get('1');
  if (second !== undefined) second.isLiving = false;
  tasks.created(home, 'bob', { taskId: '1' });
  expect(logs).toHaveLength(1);
});
