/**
 * One conversation with the merged server: on behalf of one principal, or of nobody while it is
 * only found out what it speaks.
 */
import { mergedDiscover } from '../../core/merge/merged-discover.ts';
import type {
  Principal,
  SendOutcome,
  UpstreamConnection,
  UpstreamEvents,
} from '../../core/ports.ts';
import { Message } from '../../core/protocol/message.ts';
import { failedCall } from '../../client/failed-call.ts';
import type { MergedMember, MergeParts } from './merge-parts.ts';

export interface MergedFacts {
  readonly parts: MergeParts;
  readonly members: readonly MergedMember[];
  /** On whose behalf; undefined for nobody's. */
  readonly caller: Principal | undefined;
  /** Whether the conversation is of the revision that is served. */
  readonly isServed: boolean;
  readonly events: UpstreamEvents;
}

export class MergedConnection implements UpstreamConnection {
  readonly #facts: MergedFacts;
  #isClosed = false;

  constructor(facts: MergedFacts) {
    this.#facts = facts;
  }

  send(message: Message): SendOutcome {
    if (this.#isClosed) return 'closed';
    if (message.kind !== 'request') return 'sent';
    const id = message.id ?? 'null';
    const { parts, isServed, events } = this.#facts;
    const isDiscover = isServed && message.method === 'server/discover';
    const answer = isDiscover
      ? Message.result(id, mergedDiscover(parts.serverInfo, []))
      : failedCall(id, { error: 'METHOD_NOT_FOUND' });
    queueMicrotask(() => {
      if (!this.#isClosed) events.onMessage(answer, id);
    });
    return 'sent';
  }

  setMembers(_members: readonly MergedMember[]): void {}

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    queueMicrotask(() => this.#facts.events.onClosed('closed', 'closed by us'));
  }
}
