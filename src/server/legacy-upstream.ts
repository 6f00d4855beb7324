/**
 * What a 2024 or 2025 session needs of the server behind it, whatever that server speaks.
 */
import type { Refusal } from '../core/errors.ts';
import type { Principal } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Instance } from './instance.ts';
import type { CallOwner, UpstreamCall } from './upstream-call.ts';

/** A session, as its upstream sees it. */
export interface LegacyMember {
  readonly principal: Principal;
  /** URIs it subscribed, for restarts and, on a shared upstream, for routing. */
  readonly subscribed: Set<string>;
  logLevel: string | undefined;
  /** The client's `initialize` params, once it sent them. */
  readonly initializeParams: string | undefined;
  /** Whether the client declared what this question needs. */
  canAnswer(method: string): boolean;
  /** Whether its client reads what belongs to no call now. */
  readonly isListening: boolean;
  /** A notification that belongs to no call. */
  unrelated(message: Message): void;
  /**
   * A question under an id of ours, or that it is taken back: on the stream of `call` if it belongs
   * to one, while there is that stream.
   */
  question(message: Message, call: UpstreamCall | undefined): void;
}

export interface LegacyCallOwner extends CallOwner {
  readonly member: LegacyMember;
  /** Whether a question can reach the client beside the answer. */
  readonly canBeAsked: boolean;
}

/** A call that is in flight, a refusal, or a result that needed no upstream. */
export type LegacyOutcome = UpstreamCall | Refusal | { readonly answer: string };

export interface LegacyUpstream {
  /**
   * Whether the client's own `initialize` goes through `request`; otherwise `initialize` answers
   * it.
   */
  readonly isExclusive: boolean;
  /** The conversation that calls are made in; undefined while there is none to ask in. */
  readonly conversation: Instance | undefined;
  join(member: LegacyMember): void;
  leave(member: LegacyMember): void;
  request(owner: LegacyCallOwner, message: Message): LegacyOutcome;
  /** The owner gave the call up: nothing of it comes any more. */
  cancel(call: UpstreamCall, reason: string): void;
  /**
   * Answers the client's `initialize` with a handshake that was ours.
   * @param done - with the InitializeResult as JSON, or why there is none.
   */
  initialize(requested: unknown, done: (answer: string | Refusal) => void): void;
  /** The result of the exclusive client's own `initialize`. */
  initialized(result: unknown): void;
  /** A notification of a client that is not a cancellation. */
  notify(message: Message): void;
  /** A client's answer to a question. */
  answer(member: LegacyMember, message: Message): void;
  /** One notification for each list the server declares may change: look again. */
  changeNotices(): readonly Message[];
}
