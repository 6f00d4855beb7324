/**
 * Calls and notifications that came before the handshake with their server was over, in their
 * order.
 */
import type { Message } from '../core/protocol/message.ts';
import type { UpstreamCall } from './upstream-call.ts';

interface HeldCall {
  readonly message: Message;
  /** Undefined for a notification. */
  readonly call: UpstreamCall | undefined;
}

export class HeldCalls {
  readonly #max: number;
  #held: HeldCall[] = [];

  /** @param max - notifications are dropped beyond it; calls are bounded by who makes them. */
  constructor(max: number) {
    this.#max = max;
  }

  hold(message: Message, call: UpstreamCall): void {
    this.#held.push({ message, call });
  }

  holdNotification(message: Message): void {
    if (this.#held.length < this.#max) this.#held.push({ message, call: undefined });
  }

  /** @returns whether it was held: then it goes nowhere. */
  drop(call: UpstreamCall): boolean {
    const index = this.#held.findIndex((each) => each.call === call);
    if (index >= 0) this.#held.splice(index, 1);
    return index >= 0;
  }

  /** Nothing is held any more. */
  take(): readonly HeldCall[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
