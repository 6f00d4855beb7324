/**
 * Tasks of a legacy session over the tasks extension: which of its tool calls become tasks, and
 * what it may ask about them. A call that the server answers at once becomes a task that is done.
 */
import {
  isCreatedTask,
  legacyCreated,
  legacyState,
  relatedToTask,
  withTaskSupport,
} from '../../core/bridge/legacy-client/task-result.ts';
import { type TaskBook, taskIdWithin } from '../../core/bridge/tasks/task-book.ts';
import { isMembers, taskIdOf, type Members } from '../../core/bridge/tasks/task-words.ts';
import type { Refusal } from '../../core/errors.ts';
import type { Message } from '../../core/protocol/message.ts';
import type { LegacyCallOwner, LegacyOutcome } from '../legacy-upstream.ts';
import { LegacyTaskCall, type LegacyTask, type TaskSession } from './legacy-task-call.ts';

/** The tasks of one principal. */
export interface TaskAccess {
  readonly book: TaskBook<LegacyTask>;
  /** The key of the principal. */
  readonly owner: string;
  /** Of the server's ids: another session's server may number its tasks alike. */
  readonly scope: string;
  /** Whether others have tasks at the same server. */
  readonly isShared: boolean;
}

/** How long a task of ours is kept where its client does not say; milliseconds. */
const DONE_MS = 300_000;

const METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/result', 'tasks/cancel']);

export class LegacyTasks {
  readonly #session: TaskSession;
  readonly #access: TaskAccess;

  constructor(session: TaskSession, access: TaskAccess) {
    this.#session = session;
    this.#access = access;
  }

  /** What makes the client's answer of the server's; undefined where that is no matter of tasks. */
  finalWordsFor(message: Message): ((result: Message, answer: Message) => Message) | undefined {
    if (message.method === 'tools/list') return withTaskSupport;
    if (message.method !== 'tools/call') return undefined;
    const { task, name } = (message.value ?? {}) as { readonly task?: unknown; name?: unknown };
    if (!isMembers(task)) return undefined;
    return (result, answer) => {
      const id = answer.id ?? 'null';
      return legacyCreated(id, this.#created(String(name), task, result, answer));
    };
  }

  /** A `tasks/…` request of the client. */
  request(owner: LegacyCallOwner, message: Message): LegacyOutcome {
    const method = message.method ?? '';
    if (!METHODS.has(method)) return { error: 'METHOD_NOT_FOUND', id: message.id };
    const taskId = taskIdOf(message.value) ?? '';
    const task = this.#find(taskId);
    if (task === undefined) return invalid(message, 'Task not found.');
    if (task.done !== undefined) return aboutDone(task.done, taskId, message);
    if (task.isCancelled && method === 'tasks/cancel') {
      return invalid(message, 'The task is cancelled already.');
    }
    const call = new LegacyTaskCall(this.#session, owner, message, taskId, task);
    return call.start() ?? call;
  }

  /** The server's, or one of ours, whose ids are like no other. */
  #find(taskId: string): LegacyTask | undefined {
    const { book, owner, scope } = this.#access;
    const now = this.#session.ports.clock.now();
    return book.find(owner, taskIdWithin(scope, taskId), now) ?? book.find(owner, taskId, now);
  }

  #created(tool: string, asked: Members, result: Message, answer: Message): Members {
    const { book, owner, scope, isShared } = this.#access;
    const now = this.#session.ports.clock.now();
    if (isCreatedTask(answer)) {
      const state = answer.value as Members;
      const task: LegacyTask = { tool, isCancelled: false, done: undefined };
      const id = taskIdWithin(scope, taskIdOf(state) ?? '');
      // A server that was started again may count its tasks from the beginning.
      if (isShared) book.forget(id);
      book.add(owner, id, task, state['ttlMs'], now);
      return state;
    }
    const taskId = this.#session.ports.random.sessionId();
    const { ttl } = asked;
    const ttlMs = typeof ttl === 'number' ? Math.min(ttl, DONE_MS) : DONE_MS;
    const at = new Date().toISOString();
    const state = { taskId, status: 'completed', createdAt: at, lastUpdatedAt: at, ttlMs };
    const text = relatedToTask(result.payload, taskId);
    const task: LegacyTask = { tool, isCancelled: false, done: { state, result: text } };
    book.add(owner, taskId, task, ttlMs, now, text.length);
    return state;
  }
}

function aboutDone(
  { state, result }: { readonly state: Members; readonly result: string },
  taskId: string,
  message: Message,
): LegacyOutcome {
  switch (message.method) {
    case 'tasks/get':
      return { answer: legacyState(taskId, state).payload ?? '{}' };
    case 'tasks/result':
      return { answer: result };
    default:
      return invalid(message, 'The task is completed already.');
  }
}

function invalid({ id }: Message, detail: string): Refusal {
  return { error: 'INVALID_PARAMS', id, detail };
}
