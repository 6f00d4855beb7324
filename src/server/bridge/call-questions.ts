/**
 * What one call asks its legacy client and tells it on the way, by the server's names for its
 * questions. A client that is no longer needed for an answer is told so.
 */
import { Message } from '../../core/protocol/message.ts';
import type { LegacyCallOwner } from '../legacy-upstream.ts';
import type { UpstreamCall } from '../upstream-call.ts';

/** Whoever puts questions to the client. */
export interface Asker {
  /** The client's answer to the question of this name. */
  reply(key: string, message: Message): void;
}

/** The call that asks, as its client knows it. */
export interface AskingCall extends UpstreamCall, Asker {
  readonly owner: LegacyCallOwner;
}

/** Where questions wait for the client. */
export interface QuestionDesk {
  /** Puts a question to the client; undefined when too many wait. */
  readonly ask: (asker: Asker, key: string) => string | undefined;
  readonly withdraw: (questionId: string) => void;
}

export class CallQuestions {
  readonly #desk: QuestionDesk;
  readonly #call: AskingCall;
  /** The client's ids by the server's names. */
  readonly #ids = new Map<string, string>();

  constructor(desk: QuestionDesk, call: AskingCall) {
    this.#desk = desk;
    this.#call = call;
  }

  /** @returns whether it was put: not when too many wait for this client. */
  ask(key: string, method: string, params: string | undefined): boolean {
    const id = this.#desk.ask(this.#call, key);
    if (id === undefined) return false;
    this.#ids.set(key, id);
    this.#call.owner.member.question(Message.request(id, method, params), this.#call);
    return true;
  }

  answered(key: string): void {
    this.#ids.delete(key);
  }

  /** Takes it back; nothing where it was answered. */
  withdraw(key: string): void {
    const id = this.#ids.get(key);
    if (id === undefined) return;
    this.#ids.delete(key);
    this.#desk.withdraw(id);
    const reason = 'The answer is not needed any more.';
    this.#tell('notifications/cancelled', { requestId: Number(id), reason });
  }

  /** A person was where a question sent them. */
  visited(elicitationId: string): void {
    this.#tell('notifications/elicitation/complete', { elicitationId });
  }

  #tell(method: string, params: object): void {
    const { owner } = this.#call;
    owner.related(this.#call, Message.notification(method, JSON.stringify(params)));
  }
}
