/**
 * Two endpoints in a row with a lossy network between them: the near one is given a new
 * configuration and the far one restarts while calls are on their way.
 */
import { MemoryEventLog } from '../../src/adapters/stores/memory-event-log.ts';
import { MemorySessionDirectory } from '../../src/adapters/stores/memory-session-directory.ts';
import { aesSeal } from '../../src/adapters/system/aes-seal.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/core/limits.ts';
import type { Application, HttpExchange } from '../../src/core/ports.ts';
import type { Outbound } from '../../src/core/outbound.ts';
import { Endpoint } from '../../src/server/endpoint.ts';
import type { LegacySession } from '../../src/server/legacy-session.ts';
import { MemoryNetwork, PERFECT_NETWORK } from '../../src/testing/memory-network.ts';
import type { ScriptedUpstream } from '../../src/testing/scripted-upstream.ts';
import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { HopOutbound } from './hop-outbound.ts';
import { HopUpstream } from './hop-upstream.ts';
import { networkOf } from './scenario.ts';
import type { ApplicationPorts, Subject, Terrain } from './simulate.ts';

/** Something that is wrong with the hop, to see that it is noticed. */
export type HopFault = (outbound: Outbound) => Outbound;

export function twoHops(
  fault: HopFault = (outbound) => outbound,
  kind: 'in-process' | 'stdio' = 'in-process',
): Subject {
  return { kind, create: (ports, random) => new TwoHops(ports, random, fault) };
}

/** In front of a server that never says of which call it speaks. */
export function twoHopsUnmarked(): Subject {
  return twoHops((outbound) => outbound, 'stdio');
}

const ORIGINS = { near: '127.0.0.1:8808', far: 'far.test' };
/** What the old configuration may take to end. */
const RELOAD_MS = 2000;
const AWAY_MS = 3000;

class TwoHops implements Application, Terrain {
  readonly #ports: ApplicationPorts;
  readonly #clock: VirtualClock;
  readonly #upstream: ScriptedUpstream;
  readonly #random: SeededRandom;
  readonly #network: MemoryNetwork;
  readonly #hop: HopOutbound;
  readonly #http: Outbound;
  readonly #farEras: 'all' | 'legacy' | 'modern';
  readonly #url: string;
  readonly #old: Set<Endpoint> = new Set();
  #near: Endpoint;
  #far: Endpoint;
  #isOver = false;

  constructor(ports: ApplicationPorts, random: SeededRandom, fault: HopFault) {
    this.#ports = ports;
    this.#clock = ports.clock as VirtualClock;
    this.#upstream = ports.upstream as ScriptedUpstream;
    this.#random = random;
    this.#network = new MemoryNetwork(this.#clock, random.fork(), networkOf(random));
    this.#farEras = random.pick(['all', 'legacy', 'modern']);
    const path = this.#farEras === 'legacy' && random.chance(0.5) ? '/sse' : '/mcp';
    this.#url = `http://${ORIGINS.far}${path}`;
    this.#hop = new HopOutbound(this.#clock, this.#network, () => this.#far);
    this.#http = fault(this.#hop);
    this.#far = this.#newFar();
    this.#near = this.#newNear(ports);
  }

  /** What is done in a session of the old configuration is still the old one's. */
  handle(exchange: HttpExchange): void {
    const session = sessionOf(exchange);
    const former = [...this.#old].find((each) => session !== undefined && each.hasSession(session));
    (former ?? this.#near).handle(exchange);
  }

  async drain(windowMs: number): Promise<void> {
    this.#isOver = true;
    await this.#near.drain(windowMs / 2);
    await this.#far.drain(windowMs / 2);
  }

  disturb(): void {
    if (this.#isOver) return;
    const what = this.#random.weighted({ nothing: 8, cut: 3, restart: 1, reload: 1, away: 1 });
    if (what === 'cut') this.#hop.cut();
    else if (what === 'restart') this.#restart();
    else if (what === 'reload') this.#reload();
    else if (what === 'away') this.#goAway();
  }

  heal(): void {
    this.#network.conditions = PERFECT_NETWORK;
    this.#hop.isDown = false;
  }

  get violations(): readonly string[] {
    return this.#network.violations.map((violation) => `far: ${violation}`);
  }

  leaks(): Readonly<Record<string, number>> {
    const { sessions, pending } = this.#far.status;
    return { 'sessions at the far end': sessions, 'calls at the far end': pending };
  }

  /** The far machine dies and comes back without a memory. */
  #restart(): void {
    const former = this.#far;
    void former.drain(0);
    for (const connection of this.#upstream.live) connection.crash();
    this.#far = this.#newFar();
    this.#hop.cut();
  }

  #reload(): void {
    const former = this.#near;
    this.#old.add(former);
    void former.drain(RELOAD_MS).then(() => this.#old.delete(former));
    const { limits } = this.#ports;
    this.#near = this.#newNear({ ...this.#ports, ...storesOf(limits) });
  }

  #goAway(): void {
    this.#hop.isDown = true;
    this.#hop.cut();
    this.#clock.after(this.#random.int(1, AWAY_MS), () => {
      this.#hop.isDown = false;
    });
  }

  #newNear({ limits, isolation, ...ports }: ApplicationPorts): Endpoint {
    const { clock, random, telemetry } = ports;
    const upstream = new HopUpstream({
      url: this.#url,
      http: this.#http,
      clock,
      random,
      telemetry,
    });
    return new Endpoint(
      { ...ports, upstream, seal: aesSeal() },
      { ...SETTINGS, limits, isolation, allowedHosts: [ORIGINS.near], eras: 'all' },
    );
  }

  #newFar(): Endpoint {
    const { identity, random, telemetry, clock, limits } = this.#ports;
    const roomy = roomFor(limits);
    return new Endpoint(
      {
        ...storesOf(roomy),
        identity,
        random,
        telemetry,
        clock,
        upstream: this.#upstream,
        seal: aesSeal(),
      },
      {
        ...SETTINGS,
        limits: roomy,
        isolation: 'session',
        allowedHosts: [ORIGINS.far],
        eras: this.#farEras,
      },
    );
  }
}

const SETTINGS = {
  allowedOrigins: [],
  publicUrl: undefined,
  endpointForm: 'relative',
  priming: 'auto',
  heartbeat: 'comment',
} as const;

/** The gate is one client of the far end, whoever calls it: it times out as we do, but has room. */
function roomFor(limits: Limits): Limits {
  const { heartbeatMs, retryMs, stallMsMax, streamMsMax, sessionIdleMs } = limits;
  const { callMsMax, parkedMsMax, upstreamIdleMs, sessionMsMax } = limits;
  const times = { heartbeatMs, retryMs, stallMsMax, streamMsMax, sessionIdleMs };
  return { ...DEFAULT_LIMITS, ...times, callMsMax, parkedMsMax, upstreamIdleMs, sessionMsMax };
}

function storesOf(limits: Limits): Pick<ApplicationPorts, 'log' | 'directory'> {
  const directory = new MemorySessionDirectory<LegacySession>(limits);
  return { log: new MemoryEventLog(limits), directory };
}

function sessionOf({ head }: HttpExchange): string | undefined {
  return head.header('mcp-session-id') ?? /(?:^|&)sessionId=([^&]+)/.exec(head.query)?.[1];
}
