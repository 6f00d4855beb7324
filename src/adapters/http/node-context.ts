/** What the exchanges of one handler share: its bounds, and what is known of its connections. */
import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { CertifiedConnections } from './certified-connections.ts';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { Peers } from './peers.ts';
import { SharedBytes } from './shared-bytes.ts';
import { TrustedProxies } from './trusted-proxies.ts';
import { WaitingLine } from './waiting-line.ts';

export class NodeContext {
  readonly limits: ConnectionLimits;
  /** Connections with a reply begun but not ended: nothing else may be written to them. */
  readonly replying: WeakSet<Socket> = new WeakSet();
  /** Those whose reply was written while their request still comes: they end by themselves. */
  readonly answered: WeakSet<Socket> = new WeakSet();
  /** Connections on which a request came before the reply to the one before it was over. */
  readonly pipelined: WeakSet<Socket> = new WeakSet();
  /** Connections of long streams, which `node:http` no longer knows. */
  readonly detached: Set<Socket> = new Set();
  /** Connections whose reply is a long stream that `node:http` still knows. */
  readonly occupied: WeakSet<Socket> = new WeakSet();
  /** Connections of HTTP/2, which `node:https` does not know, with their sockets. */
  readonly sessions: Map<ServerHttp2Session, Socket> = new Map();
  readonly certified: CertifiedConnections = new CertifiedConnections();
  readonly peers: Peers;
  readonly sharedBytes: SharedBytes = new SharedBytes();
  readonly line: WaitingLine = new WaitingLine();
  /** Replies ask their clients to leave. */
  isClosing = false;

  /** @throws TypeError for an entry of `trustedProxies` that is no address and no range. */
  constructor(limits: Partial<ConnectionLimits> = {}, trustedProxies: readonly string[] = []) {
    this.limits = { ...DEFAULT_CONNECTION_LIMITS, ...limits };
    this.peers = new Peers(
      trustedProxies.length === 0 ? undefined : new TrustedProxies(trustedProxies),
    );
  }
}
