/**
 * Every event stream of an endpoint: heartbeats, the bound on what waits for a reader, rotation.
 *
 * One queue of deadlines beats all hearts. A reader that takes nothing is found by what its socket
 * still holds, never by a timer of its own.
 */
import type { AuditTrail } from '../core/access.ts';
import { Bag, type Bagged } from '../core/bag.ts';
import type { CloseReason } from '../core/close-reasons.ts';
import type { Limits } from '../core/limits.ts';
import type { Refusal } from '../core/errors.ts';
import type { Gate, Visitor } from '../core/gate.ts';
import type { Grant } from '../core/grant.ts';
import type { Clock, Principal, Randomness, RequestHead, Telemetry } from '../core/ports.ts';
import { encodeComment } from '../core/protocol/sse-encoder.ts';
import type { Ticker } from './ticker.ts';
import { TrustDeadlines } from './trust-deadlines.ts';

const HEARTBEAT = encodeComment();
/** How often a socket that holds bytes is looked at. */
const STALL_CHECK_MS = 1000;
/** How much earlier than its credential a stream may end, so that not all come back at once. */
const EXPIRY_JITTER_MS = 30_000;

/** An event stream, as far as keeping it up needs to know. */
export interface OpenConnection extends Bagged {
  readonly isOpen: boolean;
  /** Whether it is renewed when it is old. */
  readonly isLong: boolean;
  readonly kind: string;
  readonly era: string;
  readonly principal: Principal;
  readonly grant: Grant;
  /** The peer's. */
  readonly address: string;
  /** Whether it began in this process, where it is counted and recorded already. */
  readonly isInner: boolean;
  readonly openedAt: number;
  readonly writtenAt: number;
  /** When it ends for its credential's sake. */
  readonly trustedUntil: number;
  rotateAt: number;
  waitingSince: number | undefined;
  /** What `taken` said when it was looked at last. */
  takenBytes: number;
  write(text: string): void;
  lose(reason: CloseReason): void;
  /** Its credential is over, or about to be. */
  expire(): void;
  /** Its credential is not believed any more. */
  revoke(): void;
  /** A shutdown asks it to end in its own way. */
  drain(): void;
  /** A shutdown waits no longer. */
  cease(): void;
  queuedBytes(): number;
  /** Bytes taken of what waits, from any beginning. */
  taken(): number;
  /** Whether nobody could take anything of it yet. */
  isBehind(): boolean;
}

export interface ConnectionsPorts {
  readonly clock: Clock;
  readonly random: Randomness;
  readonly telemetry: Telemetry;
  readonly limits: Limits;
  readonly heartbeat: 'comment' | 'off';
  /** What the server is called in the record. */
  readonly name: string;
  readonly audit?: AuditTrail | undefined;
  readonly gate?: Gate | undefined;
  /** What is said with a 401 of how to come in. */
  readonly challenges: (head: RequestHead) => readonly string[];
}

export class Connections {
  readonly #ports: ConnectionsPorts;
  readonly #open = new Bag<OpenConnection>();
  readonly #armHeartbeat: (connection: OpenConnection) => void;
  readonly #armStall: (connection: OpenConnection) => void;
  readonly #perTenant = new Map<string, number>();
  /** Those that have a place at the gate. */
  readonly #held = new Set<OpenConnection>();
  readonly #undecided = new Bag<OpenConnection>();
  readonly #trust: TrustDeadlines;

  constructor(ports: ConnectionsPorts, ticker: Ticker) {
    this.#ports = ports;
    this.#trust = new TrustDeadlines(ports.clock, ticker);
    this.#armHeartbeat = ticker.queue(ports.limits.heartbeatMs, (item: OpenConnection, now) =>
      this.#beat(item, now),
    );
    this.#armStall = ticker.queue(STALL_CHECK_MS, (item: OpenConnection, now) =>
      this.#check(item, now),
    );
  }

  get size(): number {
    return this.#open.size;
  }

  now(): number {
    return this.#ports.clock.now();
  }

  get queueBytesMax(): number {
    return this.#ports.limits.streamQueueBytesMax;
  }

  /** Jittered, so that clients that were cut together do not come back together. */
  retryMs(): number {
    return Math.round(this.#ports.limits.retryMs * (0.5 + this.#ports.random.fraction()));
  }

  /** What whoever waits is told with a 401. */
  challenges(head: RequestHead): readonly string[] {
    return this.#ports.challenges(head);
  }

  /** Why one more stream may not be opened. */
  refusal(visitor: Visitor): Refusal | undefined {
    const open = this.#perTenant.get(visitor.principal.tenant) ?? 0;
    if (open >= this.#ports.limits.streamsPerTenantMax) return { error: 'TOO_MANY_STREAMS' };
    return this.#ports.gate?.full(visitor, 'stream');
  }

  /** Whoever waits for a reply that is neither JSON nor a stream yet. */
  undecided(): readonly OpenConnection[] {
    return this.#undecided.all();
  }

  /** A stream has its place before it is open: however many wait for that, none is too many. */
  began(connection: OpenConnection): void {
    this.#undecided.add(connection);
    this.#hold(connection);
  }

  /** @param isOpening - whether it becomes an event stream, which keeps its place. */
  decided(connection: OpenConnection, isOpening: boolean): void {
    this.#undecided.delete(connection);
    if (!isOpening) this.#giveBack(connection);
  }

  /**
   * Streams end before their credential, not all in the same moment; the reply to a request that
   * was allowed has a while to finish.
   */
  trustedUntil({ kind, grant }: OpenConnection): number {
    const { expiresAt } = grant;
    if (expiresAt === Infinity) return Infinity;
    if (kind === 'reply') return expiresAt + this.#ports.limits.expiredCallMsMax;
    const leftMs = Math.max(0, expiresAt - this.now());
    return expiresAt - Math.min(EXPIRY_JITTER_MS, leftMs / 10) * this.#ports.random.fraction();
  }

  all(): readonly OpenConnection[] {
    return this.#open.all();
  }

  /** @returns whether it may stay: a reader that replaced another may find no place here. */
  opened(connection: OpenConnection): boolean {
    this.#open.add(connection);
    this.#trust.add(connection);
    this.#record('connected', connection);
    const { tenant } = connection.principal;
    this.#perTenant.set(tenant, (this.#perTenant.get(tenant) ?? 0) + 1);
    connection.rotateAt =
      this.now() + this.#ports.limits.streamMsMax * (0.8 + 0.2 * this.#ports.random.fraction());
    this.#armHeartbeat(connection);
    return this.#held.has(connection) || this.#hold(connection);
  }

  closed(connection: OpenConnection, reason: CloseReason): void {
    if (!this.left(connection)) return;
    this.#record('disconnected', connection, reason);
    const ageMs = this.now() - connection.openedAt;
    this.#ports.telemetry.streamClosed(connection.era, connection.kind, reason, ageMs);
  }

  beat(connection: OpenConnection): void {
    if (this.#ports.heartbeat === 'off') return;
    connection.write(HEARTBEAT);
    this.#ports.telemetry.count('heartbeats_total', {});
  }

  /** It is not among the open ones any more. @returns whether it was. */
  left(connection: OpenConnection): boolean {
    if (!this.#open.delete(connection)) return false;
    this.#trust.delete(connection);
    this.#giveBack(connection);
    const { tenant } = connection.principal;
    const left = (this.#perTenant.get(tenant) ?? 1) - 1;
    if (left === 0) this.#perTenant.delete(tenant);
    else this.#perTenant.set(tenant, left);
    return true;
  }

  /** What is written to somebody is on their account, whatever it is and whoever asked for it. */
  sent(connection: OpenConnection, chars: number): void {
    const { gate } = this.#ports;
    if (gate === undefined || connection.isInner || chars === 0) return;
    gate.spend(this.#visitorOf(connection), chars);
  }

  /** Bytes wait in the socket: look again until they are gone. */
  waiting(connection: OpenConnection): void {
    if (connection.waitingSince !== undefined) return;
    connection.waitingSince = this.now();
    connection.takenBytes = connection.taken();
    this.#armStall(connection);
  }

  #giveBack(connection: OpenConnection): void {
    if (!this.#held.delete(connection)) return;
    this.#ports.gate?.giveBack(this.#visitorOf(connection), 'stream');
  }

  /**
   * A reader that comes back begins before the one it replaces gives its place up: it may find none
   * until it is opened.
   * @returns false when there is none.
   */
  #hold(connection: OpenConnection): boolean {
    const { gate } = this.#ports;
    if (gate === undefined || connection.isInner || connection.kind === 'reply') return true;
    const isTaken = gate.take(this.#visitorOf(connection), 'stream') === undefined;
    if (isTaken) this.#held.add(connection);
    return isTaken;
  }

  #visitorOf({ address, principal }: OpenConnection): Visitor {
    return { address, principal, server: this.#ports.name };
  }

  /** Streams of their own; the reply to a call is on the record with its call. */
  #record(
    event: 'connected' | 'disconnected',
    { kind, era, principal, grant, address, isInner, openedAt }: OpenConnection,
    outcome?: CloseReason,
  ): void {
    const { audit, name: server } = this.#ports;
    if (audit === undefined || isInner || kind === 'reply') return;
    const durationMs = outcome === undefined ? undefined : Math.round(this.now() - openedAt);
    const { credentialId } = grant;
    audit.record({ event, server, era, principal, credentialId, address, outcome, durationMs });
  }

  #beat(connection: OpenConnection, now: number): number | undefined {
    if (!connection.isOpen) return undefined;
    if (connection.isLong && now >= connection.rotateAt) {
      connection.lose('rotated');
      return undefined;
    }
    const { heartbeatMs } = this.#ports.limits;
    if (connection.writtenAt + heartbeatMs > now) return connection.writtenAt;
    this.beat(connection);
    return now;
  }

  #check(connection: OpenConnection, now: number): number | undefined {
    if (!connection.isOpen) return undefined;
    if (connection.queuedBytes() === 0) {
      connection.waitingSince = undefined;
      return undefined;
    }
    // What waits need not get less: as much may come as is taken.
    const takenBytes = connection.taken();
    if (takenBytes > connection.takenBytes || connection.isBehind()) {
      connection.takenBytes = takenBytes;
      connection.waitingSince = now;
      return now;
    }
    if (now - (connection.waitingSince ?? now) < this.#ports.limits.stallMsMax) return now;
    connection.lose('stalled');
    return undefined;
  }
}
