/**
 * The tasks of 2026 clients at servers of 2025-11-25: found only for the principal that made them,
 * and told to whoever listens for them.
 */
import { TASK_MS_MAX, TaskBook } from '../../core/bridge/tasks/task-book.ts';
import { taskIdOf, type Members } from '../../core/bridge/tasks/task-words.ts';
import type { Refusal } from '../../core/errors.ts';
import { META } from '../../core/protocol/eras/stateless-2026.ts';
import { Message } from '../../core/protocol/message.ts';
import { encodeEvent } from '../../core/protocol/sse-encoder.ts';
import type { Filter, Subscription } from '../../core/sessions/subscription.ts';
import type { UpstreamCall } from '../upstream-call.ts';
import type { Listener } from '../listener.ts';
import { BridgedTask, type TaskHome } from './bridged-task.ts';
import type { Leg } from './leg.ts';

/** An upstream session, as the home of tasks. */
export interface TasksHome extends TaskHome {
  /** By their ids. */
  readonly tasks: Map<string, BridgedTask>;
}

interface Hearing {
  readonly subscription: Subscription;
  readonly listener: Listener;
}

const METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/update', 'tasks/cancel']);

export class BridgedTasks {
  readonly #book = new TaskBook<BridgedTask>();
  readonly #heard = new Map<BridgedTask, Set<Hearing>>();
  /** Milliseconds. */
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns whether requests of this method are about tasks. */
  static handles(method: string): boolean {
    return METHODS.has(method);
  }

  /** The server made a task of a call. @param owner - the key of the principal. */
  created(home: TasksHome, owner: string, task: Members): void {
    const now = this.#now();
    const taskId = taskIdOf(task) ?? '';
    const { ttl } = task;
    const lifeMs = typeof ttl === 'number' ? Math.min(ttl, TASK_MS_MAX) : TASK_MS_MAX;
    const bridged = new BridgedTask(home, taskId, now + lifeMs, (each, state) =>
      this.#tell(each, state),
    );
    home.tasks.get(taskId)?.end();
    home.tasks.set(taskId, bridged);
    this.#book.add(owner, taskId, bridged, ttl, now);
  }

  request(owner: string, leg: Leg, message: Message): UpstreamCall | Refusal {
    const { id } = leg;
    const task = this.#book.find(owner, taskIdOf(message.value), this.#now());
    if (task === undefined) return { error: 'INVALID_PARAMS', id, detail: 'Task not found.' };
    let isWanted = true;
    leg.work = {
      left: () => {
        isWanted = false;
      },
    };
    const done = (outcome: Message | Refusal): void => {
      if (!isWanted) return;
      if ('error' in outcome) leg.owner.lost(leg, { ...outcome, id });
      else leg.owner.answered(leg, outcome);
    };
    const { inputResponses } = message.value as { readonly inputResponses?: unknown };
    if (leg.method === 'tasks/get') task.get(done);
    else if (leg.method === 'tasks/update') task.update(inputResponses, done);
    else task.cancel(done);
    return leg;
  }

  /** The filter with no tasks but the listener's own. */
  owned(owner: string, filter: Filter): Filter {
    const ids = [...(filter.taskIds ?? [])];
    const known = ids.filter((each) => this.#book.find(owner, each, this.#now()) !== undefined);
    return { ...filter, taskIds: known.length === 0 ? undefined : new Set(known) };
  }

  /** @param subscription - opened with a filter that is `owned`. */
  listen(owner: string, subscription: Subscription, listener: Listener): void {
    for (const taskId of subscription.filter.taskIds ?? []) {
      const task = this.#book.find(owner, taskId, this.#now());
      if (task === undefined) continue;
      const hearings = this.#heard.get(task) ?? new Set();
      this.#heard.set(task, hearings.add({ subscription, listener }));
    }
  }

  /** Ends what outlived its time on this session. */
  expire(home: TasksHome): void {
    const now = this.#now();
    this.#book.expire(now);
    for (const [taskId, task] of home.tasks) {
      if (now < task.expiresAt) continue;
      home.tasks.delete(taskId);
      this.#forget(task);
    }
  }

  /** The session is gone, and every task with it. */
  lost(home: TasksHome): void {
    for (const task of home.tasks.values()) this.#forget(task);
    home.tasks.clear();
  }

  #forget(task: BridgedTask): void {
    task.end();
    this.#heard.delete(task);
  }

  #tell(task: BridgedTask, state: string): void {
    for (const hearing of this.#heard.get(task) ?? []) {
      const { subscription, listener } = hearing;
      if (subscription.state === 'ended') this.#heard.get(task)?.delete(hearing);
      if (subscription.state !== 'listening') continue;
      const meta = `"_meta":{"${META.subscriptionId}":${listener.id}}`;
      const params = `{${meta},${state.slice(1)}`;
      const told = Message.notification('notifications/tasks', params);
      if (listener.hears?.(told) === false) continue;
      listener.deliver(encodeEvent('message', told.toText()));
    }
  }
}
