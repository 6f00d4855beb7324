/**
 * Requests of the upstream to clients (sampling, elicitation, roots), under ids of ours. The answer
 * goes back under the upstream's own id; an answer from anybody but the session that was asked
 * finds nothing.
 */
export interface Question<Member> {
  readonly upstreamId: string;
  readonly member: Member;
}

export class Questions<Member> {
  readonly #open = new Map<string, Question<Member>>();
  readonly #max: number;
  #next = 1;

  /** @param max - questions open at once. */
  constructor(max: number) {
    this.#max = max;
  }

  /** The id the client is asked under; undefined when the bound is met. */
  ask(upstreamId: string, member: Member): string | undefined {
    if (this.#open.size >= this.#max) return undefined;
    const id = String(this.#next);
    this.#next += 1;
    this.#open.set(id, { upstreamId, member });
    return id;
  }

  /** The upstream's id for an answer of this member; each question is answered once. */
  answer(id: string | undefined, member: Member): string | undefined {
    const question = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || question?.member !== member) return undefined;
    this.#open.delete(id);
    return question.upstreamId;
  }

  /** The upstream takes its question back: who was asked, and under which id. */
  withdraw(upstreamId: string): { readonly id: string; readonly member: Member } | undefined {
    for (const [id, question] of this.#open) {
      if (question.upstreamId !== upstreamId) continue;
      this.#open.delete(id);
      return { id, member: question.member };
    }
    return undefined;
  }

  /** A member is gone: the upstream ids of what it was asked. */
  abandon(member: Member): readonly string[] {
    const ids: string[] = [];
    for (const [id, question] of this.#open) {
      if (question.member !== member) continue;
      this.#open.delete(id);
      ids.push(question.upstreamId);
    }
    return ids;
  }

  clear(): void {
    this.#open.clear();
  }
}
