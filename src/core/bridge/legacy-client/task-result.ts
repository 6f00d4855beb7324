/**
 * What the tasks extension answers, in the words of 2025-11-25.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks
 */
import { Message } from '../../protocol/message.ts';
import { membersOf, objectText } from '../../protocol/object-members.ts';
import { isMembers, RELATED_TASK, toLegacyTask, type Members } from '../tasks/task-words.ts';
import { legacyError } from './legacy-error.ts';
import { legacyResult } from './legacy-result.ts';

export function isCreatedTask(message: Message): boolean {
  return !message.isError && (message.value as Members)['resultType'] === 'task';
}

/** A CreateTaskResult: the task lies in a member of its own. */
export function legacyCreated(id: string, task: Members): Message {
  return Message.result(id, JSON.stringify({ task: toLegacyTask(task) }));
}

/** The answer to `tasks/get`, and to `tasks/cancel`: the state alone. */
export function legacyState(id: string, task: Members): Message {
  return Message.result(id, JSON.stringify(toLegacyTask(task)));
}

/**
 * `tools/list` with every tool one that may become a task: the server decides, call by call.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks#tool-level-negotiation
 */
export function withTaskSupport(message: Message): Message {
  const result = message.value as Members;
  const { tools } = result;
  if (!Array.isArray(tools)) return message;
  const marked = (tools as readonly unknown[]).map((tool) =>
    isMembers(tool) ? { ...tool, execution: { taskSupport: 'optional' } } : tool,
  );
  return Message.result(message.id ?? 'null', JSON.stringify({ ...result, tools: marked }));
}

/**
 * What the underlying call of a terminal task ended with, exactly; undefined while it has not.
 * @param message - the answer to `tasks/get`.
 * @param isOutputWrapped - see `legacyResult`.
 */
export function finalAnswer(
  message: Message,
  taskId: string,
  isOutputWrapped: boolean,
): Message | undefined {
  const { status } = message.value as Members;
  const textOf = (name: string): string =>
    membersOf(message.payload ?? '{}').find((member) => member.name === name)?.value ?? '{}';
  const id = message.id ?? 'null';
  switch (status) {
    case 'completed': {
      const result = Message.result(id, textOf('result'));
      const worded = legacyResult(result, 'tools/call', isOutputWrapped);
      return Message.result(id, relatedToTask(worded.payload, taskId));
    }
    case 'failed':
      return legacyError(Message.error(id, textOf('error')), 'tasks/result');
    case 'cancelled':
      return Message.error(id, JSON.stringify({ code: -32603, message: 'Task was cancelled.' }));
    default:
      return undefined;
  }
}

/**
 * An object of a message with the mark of its task.
 * @param text - params or result as JSON text.
 */
export function relatedToTask(text: string | undefined, taskId: string): string {
  const members = membersOf(text ?? '{}');
  const meta = members.find(({ name }) => name === '_meta')?.value;
  const marks = membersOf(meta?.startsWith('{') === true ? meta : '{}');
  const kept = marks.filter(({ name }) => name !== RELATED_TASK).map((mark) => mark.text);
  const mark = `"${RELATED_TASK}":${JSON.stringify({ taskId })}`;
  const others = members.filter(({ name }) => name !== '_meta').map((member) => member.text);
  return objectText([...others, `"_meta":${objectText([...kept, mark])}`]);
}
