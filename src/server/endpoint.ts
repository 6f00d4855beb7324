/**
 * One MCP server on the network: admission, sessions, streams and upstreams of every era, driven by
 * the clock it is given. Knows nothing of sockets or processes.
 */
import type { Refusal } from '../core/errors.ts';
import type { Grant } from '../core/grant.ts';
import type { Limits } from '../core/limits.ts';
import type {
  Application,
  Clock,
  EventLog,
  HttpExchange,
  Identity,
  OpenDoor,
  Principal,
  Randomness,
  RequestHead,
  Seal,
  SessionDirectory,
  Telemetry,
  Upstream,
} from '../core/ports.ts';
import type { ResourceDoor } from '../core/resource-door.ts';
import type { ServedEras } from '../core/protocol/classify.ts';
import type { EndpointForm } from '../core/protocol/eras/http-sse-2024.ts';
import type { Priming } from '../core/protocol/eras/streamable-2025.ts';
import { clientBounds } from '../core/protocol/read-message.ts';
import { HostOriginGuard } from '../core/security/host-origin.ts';
import { metadataAt } from '../core/security/protected-resource.ts';
import { admit } from './admission.ts';
import { AskedIdentity } from './asked-identity.ts';
import { Connections } from './connections.ts';
import type { EndpointContext, Expiring } from './context.ts';
import { doorChallenges } from './door-challenges.ts';
import { drainEndpoint } from './drain.ts';
import { EraDiscovery } from './era-discovery.ts';
import { GuardedAccess } from './guarded/guarded-access.ts';
import { GuardedAudit } from './guarded/guarded-audit.ts';
import { GuardedGate } from './guarded/guarded-gate.ts';
import { guardedServes } from './guarded/guarded-serves.ts';
import { guardedUpstream } from './guarded/guarded-upstream.ts';
import type { Isolation } from './instance-places.ts';
import { InstancePool, type TaskChoice } from './instance-pool.ts';
import { KnownTools } from './known-tools.ts';
import type { LegacySession } from './legacy-session.ts';
import { recordCall } from './record-call.ts';
import { type IsRevoked, Revocations } from './revocations.ts';
import { eachOpenGrant, expireTrust, revokeTrust, verifyAgain } from './revoke-trust.ts';
import { Ticker } from './ticker.ts';
import type { Undecided } from './undecided.ts';
import type { ServedEraChoice } from './upstream-probe.ts';
import { upstreamState, whyNotReady, type UpstreamState } from './upstream-state.ts';
import type { WarrantPorts } from './warrant.ts';

export interface EndpointPorts extends WarrantPorts {
  readonly upstream: Upstream;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly seal: Seal;
  readonly log: EventLog;
  readonly directory: SessionDirectory<LegacySession>;
  readonly telemetry: Telemetry;
}

export interface EndpointSettings {
  /** What the server is called in policies and in the record. Default: the upstream's name. */
  readonly name?: string | undefined;
  readonly limits: Limits;
  readonly isolation: Isolation;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly publicUrl: string | undefined;
  /**
   * What every path begins with: `/name` where many share a listener, whose health is then told by
   * whoever gathers them. Default: nothing.
   */
  readonly prefix?: string;
  readonly endpointForm: EndpointForm;
  readonly priming: Priming;
  readonly heartbeat: 'comment' | 'off';
  /** Whether there is such a server for somebody who was let in. Default: for all. */
  readonly serves?: ((principal: Principal) => boolean) | undefined;
  /** Whether requests go on to servers in this process that decide by the same credential. */
  readonly passesOrigin?: boolean;
  /** Whether clients are told why the upstream cannot be reached. Default false. */
  readonly tellsFaults?: boolean;
  /** Which eras are served, of those that can be. Default `all`. */
  readonly eras?: ServedEraChoice;
  /** Whether tasks are carried across eras. Default `off`. */
  readonly tasks?: TaskChoice;
}

/** What an endpoint holds at this moment, for tests, metrics and status pages. */
export interface EndpointStatus {
  readonly sessions: number;
  readonly streams: number;
  readonly pending: number;
  readonly upstreamInstances: number;
  readonly isDraining: boolean;
  readonly upstream: UpstreamState;
  readonly eras: ServedEras | undefined;
}

/** How often calls are looked over for the longest duration. */
const EXPIRY_CHECK_MS = 1000;

export class Endpoint implements Application, OpenDoor {
  readonly #context: EndpointContext;
  readonly #ports: EndpointPorts;
  readonly #ticker: Ticker;
  readonly #discovery: EraDiscovery;
  #draining: Promise<void> | undefined;

  constructor(ports: EndpointPorts, settings: EndpointSettings) {
    this.#ports = ports;
    this.#ticker = new Ticker(ports.clock);
    this.#context = this.#build(ports, settings);
    this.#discovery = new EraDiscovery(this.#context);
    this.#discovery.probe();
    this.#expireRegularly();
  }

  handle(exchange: HttpExchange): void {
    admit(this.#context, exchange);
  }

  drain(windowMs: number): Promise<void> {
    this.#discovery.stop();
    this.#draining ??= drainEndpoint(this.#context, windowMs).finally(() => this.#ticker.stop());
    return this.#draining;
  }

  /** Takes nothing new, and ends every call in flight now: nobody will know how it went. */
  abandon(): void {
    this.#context.isDraining = true;
    this.#context.pool.close();
  }

  /** Whether this session is its own: to choose between endpoints, and to be told to nobody. */
  hasSession(id: string): boolean {
    return this.#context.directory.has(id);
  }

  /** Whether anybody may call: listeners beyond this machine refuse to serve such an endpoint. */
  get isOpen(): boolean {
    return (this.#ports.identity as Partial<OpenDoor>).isOpen === true;
  }

  get status(): EndpointStatus {
    const { directory, connections, pool, isDraining } = this.#context;
    return {
      sessions: directory.count(),
      streams: connections.size,
      pending: pool.pending,
      upstreamInstances: pool.size,
      isDraining,
      upstream: upstreamState(this.#context),
      eras: this.#discovery.served,
    };
  }

  /**
   * Ends at once every stream, session and call of the credentials that `isRevoked` names. It is
   * asked with a session's principal alone, too: a session is no single credential's. It may be
   * asked later, too, of requests that are on their way now.
   */
  revoke(isRevoked: IsRevoked): void {
    revokeTrust(this.#context, isRevoked);
  }

  /**
   * Ends every stream of the credentials that `isMeant` names, so that their clients come back and
   * are verified afresh. Sessions, and their calls in flight, stay.
   */
  verifyAgain(isMeant: IsRevoked): void {
    verifyAgain(this.#context, isMeant);
  }

  /** Ends streams and calls as if these credentials ended now. It may be asked later, too. */
  expire(isMeant: IsRevoked): void {
    expireTrust(this.#context, isMeant);
  }

  /** Shows the grant of every stream and call that is open, some more than once. */
  eachOpenGrant(see: (grant: Grant) => void): void {
    eachOpenGrant(this.#context, see);
  }

  /** What it says of where its tokens come from, when the path is one of its metadata. */
  metadataAt(path: string): string | undefined {
    return this.#context.metadataAt?.(path);
  }

  /** Gives a server that is down another chance at once. One that is up is left alone. */
  retry(): void {
    const { pool, isDraining } = this.#context;
    if (isDraining || this.status.upstream === 'up') return;
    pool.retry();
    this.#discovery.retry();
  }

  /** Asks the server again for what verdicts need to know of its tools. */
  learn(): void {
    const isNeeded = this.#context.access?.learn !== undefined;
    const isKnown = this.#discovery.served !== undefined;
    if (isNeeded && isKnown && !this.#context.isDraining) this.#discovery.probe();
  }

  /** Resolves with what the upstream speaks, or with the reason it could not be asked. */
  ready(): Promise<ServedEras | Refusal> {
    return new Promise((resolve) => this.#discovery.whenKnown(resolve));
  }

  #build(ports: EndpointPorts, settings: EndpointSettings): EndpointContext {
    const { limits } = settings;
    const { clock, random, telemetry, seal } = ports;
    const { upstream, identity, access, audit, gate, serves } = guarded(ports, settings);
    const ticker = this.#ticker;
    const name = settings.name ?? upstream.name;
    const { heartbeat } = settings;
    const knownTools = access === undefined ? undefined : new KnownTools(access, name);
    const listChanged = knownTools?.listChanged.bind(knownTools);
    // What several servers are merged by runs nothing: their own endpoints count what they start.
    const instanceGate = settings.passesOrigin === true ? undefined : gate;
    const prefix = settings.prefix ?? '';
    const challenges = (head: RequestHead): readonly string[] =>
      doorChallenges(this.#context, head);
    const heart = { clock, random, telemetry, limits, heartbeat, name, audit, gate, challenges };
    return {
      ...ports,
      ...settings,
      name,
      upstream,
      identity,
      access,
      audit,
      gate,
      serves,
      prefix,
      passesOrigin: settings.passesOrigin ?? false,
      whyNotReady: prefix === '' ? () => whyNotReady(this.#context) : undefined,
      metadataAt: (path) => metadataOf(identity, settings, path),
      authorization: () => identity.authorization,
      bounds: clientBounds(limits),
      guard: new HostOriginGuard(settings),
      connections: new Connections(heart, ticker),
      revocations: new Revocations(),
      knownTools,
      pool: new InstancePool(
        { upstream, clock, random, telemetry, limits, seal, gate: instanceGate, listChanged },
        settings.isolation,
        ticker,
        settings.tasks,
      ),
      decideLater: ticker.queue(limits.replyDecisionMs, decide),
      decideLast: ticker.queue(limits.heartbeatMs, decide),
      expireLater: ticker.queue(limits.sessionIdleMs, ({ session }: Expiring, now) =>
        expireSession(session, limits, now),
      ),
      listens: new Set(),
      modernPending: new Map(),
      legacyPending: new Map(),
      modernListens: new Map(),
      recorded: recordCall(clock, telemetry),
      isDraining: false,
      served: () => this.#discovery.known,
      whenKnown: (then) => this.#discovery.whenKnown(then),
    };
  }

  #expireRegularly(): void {
    const arm = this.#ticker.queue(EXPIRY_CHECK_MS, (pool: InstancePool, now) => {
      pool.expire(now);
      return now;
    });
    arm(this.#context.pool);
  }
}

/** What a program may have written itself, so that its failures are nobody's but its own. */
function guarded(
  { upstream, identity, access, audit, gate, clock, telemetry }: EndpointPorts,
  { publicUrl, serves }: EndpointSettings,
): GuardedPorts {
  const sight = { clock, telemetry };
  return {
    upstream: guardedUpstream(upstream, sight),
    identity: new AskedIdentity(identity, publicUrl, sight),
    access: access && GuardedAccess.of(access, sight),
    audit: audit && GuardedAudit.of(audit, sight),
    gate: gate && GuardedGate.of(gate, sight),
    serves: serves && guardedServes(serves, sight),
  };
}

interface GuardedPorts extends Pick<EndpointContext, 'access' | 'audit' | 'gate' | 'serves'> {
  readonly upstream: Upstream;
  readonly identity: AskedIdentity;
}

function decide({ reply }: Undecided): undefined {
  reply?.decide();
}

function metadataOf(
  { authorization }: Partial<ResourceDoor>,
  { publicUrl, prefix = '' }: EndpointSettings,
  path: string,
): string | undefined {
  if (publicUrl === undefined || authorization === undefined) return undefined;
  return metadataAt(path, { publicUrl, prefix, isOnly: prefix === '' }, authorization);
}

/** @returns when it was last active, if it goes on. */
function expireSession(
  session: LegacySession | undefined,
  limits: Limits,
  now: number,
): number | undefined {
  if (session === undefined) return undefined;
  if (now - session.openedAt >= limits.sessionMsMax) session.end('session-expired');
  else if (session.connectionCount > 0 || session.pendingCount > 0) return now;
  else if (now - session.lastSeenAt < limits.sessionIdleMs) return session.lastSeenAt;
  else session.end('session-idle');
  return undefined;
}
