import { expect, it } from 'vitest';
import type { Refusal } from '../../core/errors.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { Message } from '../../core/protocol/message.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { BridgedTask, type TaskHome } from './bridged-task.ts';

type Done = (answer: Message | Refusal) => void;

/** A task whose server is asked, and answers when the test says so. */
function bench() {
  const asked: { readonly method: string; readonly done: Done }[] = [];
  const told: string[] = [];
  const instance = {
    ask: (method: string, _params: string, done: Done) => void asked.push({ method, done }),
    ports: { clock: new VirtualClock(), limits: DEFAULT_LIMITS },
  } as unknown as TaskHome['instance'];
  const home: TaskHome = { instance, capabilities: {}, server: undefined, isDown: false };
  const task = new BridgedTask(home, { own: 'own', upstream: '1' }, Infinity, (_, state) =>
    told.push(state),
  );
  const answer = (method: string, result: object): void => {
    const index = asked.findIndex((each) => each.method === method);
    const [found] = asked.splice(index, 1);
    found?.done(Message.result('1', JSON.stringify(result)));
  };
  const report = (status: string): void => {
    const params = JSON.stringify({ taskId: '1', status });
    task.notified(Message.notification('notifications/tasks/status', params));
  };
  return { task, told, asked, answer, report };
}

const COMPLETED = { taskId: '1', status: 'completed' };

it('is told to be over once, however often its server says so before it gives the result', () => {
  const { told, asked, answer, report } = bench();
  report('working');
  for (let times = 0; times < 1000; times += 1) report('completed');
  expect([asked.length, told.length]).toEqual([1, 1]);
  answer('tasks/result', { content: [] });
  expect(told.map((state) => (JSON.parse(state) as { status: string }).status)).toEqual([
    'working',
    'completed',
  ]);
  report('completed');
  expect(told).toHaveLength(3);
});

it('is waited for by nobody who left', () => {
  const { task, answer } = bench();
  const answered: string[] = [];
  const get = (name: string, isWanted: () => boolean): void => {
    task.get(() => void answered.push(name), isWanted);
    answer('tasks/get', COMPLETED);
  };
  let isWanted = true;
  for (let times = 0; times < 3; times += 1) get('left', () => isWanted);
  isWanted = false;
  get('stays', () => true);
  answer('tasks/result', { content: [] });
  expect(answered).toEqual(['stays']);
});
