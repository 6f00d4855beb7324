/**
 * A request in flight at an upstream: who made it, what the server sees of it, and what its client
 * is told.
 */
import type { Refusal } from '../core/errors.ts';
import { Message } from '../core/protocol/message.ts';
import type { Call } from '../core/sessions/pending.ts';

/**
 * Whoever has calls in flight. Exactly one of `answered` and `lost` is called for each, unless it
 * was cancelled.
 */
export interface CallOwner {
  answered(call: UpstreamCall, message: Message): void;
  lost(call: UpstreamCall, refusal: Refusal): void;
  /** A notification of this call, its progress token already the client's. */
  related(call: UpstreamCall, message: Message): void;
  /** The server asks to end this call's stream so that its client comes back for the rest. */
  closeStream(call: UpstreamCall): void;
}

export type UpstreamCall = Call<CallOwner>;

/** Whoever wants no more of a call than how it ended. */
export function askedBy(done: (answer: Message | Refusal) => void): CallOwner {
  return {
    answered: (_, message) => done(message),
    lost: (_, refusal) => done(refusal),
    related: () => {},
    closeStream: () => {},
  };
}

/** The request as the server sees it: its id and its progress token are a number of ours. */
export function numbered(request: Message, number: number): Message {
  const { progressToken } = request.spans;
  const id = String(number);
  if (progressToken === undefined) return request.withId(id);
  return request.withReplaced(progressToken, id).withId(id);
}

export function cancellationOf({ number }: UpstreamCall, reason: string): Message {
  const params = `{"requestId":${number},"reason":${JSON.stringify(reason)}}`;
  return Message.notification('notifications/cancelled', params);
}

/**
 * What the client is told of this progress: undefined when it did not ask for any, or was told as
 * much before.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/progress
 */
export function progressFor(call: UpstreamCall | undefined, told: Message): Message | undefined {
  const { progressToken } = told.spans;
  const value = Number((told.value as { progress?: unknown } | undefined)?.progress);
  if (progressToken === undefined || call?.progressToken === undefined) return undefined;
  if (!(value > call.progress)) return undefined;
  call.progress = value;
  return told.withReplaced(progressToken, call.progressToken);
}
