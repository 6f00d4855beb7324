/** The error an upstream is given for a question that nobody can be asked, or answers any more. */
import { errorResponse, type Refusal } from '../core/errors.ts';
import { Message } from '../core/protocol/message.ts';

export function refuseQuestion(id: string, refusal: Refusal): Message {
  const text = errorResponse({ ...refusal, id });
  return Message.error(id, text.slice(text.indexOf('"error":') + '"error":'.length, -1));
}
