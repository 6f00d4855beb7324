/** Which of a session's calls in flight is meant. */
import type { Grant } from '../core/grant.ts';
import type { Reply } from '../core/sessions/reply.ts';
import type { Connection } from './connection.ts';
import type { UpstreamCall } from './upstream-call.ts';
import { LegacyPost } from './legacy-post.ts';

type Calls = ReadonlySet<UpstreamCall>;

/** Ids in flight are told apart by the client; of equal ones it means the newest. */
export function newestCall(calls: Calls, id: string | undefined): UpstreamCall | undefined {
  let newest: UpstreamCall | undefined;
  for (const call of calls) if (call.id === id) newest = call;
  return newest;
}

/** The reply that is awaited on a connection, while one of its calls is in flight. */
export function replyTo(calls: Calls, connection: Connection): Reply | undefined {
  for (const { owner } of calls) {
    if (owner instanceof LegacyPost && owner.reply?.to === connection) return owner.reply;
  }
  return undefined;
}

/** Those that were sent with one of these credentials. */
export function callsSentWith(
  calls: Calls,
  isMeant: (grant: Grant) => boolean,
): readonly UpstreamCall[] {
  return [...calls].filter(({ owner }) => owner instanceof LegacyPost && isMeant(owner.grant));
}
