/**
 * Notifications by their names. A server may run whatever method it finds in a message, id or not,
 * while nobody decides about, counts or records what asks for no answer: a message without an id is
 * taken for a notification only if it is named like one. Those of vendors are, too.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic#notifications
 */
import type { Refusal } from '../errors.ts';
import type { Message } from './message.ts';

const PREFIX = 'notifications/';

export function checkNotification({ kind, method }: Message): Refusal | undefined {
  if (kind !== 'notification' || method?.startsWith(PREFIX) === true) return undefined;
  const detail = 'A request needs an id; a notification is named notifications/….';
  return { error: 'INVALID_REQUEST', detail };
}
