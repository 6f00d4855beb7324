/**
 * A conversation on nobody's behalf: it says what the merged server is, so that its revision can be
 * found out, and reaches no server.
 */
import { failedCall } from '../../client/failed-call.ts';
import { mergedDiscover, type ServerInfo } from '../../core/merge/merged-discover.ts';
import type { SendOutcome, UpstreamConnection, UpstreamEvents } from '../../core/ports.ts';
import { Message } from '../../core/protocol/message.ts';

export class NobodysConnection implements UpstreamConnection {
  readonly #serverInfo: ServerInfo | undefined;
  readonly #events: UpstreamEvents;
  #isClosed = false;

  /** @param serverInfo - undefined in a revision that is not spoken. */
  constructor(serverInfo: ServerInfo | undefined, events: UpstreamEvents) {
    this.#serverInfo = serverInfo;
    this.#events = events;
  }

  send(message: Message): SendOutcome {
    if (this.#isClosed) return 'closed';
    if (message.kind !== 'request') return 'sent';
    const id = message.id ?? 'null';
    const isKnown = message.method === 'server/discover' && this.#serverInfo !== undefined;
    const answer = isKnown
      ? Message.result(id, mergedDiscover(this.#serverInfo, []))
      : failedCall(id, { error: 'METHOD_NOT_FOUND' });
    queueMicrotask(() => {
      if (!this.#isClosed) this.#events.onMessage(answer, id);
    });
    return 'sent';
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    queueMicrotask(() => this.#events.onClosed('closed', 'closed by us'));
  }
}
