/**
 * Requests of the upstream to clients (sampling, elicitation, roots), under ids of ours. The answer
 * goes back under the upstream's own id; an answer from anybody but the session that was asked
 * finds nothing.
 */
export interface Question<Member, Call extends AskingCall = AskingCall> {
  /** The client's. */
  readonly id: string;
  readonly upstreamId: string;
  readonly member: Member;
  readonly call: Call | undefined;
  readonly bond: Bond;
}

/**
 * Whether the upstream said which call a question is asked for, or we took it for that call's; and
 * `none` for one that no call's end concerns.
 */
export type Bond = 'named' | 'guessed' | 'none';

/** The call a question belongs to, as far as it matters here. */
export interface AskingCall {
  readonly state: string;
}

export class Questions<Member, Call extends AskingCall = AskingCall> {
  readonly #open = new Map<string, Question<Member, Call>>();
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
   * @returns what they were.
   */
  abandonOver(member: Member): readonly Question<Member, Call>[] {
    const isFull = this.#open.size >= this.#max;
    if (!isFull && this.#countOf(member) < this.#perMemberMax) return [];
    const ids = isFull ? this.#open.keys() : this.#idsOf(member);
    return this.#abandon(ids, ({ call }) => call !== undefined && call.state !== 'waiting');
  }

  /** The id the client is asked under; undefined when the bound is met. */
  ask(upstreamId: string, member: Member, call?: Call, bond: Bond = 'none'): string | undefined {
    if (this.#open.size >= this.#max) return undefined;
    if (this.#countOf(member) >= this.#perMemberMax) return undefined;
    const id = String(this.#next);
    this.#next += 1;
    this.#open.set(id, { id, upstreamId, member, call, bond });
    const ids = this.#ofMember.get(member);
    if (ids === undefined) this.#ofMember.set(member, new Set([id]));
    else ids.add(id);
    return id;
  }

  /** The upstream's id for an answer of this member; each question is answered once. */
  answer(id: string | undefined, member: Member): string | undefined {
    const question = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || question?.member !== member) return undefined;
    this.#close(question);
    return question.upstreamId;
  }

  /** The upstream takes its question back. @returns what it was. */
  withdraw(upstreamId: string): Question<Member, Call> | undefined {
    for (const question of this.#open.values()) {
      if (question.upstreamId !== upstreamId) continue;
      this.#close(question);
      return question;
    }
    return undefined;
  }

  /**
   * A call of this member is over: what was asked for it needs no answer. After an answer only what
   * the upstream said was asked for it: it may well wait for what we took for the call's.
   */
  endWith(call: Call, member: Member): readonly Question<Member, Call>[] {
    if (!this.#ofMember.has(member)) return [];
    const isAnswered = call.state === 'answered';
    return this.#abandon(this.#idsOf(member), (each) => {
      if (each.call !== call || each.bond === 'none') return false;
      return each.bond === 'named' || !isAnswered;
    });
  }

  /** A member is gone. @returns what it was asked. */
  abandon(member: Member): readonly Question<Member, Call>[] {
    return this.#abandon(this.#idsOf(member), () => true);
  }

  /** The upstream is gone. @returns what it had asked. */
  clear(): readonly Question<Member, Call>[] {
    const all = [...this.#open.values()];
    this.#open.clear();
    this.#ofMember.clear();
    return all;
  }

  #countOf(member: Member): number {
    return this.#ofMember.get(member)?.size ?? 0;
  }

  #idsOf(member: Member): Iterable<string> {
    return this.#ofMember.get(member) ?? [];
  }

  #abandon(
    ids: Iterable<string>,
    isMeant: (question: Question<Member, Call>) => boolean,
  ): readonly Question<Member, Call>[] {
    const abandoned: Question<Member, Call>[] = [];
    for (const id of ids) {
      const question = this.#open.get(id);
      if (question === undefined || !isMeant(question)) continue;
      this.#close(question);
      abandoned.push(question);
    }
    return abandoned;
  }

  #close({ id, member }: Question<Member, Call>): void {
    this.#open.delete(id);
    const ids = this.#ofMember.get(member);
    ids?.delete(id);
    if (ids?.size === 0) this.#ofMember.delete(member);
  }
}
