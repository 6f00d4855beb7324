/** A change as the handshake eras tell it: it belongs to the session, not to a listen. */
import { META } from '../../protocol/eras/stateless-2026.ts';
import { Message } from '../../protocol/message.ts';
import { membersOf, objectText } from '../../protocol/object-members.ts';

/** @param message - a notification that came on a listen. */
export function legacyNotification(message: Message): Message {
  const params = membersOf(message.payload ?? '{}').flatMap(({ name, text, value }) =>
    name === '_meta' ? keptMeta(value) : [text],
  );
  const method = message.method ?? '';
  return params.length === 0
    ? Message.notification(method)
    : Message.notification(method, objectText(params));
}

function keptMeta(meta: string): readonly string[] {
  const kept = membersOf(meta).filter(({ name }) => name !== META.subscriptionId);
  return kept.length === 0 ? [] : [`"_meta":${objectText(kept.map(({ text }) => text))}`];
}
