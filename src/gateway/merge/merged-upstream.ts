/**
 * Several servers as one upstream of the stateless revision. Each is reached through its own
 * endpoint in this process, on behalf of whoever is served, so its isolation, its bounds and its
 * sessions hold as if it had been called at its own URL.
 */
import { isServerName } from '../../core/merge/merged-name.ts';
import type {
  Principal,
  Upstream,
  UpstreamConnection,
  UpstreamEra,
  UpstreamEvents,
} from '../../core/ports.ts';
import type { MergedMember, MergeParts } from './merge-parts.ts';
import { MergedConnection } from './merged-connection.ts';
import { NobodysConnection } from './nobodys-connection.ts';

/**
 * @param members - in the order of merged lists.
 * @throws TypeError when a name is malformed or occurs twice.
 */
export function mergedUpstream(
  members: readonly MergedMember[],
  parts: MergeParts,
): MergedUpstream {
  return new MergedUpstream(members, parts);
}

export class MergedUpstream implements Upstream {
  readonly kind = 'in-process';
  readonly name = 'all';
  readonly #parts: MergeParts;
  readonly #open = new Set<MergedConnection>();
  #members: readonly MergedMember[];
  #isClosed = false;

  constructor(members: readonly MergedMember[], parts: MergeParts) {
    this.#members = checked(members);
    this.#parts = parts;
  }

  /** Without a caller, or in another revision, only what it speaks is answered. */
  connect(era: UpstreamEra, events: UpstreamEvents, caller?: Principal): UpstreamConnection {
    if (this.#isClosed) {
      queueMicrotask(() => events.onClosed('closed', 'the upstream was closed before'));
      return { send: () => 'closed', close() {} };
    }
    const { serverInfo } = this.#parts;
    if (era !== 'modern') return new NobodysConnection(undefined, events);
    if (caller === undefined) return new NobodysConnection(serverInfo, events);
    const connection = new MergedConnection(this.#parts, this.#members, caller, {
      onMessage: (message, relatedTo) => events.onMessage(message, relatedTo),
      onOversized: (id) => events.onOversized(id),
      onCloseStream: (id) => events.onCloseStream(id),
      onClosed: (cause, detail) => {
        this.#open.delete(connection);
        events.onClosed(cause, detail);
      },
    });
    this.#open.add(connection);
    return connection;
  }

  /**
   * The servers from now on. One of the same name and application stays as it is; who listens is
   * told that the lists changed. Calls at a server that left end with its endpoint's drain.
   * @throws TypeError when a name is malformed or occurs twice.
   */
  setMembers(members: readonly MergedMember[]): void {
    this.#members = checked(members);
    for (const connection of this.#open) connection.setMembers(this.#members);
  }

  /** The members' endpoints stay: they are not ours to end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#open) connection.close();
  }
}

function checked(members: readonly MergedMember[]): readonly MergedMember[] {
  const names = new Set<string>();
  for (const { name } of members) {
    if (!isServerName(name)) throw new TypeError(`The name of a server is malformed: ${name}.`);
    if (names.has(name)) throw new TypeError(`Two servers have the name ${name}.`);
    names.add(name);
  }
  return [...members];
}
