/** A client's listen stream, as whatever feeds it sees it. */
import type { Refusal } from '../core/errors.ts';
import type { Origin } from '../core/grant.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Filter } from '../core/sessions/subscription.ts';

export interface Listener {
  /** The JSON token of the client's request id. */
  readonly id: string;
  /** Whose it is, where that goes on to servers in this process. */
  readonly origin?: Origin | undefined;
  acknowledged(honoured: Filter): void;
  /** A frame that is already stamped with its id. */
  deliver(frame: string): void;
  /** Whether its client may be told of this. Default: yes. */
  hears?(change: Message): boolean;
  /** In place of `deliver`, for a listener that has no use for an id: the change alone. */
  changed?(message: Message): void;
  /** Upstream ended the subscription: gracefully, or with an error. */
  ended(failure: Message | Refusal | undefined): void;
}
