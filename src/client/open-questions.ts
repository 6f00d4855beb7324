/**
 * Requests of a server to its client, under ids of ours. Servers number theirs anew in each
 * session; ours are never used twice, so that no answer to a question of a session that is over is
 * taken for an answer to one of the next.
 */
import { Message } from '../core/protocol/message.ts';

/** Further questions are refused: a server that asks without end is not kept in memory. */
const QUESTIONS_MAX = 10_000;

const CANCELLED = 'notifications/cancelled';

export class OpenQuestions {
  /** The server's ids by ours. */
  readonly #open = new Map<string, string>();
  #next = 0;

  /**
   * A message of the server as its client is told it, with ids of ours where it asks a question or
   * takes one back.
   * @returns undefined for a question beyond the bound, and for a cancellation of none that is
   * open.
   */
  received(message: Message): Message | undefined {
    if (message.kind === 'request') return this.#ask(message);
    return message.method === CANCELLED ? this.#withdraw(message) : message;
  }

  /** @returns the answer under the server's id; undefined when it has no such question open. */
  answer(answer: Message): Message | undefined {
    const id = answer.id ?? 'null';
    const theirs = this.#open.get(id);
    if (theirs === undefined) return undefined;
    this.#open.delete(id);
    return answer.withId(theirs);
  }

  /** The session is over, and nobody waits for answers: what the client is told of each. */
  withdrawAll(): readonly Message[] {
    const ids = [...this.#open.keys()];
    this.#open.clear();
    return ids.map((id) => {
      const payload = `{"requestId":${id},"reason":"The session with the server is over."}`;
      return withdrawn(id, payload, '{"requestId":'.length);
    });
  }

  #ask(question: Message): Message | undefined {
    if (this.#open.size >= QUESTIONS_MAX) return undefined;
    const id = String(this.#next);
    this.#next += 1;
    this.#open.set(id, question.id ?? 'null');
    return question.withId(id);
  }

  #withdraw(cancelled: Message): Message | undefined {
    const { requestId } = cancelled.spans;
    if (requestId === undefined) return undefined;
    const token = cancelled.token(requestId);
    for (const [id, theirs] of this.#open) {
      if (theirs !== token) continue;
      this.#open.delete(id);
      return withdrawn(id, cancelled.withReplaced(requestId, id).payload, requestId.start);
    }
    return undefined;
  }
}

/** With the place of its id, which whoever relays it replaces. */
function withdrawn(id: string, payload: string | undefined, start: number): Message {
  return Message.notification(CANCELLED, payload, { requestId: { start, end: start + id.length } });
}
