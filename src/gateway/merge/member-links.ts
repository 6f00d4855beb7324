/** The servers of one merged connection, in their order, as they come and go. */
import type { Principal } from '../../core/ports.ts';
import { MemberLink, type LinkEvents } from './member-link.ts';
import type { MergedMember, MergeParts } from './merge-parts.ts';

export class MemberLinks {
  readonly #parts: MergeParts;
  readonly #caller: Principal;
  readonly #events: LinkEvents;
  #links: readonly MemberLink[] = [];
  /** Links that are merged no more and may have calls in flight. */
  readonly #retired = new Set<MemberLink>();
  readonly #waiting = new Set<() => void>();

  /** @param caller - on whose behalf every server is spoken to. */
  constructor(parts: MergeParts, caller: Principal, events: LinkEvents) {
    this.#parts = parts;
    this.#caller = caller;
    this.#events = {
      message: (link, id, message) => events.message(link, id, message),
      oversized: (link, id) => events.oversized(link, id),
      changed: (link) => {
        events.changed(link);
        this.#settle();
      },
    };
  }

  all(): readonly MemberLink[] {
    return this.#links;
  }

  find(server: string): MemberLink | undefined {
    return this.#links.find(({ name }) => name === server);
  }

  /** Members of the same name and application keep their link. */
  set(members: readonly MergedMember[]): void {
    const kept = new Map<MergedMember, MemberLink>();
    for (const link of this.#links) {
      const member = members.find(({ name, app }) => name === link.name && app === link.member.app);
      if (member === undefined) this.#retire(link);
      else kept.set(member, link);
    }
    this.#links = members.map(
      (member) =>
        kept.get(member) ?? new MemberLink(member, this.#parts, this.#caller, this.#events),
    );
    this.#settle();
  }

  /**
   * Runs `then` once every server was heard or is absent; never before it returns.
   * @returns what gives it up.
   */
  whenSettled(then: () => void): () => void {
    const run = (): void => {
      if (this.#waiting.delete(run)) then();
    };
    this.#waiting.add(run);
    if (this.#isSettled) queueMicrotask(run);
    return () => {
      this.#waiting.delete(run);
    };
  }

  close(): void {
    for (const link of [...this.#links, ...this.#retired]) link.close();
    this.#retired.clear();
  }

  #retire(link: MemberLink): void {
    for (const each of this.#retired) if (each.isOver) this.#retired.delete(each);
    this.#retired.add(link);
    link.retire();
    this.#events.changed(link);
  }

  get #isSettled(): boolean {
    return this.#links.every(({ state }) => state !== 'asking');
  }

  #settle(): void {
    if (this.#isSettled) for (const run of this.#waiting) run();
  }
}
