/**
 * What the requests of 2026 clients need of the server behind them, whatever that server speaks.
 */
import type { Refusal } from '../core/errors.ts';
import type { RequestHead } from '../core/ports.ts';
import type { Envelope } from '../core/protocol/eras/stateless-2026.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Filter, Subscription } from '../core/sessions/subscription.ts';
import type { CallEntry } from './call-entry.ts';
import type { Instance } from './instance.ts';
import type { CallOwner, UpstreamCall } from './upstream-call.ts';
import type { Listener } from './listener.ts';

/** Who a call is for. */
export interface CalledUpstream {
  /** The conversation that calls are made in; undefined while there is none to ask in. */
  readonly conversation: Instance | undefined;
  /**
   * Whether a call may turn out to be made in another one, where it is judged once that is known.
   * Default: no.
   */
  readonly isChosenLater?: boolean;
}

export interface ModernUpstream extends CalledUpstream {
  /** Whether it is down now: requests are refused until its restart. */
  readonly isDown: boolean;
  /** Whether it has the tasks extension, as far as is known once it is ready. */
  readonly tellsOfTasks: boolean;
  /** Its own name for itself, as a member of `_meta`; empty while it is not known. */
  readonly infoText: string;
  /** Runs `then` once what the server declares is known, or it turned out to be unreachable. */
  whenReady(then: () => void): void;
  /** The `Mcp-Param-*` headers of a `tools/call`, against what the tool declares. */
  checkParams(message: Message, head: RequestHead): Refusal | undefined;
  /**
   * A request with its `_meta`; answers and notifications come as this revision words them.
   * @param entry - of a call whose conversation is chosen later.
   */
  request(
    owner: CallOwner,
    message: Message,
    envelope: Envelope,
    entry?: CallEntry,
  ): UpstreamCall | Refusal;
  /** The owner gave the call up: nothing of it comes any more. */
  cancel(call: UpstreamCall, reason: string): void;
  listen(filter: Filter, listener: Listener): Subscription;
  unlisten(subscription: Subscription): void;
}
