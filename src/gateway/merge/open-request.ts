/** A request of the merged server's client, and what it needs of its connection. */
import type { ResourceRoutes } from '../../core/merge/resource-routes.ts';
import type { SendOutcome } from '../../core/ports.ts';
import type { Message } from '../../core/protocol/message.ts';
import type { MemberLink } from './member-link.ts';
import type { MergeParts } from './merge-parts.ts';

export interface OpenRequest {
  /** Anything but `sent`: it was not taken, and is over. Answers nothing before it returns. */
  start(): SendOutcome;
  /** The client gave it up: it reports nothing any more. */
  cancel(): void;
  /** A server answered the request that was sent to it under this id. */
  answered?(link: MemberLink, answer: Message): void;
  /** A server says something on it. Default: it is the client's as it is. */
  notified?(link: MemberLink, message: Message): void;
  /** A server is heard for the first time, is gone, or is back. */
  linkChanged?(link: MemberLink): void;
}

export interface RequestHost {
  readonly parts: MergeParts;
  readonly routes: ResourceRoutes;
  /** Every server, in order. */
  links(): readonly MemberLink[];
  /**
   * Runs `then` once every server was heard, has failed, or takes longer than the wait for merged
   * lists; never before it returns.
   * @returns what gives it up.
   */
  whenSettled(then: () => void): () => void;
  /** Answers the client; the request is over. */
  answer(id: string, answer: Message): void;
  /** A notification of the request of this id. */
  tell(id: string, message: Message): void;
}
