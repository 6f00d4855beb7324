/** What a host and a server still owe each other: all that a host without input waits for. */
import type { Message } from '../core/protocol/message.ts';

/** A listen has no end of its own, and whoever says no more cannot wait for one. */
const LISTEN = 'subscriptions/listen';

export class HostCalls {
  /** Ids of the host's requests that have no answer. */
  readonly #open = new Set<string>();
  /** Ids of the server's questions that the host did not answer. */
  readonly #questions = new Set<string>();

  get areAnswered(): boolean {
    return this.#open.size === 0;
  }

  /** The host said it. */
  said(message: Message): void {
    const { kind, id = 'null', method } = message;
    if (kind === 'request' && method !== LISTEN) this.#open.add(id);
    else if (kind === 'response') this.#questions.delete(id);
    else if (method === 'notifications/cancelled') this.#open.delete(cancelledId(message));
  }

  /** The host is told it. */
  told(message: Message): void {
    const { kind, id = 'null', method } = message;
    if (kind === 'response') this.#open.delete(id);
    else if (kind === 'request') this.#questions.add(id);
    else if (method === 'notifications/cancelled') this.#questions.delete(cancelledId(message));
  }

  /** Questions that nobody will answer any more. */
  takeQuestions(): readonly string[] {
    const ids = [...this.#questions];
    this.#questions.clear();
    return ids;
  }
}

/** Its JSON token, as the request had it. */
function cancelledId(message: Message): string {
  return message.token(message.spans.requestId) ?? 'null';
}
