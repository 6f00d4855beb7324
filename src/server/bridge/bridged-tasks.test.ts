import { expect, it } from 'vitest';
import { readFilter, type Subscription } from '../../core/sessions/subscription.ts';
import type { Listener } from '../listener.ts';
import type { BridgedTask, TaskHome } from './bridged-task.ts';
import { BridgedTasks, type TasksHome } from './bridged-tasks.ts';

/** A session whose server is asked nothing. */
function homeOf(): TasksHome {
  const instance = { cancel: () => {}, tell: () => {} } as unknown as TaskHome['instance'];
  const tasks = new Map<string, BridgedTask>();
  return { instance, tasks, capabilities: {}, server: undefined, isDown: false };
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
  const tasks = new BridgedTasks(() => 0);
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
  const tasks = new BridgedTasks(() => 0);
  tasks.created(homeOf(), 'bob', { taskId: 'one' });
  listen(tasks, 'one');
  expect(tasks.listens).toBe(0);
});

it('as many tasks of a principal are kept as can be found, on whichever session they live', () => {
  const tasks = new BridgedTasks(() => 0);
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
