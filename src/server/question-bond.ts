/**
 * Whether a question of a server ends with a call. Roots are the session's, whatever call they were
 * asked for beside; what a task asks is wanted as long as the task goes on.
 */
import { relatedTaskOf } from '../core/bridge/tasks/task-words.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Bond } from './questions.ts';

/** @param isNamed - whether the server said which call it asks for. */
export function bondOf(question: Message, isNamed: boolean): Bond {
  const isOfTask = relatedTaskOf(question.value) !== undefined;
  if (isOfTask || question.method === 'roots/list') return 'none';
  return isNamed ? 'named' : 'guessed';
}
