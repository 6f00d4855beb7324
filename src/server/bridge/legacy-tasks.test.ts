import { expect, it } from 'vitest';
import { TaskBook } from '../../core/bridge/tasks/task-book.ts';
import { Message } from '../../core/protocol/message.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import type { LegacyCallOwner, LegacyOutcome } from '../legacy-upstream.ts';
import type { LegacyTask, TaskSession } from './legacy-task-call.ts';
import { LegacyTasks } from './legacy-tasks.ts';

const CALL = Message.request('1', 'tools/call', '{"name":"slow","task":{}}');
const CREATED = Message.result('1', '{"resultType":"task","taskId":"1","status":"working"}');
const GET = Message.request('2', 'tasks/get', '{"taskId":"1"}');

/** Two people whose server has no room for requests now. */
function peopleOf(isShared: boolean) {
  const book = new TaskBook<LegacyTask>();
  const session = {
    ports: { clock: new VirtualClock() },
    envelope: () => '{}',
    upstream: () => ({ error: 'UPSTREAM_BUSY' }),
  } as unknown as TaskSession;
  const caller = { member: {}, canBeAsked: true } as LegacyCallOwner;
  const personOf = (owner: string) => {
    const tasks = new LegacyTasks(session, { book, owner, scope: '', isShared });
    return {
      create: (): void => void tasks.finalWordsFor(CALL)?.(CREATED, CREATED),
      get: (): LegacyOutcome => tasks.request(caller, GET),
    };
  };
  return { ann: personOf('ann'), bob: personOf('bob') };
}

const NOT_FOUND = { error: 'INVALID_PARAMS', id: '2', detail: 'Task not found.' };
const ASKED = { error: 'UPSTREAM_BUSY', id: '2' };

it.each([
  ['whose server is started again is not the next one of its number', true, NOT_FOUND],
  ['is kept where others have servers of their own, with the same numbers', false, ASKED],
])('V30 a task %s', (_, isShared, expected) => {
  const { ann, bob } = peopleOf(isShared);
  ann.create();
  expect([ann.get(), bob.get()]).toEqual([ASKED, NOT_FOUND]);
  bob.create();
  expect([ann.get(), bob.get()]).toEqual([expected, ASKED]);
});
