/**
 * The tasks of 2026 clients at servers of 2025-11-25: found only for the principal that made them,
 * and told to whoever listens for them. A server may number the tasks of each session from the
 * beginning, and its clients know nothing of sessions: an id that is taken is replaced by ours.
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
import type { BridgePorts } from './bridge-ports.ts';
import { BridgedTask, type TaskHome } from './bridged-task.ts';
import type { Leg } from './leg.ts';

/** An upstream session, as the home of tasks. */
export interface TasksHome extends TaskHome {
  /** By their server's ids. */
  readonly tasks: Map<string, BridgedTask>;
}

const METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/update', 'tasks/cancel']);

type BridgedTasksPorts = Pick<BridgePorts, 'clock' | 'random' | 'telemetry'>;

export class BridgedTasks {
  readonly #book = new TaskBook<BridgedTask>();
  readonly #homes = new WeakMap<
    BridgedTask,
    { readonly home: TasksHome; readonly owner: string }
  >();
  /** Who listens for each. */
  readonly #heard = new Map<BridgedTask, Map<Subscription, Listener>>();
  /** What each listens for. */
  readonly #wanted = new Map<Subscription, readonly BridgedTask[]>();
  readonly #ports: BridgedTasksPorts;

  constructor(ports: BridgedTasksPorts) {
    this.#ports = ports;
  }

  /** @returns whether requests of this method are about tasks. */
  static handles(method: string): boolean {
    return METHODS.has(method);
  }

  /**
   * The server made a task of a call.
   * @param owner - the key of the principal.
   * @returns the task by the id that its client knows it by.
   */
  created(home: TasksHome, owner: string, task: Members): Members {
    const now = this.#now();
    const upstream = taskIdOf(task) ?? '';
    this.#replace(home, upstream);
    const isTaken = this.#book.find(owner, upstream, now) !== undefined;
    const own = isTaken ? this.#ports.random.sessionId() : upstream;
    const { ttl } = task;
    const lifeMs = typeof ttl === 'number' ? Math.min(ttl, TASK_MS_MAX) : TASK_MS_MAX;
    const bridged = new BridgedTask(home, { own, upstream }, now + lifeMs, (each, state) =>
      this.#tell(each, state),
    );
    home.tasks.set(upstream, bridged);
    this.#homes.set(bridged, { home, owner });
    for (const each of this.#book.add(owner, own, bridged, ttl, now)) this.#drop(each);
    return { ...task, taskId: own };
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
    if (leg.method === 'tasks/get') task.get(done, () => isWanted);
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
    if (subscription.state === 'ended') return;
    const wanted: BridgedTask[] = [];
    for (const taskId of subscription.filter.taskIds ?? []) {
      const task = this.#book.find(owner, taskId, this.#now());
      if (task === undefined) continue;
      const listeners = this.#heard.get(task) ?? new Map<Subscription, Listener>();
      this.#heard.set(task, listeners.set(subscription, listener));
      wanted.push(task);
    }
    if (wanted.length > 0) this.#wanted.set(subscription, wanted);
  }

  unlisten(subscription: Subscription): void {
    for (const task of this.#wanted.get(subscription) ?? []) {
      const listeners = this.#heard.get(task);
      listeners?.delete(subscription);
      if (listeners?.size === 0) this.#heard.delete(task);
    }
    this.#wanted.delete(subscription);
  }

  /** Listens that are open for any. */
  get listens(): number {
    return this.#wanted.size;
  }

  /** Ends what outlived its time on this session. */
  expire(home: TasksHome): void {
    const now = this.#now();
    this.#book.expire(now);
    for (const each of this.#wanted.keys()) if (each.state === 'ended') this.unlisten(each);
    for (const [upstreamId, task] of home.tasks) {
      if (now < task.expiresAt) continue;
      home.tasks.delete(upstreamId);
      this.#forget(task);
    }
  }

  /** The session is gone, and every task with it. */
  lost(home: TasksHome): void {
    for (const task of home.tasks.values()) this.#forget(task);
    home.tasks.clear();
  }

  /** Its server means another by its id from now on: nobody can ask about it any more. */
  #replace(home: TasksHome, upstreamId: string): void {
    const before = home.tasks.get(upstreamId);
    if (before === undefined) return;
    if (before.isLiving) {
      const { name: upstream } = home.instance.ports.upstream;
      this.#ports.telemetry.log('warn', 'task_replaced', { upstream });
    }
    this.#forget(before);
  }

  /** It had to make room for another of its principal's. */
  #drop(task: BridgedTask): void {
    const tasks = this.#homes.get(task)?.home.tasks;
    const { upstream } = task.ids;
    if (tasks?.get(upstream) === task) tasks.delete(upstream);
    this.#forget(task);
  }

  /** Nobody finds it any more: what has its id later, after a restart, is another's. */
  #forget(task: BridgedTask): void {
    const { own } = task.ids;
    const owner = this.#homes.get(task)?.owner ?? '';
    if (this.#book.find(owner, own, this.#now()) === task) this.#book.delete(owner, own);
    task.end();
    this.#heard.delete(task);
  }

  #now(): number {
    return this.#ports.clock.now();
  }

  #tell(task: BridgedTask, state: string): void {
    for (const [subscription, listener] of this.#heard.get(task) ?? []) {
      if (subscription.state !== 'listening') continue;
      const meta = `"_meta":{"${META.subscriptionId}":${listener.id}}`;
      const params = `{${meta},${state.slice(1)}`;
      const told = Message.notification('notifications/tasks', params);
      if (listener.hears?.(told) === false) continue;
      listener.deliver(encodeEvent('message', told.toText()));
    }
  }
}
