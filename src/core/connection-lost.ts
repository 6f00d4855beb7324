/** A call whose connection broke: what it did, and whether it is still at work, nobody knows. */
import type { Message } from './protocol/message.ts';

export const CONNECTION_LOST_TEXT = 'upstream connection lost';

/** Whether the answer to a call says no more than that. */
export function isConnectionLost(answer: Message): boolean {
  if (!answer.isError) return false;
  return (answer.value as { message?: unknown } | undefined)?.message === CONNECTION_LOST_TEXT;
}
