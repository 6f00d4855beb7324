/**
 * Every event stream of an endpoint: heartbeats, the bound on what waits for a reader, rotation.
 *
 * One queue of deadlines beats all hearts. A reader that takes nothing is found by what its socket
 * still holds, never by a timer of its own.
 */
import type { CloseReason } from '../core/close-reasons.ts';
import type { Limits } from '../core/limits.ts';
import type { Clock, Randomness, Telemetry } from '../core/ports.ts';
import { encodeComment } from '../core/protocol/sse-encoder.ts';
import type { Ticker } from './ticker.ts';

const HEARTBEAT = encodeComment();
/** How often a socket that holds bytes is looked at. */
const STALL_CHECK_MS = 1000;

/** An event stream, as far as keeping it up needs to know. */
export interface OpenConnection {
  readonly isOpen: boolean;
  /** Whether it is renewed when it is old. */
  readonly isLong: boolean;
  readonly kind: string;
  readonly era: string;
  readonly tenant: string;
  readonly openedAt: number;
  readonly writtenAt: number;
  rotateAt: number;
  waitingSince: number | undefined;
  leastQueued: number;
  write(text: string): void;
  lose(reason: CloseReason): void;
  /** A shutdown asks it to end in its own way. */
  drain(): void;
  queuedBytes(): number;
}

export interface ConnectionsPorts {
  readonly clock: Clock;
  readonly random: Randomness;
  readonly telemetry: Telemetry;
  readonly limits: Limits;
  readonly heartbeat: 'comment' | 'off';
}

export class Connections {
  readonly #ports: ConnectionsPorts;
  readonly #open = new Set<OpenConnection>();
  readonly #armHeartbeat: (connection: OpenConnection) => void;
  readonly #armStall: (connection: OpenConnection) => void;
  readonly #perTenant = new Map<string, number>();

  constructor(ports: ConnectionsPorts, ticker: Ticker) {
    this.#ports = ports;
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

  hasRoomFor(tenant: string): boolean {
    return (this.#perTenant.get(tenant) ?? 0) < this.#ports.limits.streamsPerTenantMax;
  }

  all(): readonly OpenConnection[] {
    return [...this.#open];
  }

  opened(connection: OpenConnection): void {
    this.#open.add(connection);
    const { tenant } = connection;
    this.#perTenant.set(tenant, (this.#perTenant.get(tenant) ?? 0) + 1);
    connection.rotateAt =
      this.now() + this.#ports.limits.streamMsMax * (0.8 + 0.2 * this.#ports.random.fraction());
    this.#armHeartbeat(connection);
  }

  closed(connection: OpenConnection, reason: CloseReason): void {
    if (!this.#open.delete(connection)) return;
    const left = (this.#perTenant.get(connection.tenant) ?? 1) - 1;
    if (left === 0) this.#perTenant.delete(connection.tenant);
    else this.#perTenant.set(connection.tenant, left);
    const ageMs = this.now() - connection.openedAt;
    this.#ports.telemetry.streamClosed(connection.era, connection.kind, reason, ageMs);
  }

  /** Bytes wait in the socket: look again until they are gone. */
  waiting(connection: OpenConnection): void {
    if (connection.waitingSince !== undefined) return;
    connection.waitingSince = this.now();
    connection.leastQueued = connection.queuedBytes();
    this.#armStall(connection);
  }

  #beat(connection: OpenConnection, now: number): number | undefined {
    if (!connection.isOpen) return undefined;
    if (connection.isLong && now >= connection.rotateAt) {
      connection.lose('rotated');
      return undefined;
    }
    const { heartbeatMs } = this.#ports.limits;
    if (connection.writtenAt + heartbeatMs > now) return connection.writtenAt;
    if (this.#ports.heartbeat === 'comment') {
      connection.write(HEARTBEAT);
      this.#ports.telemetry.count('heartbeats_total', {});
    }
    return now;
  }

  #check(connection: OpenConnection, now: number): number | undefined {
    if (!connection.isOpen) return undefined;
    const queued = connection.queuedBytes();
    if (queued === 0) {
      connection.waitingSince = undefined;
      return undefined;
    }
    if (queued < connection.leastQueued) {
      connection.leastQueued = queued;
      connection.waitingSince = now;
      return now;
    }
    if (now - (connection.waitingSince ?? now) < this.#ports.limits.stallMsMax) return now;
    connection.lose('stalled');
    return undefined;
  }
}
