/**
 * Nothing but responses precedes the answer to `initialize`: what a server says before waits,
 * bounded.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#initialization
 */
import type { Message } from '../core/protocol/message.ts';

const EARLY_MAX = 64;

export class EarlyMessages {
  #held: Message[] | undefined;

  hold(message: Message): void {
    this.#held ??= [];
    if (this.#held.length < EARLY_MAX) this.#held.push(message);
  }

  /** In order; nothing waits any more. */
  take(): readonly Message[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    return held;
  }
}
