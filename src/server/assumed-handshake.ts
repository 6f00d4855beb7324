/**
 * A handshake on behalf of a client that has had one already. The EventSource clients of the
 * official SDKs lose `Last-Event-ID` when they reconnect, so they come back to a new session, take
 * its endpoint and go on calling: nobody sends `initialize` again.
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
import { BARE_GRANT } from '../core/grant.ts';
import { Message } from '../core/protocol/message.ts';
import { LATEST_LEGACY_VERSION } from '../core/protocol/versions.ts';
import { Reply } from '../core/sessions/reply.ts';
import { LegacyPost, type PostingSession } from './legacy-post.ts';
import { OUR_IDENTITY } from './our-identity.ts';

/** What the client once declared is unknown, so it is asked nothing. */
export const ASSUMED_INITIALIZE: Message = Message.request(
  '0',
  'initialize',
  JSON.stringify({
    protocolVersion: LATEST_LEGACY_VERSION,
    capabilities: {},
    clientInfo: OUR_IDENTITY,
  }),
);

export const ASSUMED_INITIALIZED: Message = Message.notification('notifications/initialized');

/** A POST nobody sent: its answer is not for the client, and no credential came with it. */
export function assumedPost(session: PostingSession): LegacyPost {
  const reply = new Reply({ attachment: true }, { json: true, eventStream: false }, 1, false);
  reply.state = 'unreachable';
  return new LegacyPost(session, reply, BARE_GRANT);
}

interface AssumedCall {
  readonly post: LegacyPost;
  readonly message: Message;
}

/** Requests that wait for such a handshake, in order; bounded. */
export class AssumedCalls {
  #waiting: AssumedCall[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** @returns whether there was room. */
  hold(post: LegacyPost, message: Message): boolean {
    if (this.#waiting.length >= this.#max) return false;
    this.#waiting.push({ post, message });
    return true;
  }

  /** The client gave a request up before it was sent. @returns what is over by that. */
  drop(id: string | undefined): readonly LegacyPost[] {
    const dropped = this.#waiting.filter(({ message }) => message.id === id);
    if (dropped.length > 0) this.#waiting = this.#waiting.filter((each) => !dropped.includes(each));
    return dropped.map(({ post }) => post);
  }

  /** Those of some POSTs, which wait no longer. */
  take(isMeant: (post: LegacyPost) => boolean): readonly AssumedCall[] {
    const taken = this.#waiting.filter(({ post }) => isMeant(post));
    this.#waiting = this.#waiting.filter(({ post }) => !isMeant(post));
    return taken;
  }

  [Symbol.iterator](): Iterator<AssumedCall> {
    return this.#waiting[Symbol.iterator]();
  }
}
