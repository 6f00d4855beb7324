/**
 * What a server of 2025-11-25 tells of a task, in the words of the tasks extension: there a state
 * carries what the task ended with, or what it needs.
 * @see https://modelcontextprotocol.io/extensions/tasks/overview
 */
import { Message } from '../../protocol/message.ts';
import { membersOf, objectText } from '../../protocol/object-members.ts';
import { isMembers, RELATED_TASK, toModernTask, type Members } from '../tasks/task-words.ts';
import { toModernResult } from './modern-result.ts';

/** What is known of a task besides its state. */
export interface TaskFacts {
  /** The server's answer to `tasks/result`, once there is one. */
  readonly ending?: Message | undefined;
  /** Open questions as JSON text of `inputRequests`. */
  readonly inputRequests?: string | undefined;
  /** See `LegacyServer`. */
  readonly infoText: string;
}

/** The task in a CreateTaskResult of 2025-11-25; undefined for any other result. */
export function createdTaskOf(message: Message): Members | undefined {
  if (message.isError) return undefined;
  const { task } = message.value as Members;
  return isMembers(task) && typeof task['taskId'] === 'string' ? task : undefined;
}

export function modernCreated(task: Members, infoText: string): Message {
  const state = JSON.stringify({ resultType: 'task', ...toModernTask(task) });
  return Message.result('null', `${state.slice(0, -1)},"_meta":{${infoText}}}`);
}

/** A `tools/call` that asks for a task; params and places of what they hold stay. */
export function asTaskRequest(message: Message): Message {
  const payload = message.payload ?? '{}';
  const end = payload.lastIndexOf('}');
  const isEmpty = /^\s*\{\s*$/.test(payload.slice(0, end));
  const asking = `${payload.slice(0, end)}${isEmpty ? '' : ','}"task":{}}`;
  return Message.request(message.id ?? 'null', message.method ?? '', asking, message.spans);
}

/**
 * The whole state of a task, as JSON text without the members of a result.
 *
 * Rules: a tool that failed by its result has completed; only an error of JSON-RPC is a failure. A
 * task whose questions have not come yet is told as one that works.
 */
export function modernState(task: Members, facts: TaskFacts): string {
  const { ending, inputRequests, infoText } = facts;
  const state = { ...toModernTask(task) };
  const { status } = task;
  if ((status === 'completed' || status === 'failed') && ending !== undefined) {
    if (ending.isError) return joined({ ...state, status: 'failed' }, 'error', ending.payload);
    const plain = Message.result('null', withoutRelation(ending.payload ?? '{}'));
    const { payload } = toModernResult('tools/call', plain, infoText);
    return joined({ ...state, status: 'completed' }, 'result', payload);
  }
  if (status !== 'input_required') return JSON.stringify(state);
  if (inputRequests === undefined) return JSON.stringify({ ...state, status: 'working' });
  return joined(state, 'inputRequests', inputRequests);
}

/** The answer to `tasks/get`. @param state - see `modernState`. */
export function modernStateResult(state: string, infoText: string): Message {
  return toModernResult('tasks/get', Message.result('null', state), infoText);
}

/** The empty answer to `tasks/update` and `tasks/cancel`. */
export function acknowledgment(infoText: string): Message {
  return toModernResult('tasks/update', Message.result('null', '{}'), infoText);
}

function joined(state: Members, name: string, text: string | undefined): string {
  return `${JSON.stringify(state).slice(0, -1)},"${name}":${text ?? '{}'}}`;
}

/** A result without the mark of its task, which the extension does not know. */
function withoutRelation(text: string): string {
  const members = membersOf(text).flatMap(({ name, text: own, value }) => {
    if (name !== '_meta' || !value.startsWith('{')) return [own];
    const kept = membersOf(value).filter((mark) => mark.name !== RELATED_TASK);
    return kept.length === 0 ? [] : [`"_meta":${objectText(kept.map((mark) => mark.text))}`];
  });
  return objectText(members);
}
