/**
 * Requests of the upstream to clients (sampling, elicitation, roots), under ids of ours. The answer
 * goes back under the upstream's own id; an answer from anybody but the session that was asked
 * finds nothing.
 */
export interface Question<Member> {
  readonly upstreamId: string;
  readonly member: Member;
  readonly call: AskingCall | undefined;
}

/** The call a question belongs to, as far as it matters here. */
export interface AskingCall {
  readonly state: string;
}

export class Questions<Member> {
  readonly #open = new Map<string, Question<Member>>();
  /** The ids of each member's that has any: none is looked for among those of the others. */
  readonly #ofMember = new Map<Member, Set<string>>();
  readonly #max: number;
  #next = 1;

  readonly #perMemberMax: number;

  /**
   * @param max - questions open at once.
   * @param perMemberMax - of them, those of one member.
   */
  constructor(max: number, perMemberMax: number = max) {
    this.#max = max;
    this.#perMemberMax = perMemberMax;
  }

  /**
   * Makes room for a question to this member: those whose calls are over wait for nobody, its own
   * or, where there is no room at all, anybody's.
   * @returns the upstream ids of what they were.
   */
  abandonOver(member: Member): readonly string[] {
    const isFull = this.#open.size >= this.#max;
    if (!isFull && this.#countOf(member) < this.#perMemberMax) return [];
    const ids = isFull ? this.#open.keys() : this.#idsOf(member);
    return this.#abandon(ids, ({ call }) => call !== undefined && call.state !== 'waiting');
  }

  /** The id the client is asked under; undefined when the bound is met. */
  ask(upstreamId: string, member: Member, call?: AskingCall): string | undefined {
    if (this.#open.size >= this.#max) return undefined;
    if (this.#countOf(member) >= this.#perMemberMax) return undefined;
    const id = String(this.#next);
    this.#next += 1;
    this.#open.set(id, { upstreamId, member, call });
    const ids = this.#ofMember.get(member);
    if (ids === undefined) this.#ofMember.set(member, new Set([id]));
    else ids.add(id);
    return id;
  }

  /** The upstream's id for an answer of this member; each question is answered once. */
  answer(id: string | undefined, member: Member): string | undefined {
    const question = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || question?.member !== member) return undefined;
    this.#close(id, question);
    return question.upstreamId;
  }

  /** The upstream takes its question back: who was asked, and under which id. */
  withdraw(upstreamId: string): { readonly id: string; readonly member: Member } | undefined {
    for (const [id, question] of this.#open) {
      if (question.upstreamId !== upstreamId) continue;
      this.#close(id, question);
      return { id, member: question.member };
    }
    return undefined;
  }

  /** A member is gone: the upstream ids of what it was asked. */
  abandon(member: Member): readonly string[] {
    return this.#abandon(this.#idsOf(member), () => true);
  }

  clear(): void {
    this.#open.clear();
    this.#ofMember.clear();
  }

  #countOf(member: Member): number {
    return this.#ofMember.get(member)?.size ?? 0;
  }

  #idsOf(member: Member): Iterable<string> {
    return this.#ofMember.get(member) ?? [];
  }

  #abandon(
    ids: Iterable<string>,
    isMeant: (question: Question<Member>) => boolean,
  ): readonly string[] {
    const abandoned: string[] = [];
    for (const id of ids) {
      const question = this.#open.get(id);
      if (question === undefined || !isMeant(question)) continue;
      this.#close(id, question);
      abandoned.push(question.upstreamId);
    }
    return abandoned;
  }

  #close(id: string, { member }: Question<Member>): void {
    this.#open.delete(id);
    const ids = this.#ofMember.get(member);
    ids?.delete(id);
    if (ids?.size === 0) this.#ofMember.delete(member);
  }
}
