/**
 * A listen that comes from within this process is for several clients of one principal: a resource
 * that policies refuse must not take away what the others are told. It is left out, and the
 * acknowledgment says so. Decided whenever a listen is opened, by the policies of that moment.
 */
import { Message } from '../core/protocol/message.ts';
import { membersOf, objectText } from '../core/protocol/object-members.ts';
import { filterText, readFilter } from '../core/sessions/subscription.ts';

/**
 * @param isPermitted - whether a listen to one resource alone is.
 * @returns the listen without the resources that are refused; undefined when none of them is.
 */
export function permittedListen(
  listen: Message,
  isPermitted: (one: Message) => boolean,
): Message | undefined {
  const { notifications } = (listen.value ?? {}) as { readonly notifications?: unknown };
  const filter = readFilter(notifications);
  const uris = [...filter.uris].filter((uri) => {
    const one = filterText({ ...readFilter(undefined), uris: new Set([uri]) });
    return isPermitted(requestLike(listen, `{"notifications":${one}}`));
  });
  if (uris.length === filter.uris.size) return undefined;
  const kept = filterText({ ...filter, uris: new Set(uris) });
  const members = membersOf(listen.payload ?? '{}').map(({ name, text }) =>
    name === 'notifications' ? `"notifications":${kept}` : text,
  );
  return requestLike(listen, objectText(members));
}

function requestLike({ id, method }: Message, payload: string): Message {
  return Message.request(id ?? 'null', method ?? '', payload);
}
