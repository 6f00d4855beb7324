/**
 * What came for a session and waits before it may be taken: a client may cancel a request
 * meanwhile, which then goes nowhere.
 */
import type { Message } from '../core/protocol/message.ts';

interface Held {
  messages: readonly Message[];
}

export class HeldRequests {
  /** Whoever holds some has a bound for how many wait. */
  readonly #held = new Set<Held>();

  /** @returns what gives them back once, without those that were cancelled. */
  hold(messages: readonly Message[]): () => readonly Message[] {
    const held: Held = { messages };
    this.#held.add(held);
    return () => {
      this.#held.delete(held);
      return held.messages;
    };
  }

  /** @returns whether a request with this id was among them. */
  cancel(id: string | undefined): boolean {
    const isMeant = (each: Message): boolean => each.kind === 'request' && each.id === id;
    const newest = [...this.#held].findLast(({ messages }) => messages.some(isMeant));
    if (newest === undefined) return false;
    newest.messages = newest.messages.filter((each) => !isMeant(each));
    return true;
  }
}
