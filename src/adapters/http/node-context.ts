/** What the exchanges of one handler share: its bounds, and what is known of its connections. */
import type { Socket } from 'node:net';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { SharedBytes } from './shared-bytes.ts';

export class NodeContext {
  readonly limits: ConnectionLimits;
  /** Connections with a reply begun but not ended: nothing else may be written to them. */
  readonly replying: WeakSet<Socket> = new WeakSet();
  /** Connections on which a request came before the reply to the one before it was over. */
  readonly pipelined: WeakSet<Socket> = new WeakSet();
  /** Connections of long streams, which `node:http` no longer knows. */
  readonly detached: Set<Socket> = new Set();
  readonly sharedBytes: SharedBytes = new SharedBytes();
  /** Replies ask their clients to leave. */
  isClosing = false;

  constructor(limits: Partial<ConnectionLimits> = {}) {
    this.limits = { ...DEFAULT_CONNECTION_LIMITS, ...limits };
  }
}
