/**
 * Whose the tasks are of a server that several principals share. The server makes no difference
 * between them: whoever knows an id, or asks for the list, would reach another's. A task belongs to
 * the principal whose request became it; to all others it is one that never was.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks
 * @see https://modelcontextprotocol.io/extensions/tasks/overview
 */
import { TaskBook, taskIdWithin } from '../core/bridge/tasks/task-book.ts';
import { isMembers, membersOfValue, taskIdOf } from '../core/bridge/tasks/task-words.ts';
import type { Refusal } from '../core/errors.ts';
import type { Clock, Principal } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';

export class TaskOwners {
  readonly #clock: Clock;
  readonly #scope: string;
  readonly #book: TaskBook<true>;

  /** @param scope - the instance whose tasks these are: others may have some of the same ids. */
  constructor(clock: Clock, scope: string = '', book: TaskBook<true> = new TaskBook()) {
    this.#clock = clock;
    this.#scope = scope;
    this.#book = book;
  }

  /** Of another instance: a principal has so many at all of them together. */
  at(scope: string): TaskOwners {
    return new TaskOwners(this.#clock, scope, this.#book);
  }

  /** Why the principal may not send this. A list names no task; its answer is filtered. */
  refusal(principal: Principal, message: Message): Refusal | undefined {
    const { method = '', id } = message;
    if (!method.startsWith('tasks/') || method === 'tasks/list') return undefined;
    if (this.#isOwn(principal, taskIdOf(message.value))) return undefined;
    return { error: 'INVALID_PARAMS', id, detail: 'Task not found.' };
  }

  /** What of the answer is the principal's to see; a task that was made is theirs from now on. */
  seen(principal: Principal, method: string, answer: Message): Message {
    if (answer.isError) return answer;
    if (method === 'tasks/list') return this.#filtered(principal, answer);
    // Most answers are no tasks and may be large: they are not parsed.
    if (method.startsWith('tasks/') || answer.payload?.includes('"taskId"') !== true) return answer;
    const taskId = createdTask(answer.value);
    if (taskId === undefined) return answer;
    // A server that was started again may count its tasks from the beginning.
    const id = taskIdWithin(this.#scope, taskId);
    this.#book.forget(id);
    this.#book.add(principal.key, id, true, undefined, this.#clock.now());
    return answer;
  }

  /** Those of these ids that are the principal's. */
  ownOf(principal: Principal, taskIds: ReadonlySet<string>): ReadonlySet<string> {
    return new Set([...taskIds].filter((taskId) => this.#isOwn(principal, taskId)));
  }

  expire(now: number): void {
    this.#book.expire(now);
  }

  #isOwn({ key }: Principal, taskId: string | undefined): boolean {
    if (taskId === undefined) return false;
    const id = taskIdWithin(this.#scope, taskId);
    return this.#book.find(key, id, this.#clock.now()) !== undefined;
  }

  #filtered(principal: Principal, answer: Message): Message {
    const result = membersOfValue(answer.value);
    const { tasks } = result;
    const all: readonly unknown[] = Array.isArray(tasks) ? tasks : [];
    const own = all.filter((task) => this.#isOwn(principal, taskIdOf(task)));
    return Message.result(answer.id ?? 'null', JSON.stringify({ ...result, tasks: own }));
  }
}

/** The id of the task that a request became, in the words of either revision. */
function createdTask(result: unknown): string | undefined {
  const members = membersOfValue(result);
  if (members['resultType'] === 'task') return taskIdOf(members);
  const { task } = members;
  return isMembers(task) ? taskIdOf(task) : undefined;
}
