/** What the exchanges of one handler share: its bounds, and what is known of its connections. */
import type { ServerResponse } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { boundsWith } from '../../core/bounds-with.ts';
import type { CloseReason } from '../../core/close-reasons.ts';
import { guardedSight } from '../../core/guarded-telemetry.ts';
import { checkOptions, having, oneOf, type OptionKinds, texts } from '../../core/option-kinds.ts';
import type { Telemetry } from '../../core/ports.ts';
import { CertifiedConnections } from './certified-connections.ts';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { ForwardedHeader } from './forwarded-hops.ts';
import { Peers } from './peers.ts';
import { Pipeline } from './pipeline.ts';
import { H1Backlog } from './h1-backlog.ts';
import { SharedBytes } from './shared-bytes.ts';
import { TrustedProxies } from './trusted-proxies.ts';
import { LITTLE_BYTES, UnsentBytes } from './unsent-bytes.ts';
import { WaitingLine } from './waiting-line.ts';

type Sight = Pick<Telemetry, 'log' | 'count'>;

export interface ContextOptions {
  readonly limits?: Partial<ConnectionLimits> | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
  readonly forwardedHeader?: ForwardedHeader | undefined;
  readonly telemetry?: Sight | undefined;
}

const KINDS: OptionKinds = {
  trustedProxies: texts,
  forwardedHeader: oneOf('forwarded', 'x-forwarded-for'),
  telemetry: having('log', 'count'),
};

const UNSEEN: Sight = { log() {}, count() {} };

export class NodeContext {
  readonly limits: ConnectionLimits;
  /** Connections with a reply begun but not ended: nothing else may be written to them. */
  readonly replying: WeakSet<Socket> = new WeakSet();
  /** Replies that were written while their request still comes: they end their connection. */
  readonly answered: WeakSet<ServerResponse> = new WeakSet();
  /** Of connections on which a request came before the reply to the one before it was over. */
  readonly pipelines: WeakMap<Socket, Pipeline> = new WeakMap();
  /** Connections of long streams, which `node:http` no longer knows. */
  readonly detached: Set<Socket> = new Set();
  /** Connections whose reply is a long stream that `node:http` still knows. */
  readonly occupied: WeakSet<Socket> = new WeakSet();
  /** Connections of HTTP/2, which `node:https` does not know, with their sockets. */
  readonly sessions: Map<ServerHttp2Session, Socket> = new Map();
  /** Why connections were cut that did not end by themselves; whoever is told of an end is told. */
  readonly cuts: WeakMap<Socket, CloseReason> = new WeakMap();
  readonly certified: CertifiedConnections = new CertifiedConnections(this.cuts);
  readonly peers: Peers;
  readonly sharedBytes: SharedBytes = new SharedBytes();
  readonly line: WaitingLine = new WaitingLine();
  readonly unsent: UnsentBytes;
  /** Of connections on which more waited than little. */
  readonly #backlogs: WeakMap<Socket, H1Backlog> = new WeakMap();
  readonly sight: Sight;
  /** Replies ask their clients to leave. */
  isClosing = false;

  /** @throws TypeError for an option of the wrong kind, and proxies that nobody can be told by. */
  constructor(options: ContextOptions) {
    checkOptions(options, KINDS);
    this.limits = boundsWith(DEFAULT_CONNECTION_LIMITS, options.limits, 0);
    this.sight = options.telemetry === undefined ? UNSEEN : guardedSight(options.telemetry);
    this.peers = new Peers(trustedBy(options));
    this.unsent = new UnsentBytes(this.limits, (connections, bytes) => {
      this.sight.log('warn', 'unread_connections_cut', { connections, bytes });
    });
  }

  /** Where requests of a connection wait; begun with the first that does. */
  pipelineOf(socket: Socket): Pipeline {
    const begun = this.pipelines.get(socket);
    if (begun !== undefined) return begun;
    const pipeline = new Pipeline(socket, this.limits, () => {
      this.cuts.set(socket, 'flooding');
      this.sight.count('http1_connections_cut_total', { reason: 'pipelined' });
    });
    this.pipelines.set(socket, pipeline);
    return pipeline;
  }

  /** So much was written into a reply of `node:http`. */
  wroteReply({ req, writableLength }: ServerResponse, bytes: number): void {
    const isMuch = writableLength > LITTLE_BYTES && req.httpVersionMajor === 1;
    if (isMuch) this.unsent.add(this.#backlogOf(req.socket), bytes);
  }

  /** The same, of a connection that `node:http` no longer knows. */
  wroteOn(socket: Socket, bytes: number): void {
    if (socket.writableLength > LITTLE_BYTES) this.unsent.add(this.#backlogOf(socket), bytes);
  }

  #backlogOf(socket: Socket): H1Backlog {
    const begun = this.#backlogs.get(socket);
    if (begun !== undefined) return begun;
    const backlog = new H1Backlog(socket, this.unsent, this.pipelines, () => {
      this.cuts.set(socket, 'unread');
      this.sight.count('http1_connections_cut_total', { reason: 'unread' });
    });
    this.#backlogs.set(socket, backlog);
    return backlog;
  }
}

function trustedBy(options: ContextOptions): TrustedProxies | undefined {
  const { trustedProxies = [], forwardedHeader } = options;
  if (trustedProxies.length > 0) return new TrustedProxies(trustedProxies, forwardedHeader);
  if (forwardedHeader === undefined) return undefined;
  throw new TypeError('forwardedHeader needs trustedProxies: nobody else is believed');
}
