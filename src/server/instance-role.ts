import type { Message } from '../core/protocol/message.ts';
import type { UpstreamCall } from './upstream-call.ts';

/** What one kind of instance does besides calls. */
export interface InstanceRole {
  /**
   * Opens the conversation: calls `done` with undefined when calls may flow, or with why they
   * cannot.
   */
  handshake(isRestart: boolean, done: (failure: string | undefined) => void): void;
  /**
   * A message that is not an answer: a question or a notification.
   * @param isMarked - the upstream named a call, though it may have ended: nothing is to be
   * guessed.
   */
  received(message: Message, call: UpstreamCall | undefined, isMarked: boolean): void;
  /**
   * A call is over, whatever became of it; before its owner is told, unless that gave it up.
   * @param answer - the server's, if it answered.
   */
  ended?(call: UpstreamCall, answer?: Message): void;
  /** The connection is gone and every call with it. Whether to start again. */
  down(): boolean;
}
