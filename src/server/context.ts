/** What every route of one endpoint shares. */
import type { Refusal } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import type {
  Clock,
  EventLog,
  Identity,
  Principal,
  Randomness,
  SessionDirectory,
  Telemetry,
  Upstream,
} from '../core/ports.ts';
import type { AuthorizationFacts } from '../core/resource-door.ts';
import type { EndpointForm } from '../core/protocol/eras/http-sse-2024.ts';
import type { Priming } from '../core/protocol/eras/streamable-2025.ts';
import type { ServedEras } from '../core/protocol/classify.ts';
import type { JsonBounds } from '../core/protocol/json-tokens.ts';
import type { HostOriginGuard } from '../core/security/host-origin.ts';
import type { Connections } from './connections.ts';
import type { InstancePool } from './instance-pool.ts';
import type { KnownTools } from './known-tools.ts';
import type { RecordCall } from './record-call.ts';
import type { LegacySession } from './legacy-session.ts';
import type { ListenStream } from './listen-stream.ts';
import type { Revocations } from './revocations.ts';
import type { Undecided } from './undecided.ts';
import type { ServedEraChoice } from './upstream-probe.ts';
import type { WarrantPorts } from './warrant.ts';

/** A session's place in the queue of those to look at; empty once it ended, so that it can go. */
export interface Expiring {
  session: LegacySession | undefined;
}

export interface EndpointContext extends WarrantPorts {
  /** What the server is called in policies and in the record. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly telemetry: Telemetry;
  readonly limits: Limits;
  readonly bounds: JsonBounds;
  readonly identity: Identity;
  readonly guard: HostOriginGuard;
  readonly upstream: Upstream;
  readonly log: EventLog;
  readonly directory: SessionDirectory<LegacySession>;
  readonly connections: Connections;
  readonly revocations: Revocations;
  /** Absent where nobody decides. */
  readonly knownTools?: KnownTools | undefined;
  readonly pool: InstancePool;
  readonly endpointForm: EndpointForm;
  readonly priming: Priming;
  readonly publicUrl: string | undefined;
  /** What every path begins with; empty, or `/name`. */
  readonly prefix: string;
  /** For `/readyz`; absent behind a prefix, where health is not this endpoint's to tell. */
  readonly whyNotReady?: (() => string | undefined) | undefined;
  /** What is told to whoever needs a token. */
  readonly metadataAt?: ((path: string) => string | undefined) | undefined;
  /** Where tokens come from; undefined while nobody else's are taken. */
  readonly authorization: () => AuthorizationFacts | undefined;
  /** Why there is no such server for somebody; undefined: there is, for all. */
  readonly serves?: ((principal: Principal) => Refusal | undefined) | undefined;
  /** Whether requests go on to servers in this process, which decide by the same credential. */
  readonly passesOrigin: boolean;
  /** Whether clients are told why the upstream cannot be reached. */
  readonly tellsFaults?: boolean;
  readonly eras?: ServedEraChoice;
  /** Arm the decision between JSON and a stream. */
  readonly decideLater: (undecided: Undecided) => void;
  /**
   * Arm the same for a call that waits to be let in: a refusal needs its status and its challenge,
   * which a stream has no more, but no network is kept silent for longer than between heartbeats.
   */
  readonly decideLast: (undecided: Undecided) => void;
  /** Arms the check for an idle session. */
  readonly expireLater: (expiring: Expiring) => void;
  readonly listens: Set<ListenStream>;
  /** Requests of 2026 in flight, and listens open, by principal key. */
  readonly modernPending: Map<string, number>;
  readonly modernListens: Map<string, number>;
  /** Requests in flight of 2024 and 2025 sessions, by principal key. */
  readonly legacyPending: Map<string, number>;
  readonly recorded: RecordCall;
  isDraining: boolean;
  /** What the upstream speaks, or why it is not known; undefined while it is being asked. */
  readonly served: () => ServedEras | Refusal | undefined;
  /** Calls back with what the upstream speaks once that is known, or with why it is not. */
  readonly whenKnown: (then: (served: ServedEras | Refusal) => void) => void;
}

/** One more of a principal's; false when it has as many as it may. */
export function countUp(counts: Map<string, number>, { key }: Principal, max: number): boolean {
  const count = counts.get(key) ?? 0;
  if (count >= max) return false;
  counts.set(key, count + 1);
  return true;
}

export function countDown(counts: Map<string, number>, { key }: Principal): void {
  const count = counts.get(key) ?? 0;
  if (count <= 1) counts.delete(key);
  else counts.set(key, count - 1);
}
