/**
 * One run from one seed: an application, its upstream, clients of all eras and a lossy network on
 * virtual time; then quiet, then everything must be accounted for and nothing may be left.
 */
import { MemoryEventLog } from '../../src/adapters/stores/memory-event-log.ts';
import { MemorySessionDirectory } from '../../src/adapters/stores/memory-session-directory.ts';
import type { Application, Identity, RequestHead, Telemetry } from '../../src/core/ports.ts';
import type { Limits } from '../../src/core/limits.ts';
import { principalOf } from '../../src/core/principal.ts';
import type { EndpointPorts } from '../../src/server/endpoint.ts';
import type { LegacySession } from '../../src/server/legacy-session.ts';
import { Ledger } from '../../src/testing/ledger.ts';
import { MemoryNetwork, PERFECT_NETWORK } from '../../src/testing/memory-network.ts';
import { ScriptedUpstream } from '../../src/testing/scripted-upstream.ts';
import { SeededRandom } from '../../src/testing/seeded-random.ts';
import { SimClient2024 } from '../../src/testing/sim-client-2024.ts';
import { SimClient2025 } from '../../src/testing/sim-client-2025.ts';
import { SimClient2026 } from '../../src/testing/sim-client-2026.ts';
import type { SimClient, SimWorld } from '../../src/testing/sim-client.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Places } from './places.ts';
import { scenarioOf, type Era, type Isolation, type Scenario } from './scenario.ts';

/** Everything an application is made of, and nothing else. */
export interface ApplicationPorts extends Omit<EndpointPorts, 'seal'> {
  readonly limits: Limits;
  readonly isolation: Isolation;
}

/** What lies between an application and its upstream, where there is anything. */
export interface Terrain {
  /** Does one thing that may happen there, or nothing. */
  disturb(): void;
  /** From now on nothing goes wrong. */
  heal(): void;
  readonly violations: readonly string[];
  /** What must have come to nothing when everyone has gone. */
  leaks(): Readonly<Record<string, number>>;
}

export interface Subject {
  /** What the upstream must be; default: whatever the scenario says. */
  readonly kind?: 'stdio' | 'in-process';
  /** @param random - for what happens in between. */
  create(ports: ApplicationPorts, random: SeededRandom): Application & Partial<Terrain>;
}

export interface RunResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  readonly scenario: Scenario;
}

/** Timers of one deadline queue fire together; a stall is looked for this often. */
const SLACK_MS = 100;
const STALL_CHECK_MS = 1000;

const CLIENTS = { '2024': SimClient2024, '2025': SimClient2025, '2026': SimClient2026 };

export async function simulate(
  seed: number,
  isolation: Isolation,
  subject: Subject,
): Promise<RunResult> {
  const run = new Run(seed, isolation, subject);
  try {
    await run.play();
  } catch (error) {
    run.ledger.violate('run', error instanceof Error ? (error.stack ?? '') : String(error));
  }
  return run.result();
}

class Run {
  readonly ledger: Ledger;
  readonly #seed: number;
  readonly #scenario: Scenario;
  readonly #clock = new VirtualClock();
  readonly #random: SeededRandom;
  readonly #network: MemoryNetwork;
  readonly #upstream: ScriptedUpstream;
  readonly #log: MemoryEventLog;
  readonly #directory: MemorySessionDirectory<LegacySession>;
  readonly #places = new Places();
  readonly #application: Application & Partial<Terrain>;
  readonly #clients: readonly SimClient[];
  #sessionsMost = 0;

  constructor(seed: number, isolation: Isolation, subject: Subject) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.#scenario = scenarioOf(this.#random.fork(), isolation);
    const { limits, upstream, network, clients, steps, endings, maySessionsEnd } = this.#scenario;
    const clock = this.#clock;
    this.ledger = new Ledger(clock);
    this.#network = new MemoryNetwork(clock, this.#random.fork(), network);
    this.#upstream = new ScriptedUpstream(clock, this.#random.fork(), {
      ...upstream,
      ...(subject.kind !== undefined && { kind: subject.kind }),
    });
    this.#log = new MemoryEventLog(limits);
    this.#directory = new MemorySessionDirectory<LegacySession>(limits);
    const ports: ApplicationPorts = {
      gate: this.#places,
      clock,
      random: this.#random.fork(),
      upstream: this.#upstream,
      log: this.#log,
      directory: this.#directory,
      identity: BEARER_NAMES,
      telemetry: strictTelemetry(this.ledger),
      limits,
      isolation,
    };
    this.#application = subject.create(ports, new SeededRandom(seed));
    const world: SimWorld = {
      clock,
      network: this.#network,
      application: this.#application,
      ledger: this.ledger,
      sessions: [],
      steps,
      endings,
      maySessionsEnd: maySessionsEnd || this.#hasTerrain,
      mayChangesRepeat: this.#hasTerrain,
    };
    this.#clients = clients.map(({ era, principal }, index) => {
      const identity = { name: nameOf(era, principal, index), token: principal };
      return new CLIENTS[era](world, identity, this.#random.fork());
    });
  }

  async play(): Promise<void> {
    for (const client of this.#clients) client.start();
    this.#think();
    // Whoever is in between does some things in promises, which get their turn between steps.
    await this.#pass(this.#scenario.busyMs, this.#hasTerrain ? 100 : 1000);
    if (this.#scenario.isDrained) await this.#drain(6000);
    else {
      await this.#settle();
      await this.#leave();
      await this.#drain(1000);
    }
    this.#checkEnd();
  }

  result(): RunResult {
    return {
      seed: this.#seed,
      violations: this.ledger.violations,
      trace: this.ledger.trace(),
      counts: this.ledger.counts,
      scenario: this.#scenario,
    };
  }

  /** Clients and the world do things at random until the busy time is over. */
  #think(): void {
    const random = this.#random;
    const until = this.#scenario.busyMs;
    for (const client of this.#clients) {
      const next = (): void => {
        if (this.#clock.now() > until) return;
        client.act();
        this.#checkBounds();
        this.#clock.after(random.int(1, 2 * this.#scenario.thinkMs), next);
      };
      this.#clock.after(random.int(1, 500), next);
    }
    const disturb = (): void => {
      if (this.#clock.now() > until) return;
      this.#disturb();
      this.#clock.after(random.int(50, 1500), disturb);
    };
    this.#clock.after(500, disturb);
  }

  /** Whether more than the upstream may end what it began. */
  get #hasTerrain(): boolean {
    return this.#application.disturb !== undefined;
  }

  #disturb(): void {
    this.#application.disturb?.();
    const { live } = this.#upstream;
    if (live.length === 0) return;
    const connection = this.#random.pick(live);
    const what = this.#random.weighted({ tools: 5, resource: 8, end: 1 });
    if (what === 'tools') connection.announceTools();
    else if (what === 'resource') connection.announceResource();
    else connection.endListen();
  }

  /** The network heals and clients fetch what is theirs: every call must come to its end. */
  async #settle(): Promise<void> {
    this.#network.conditions = PERFECT_NETWORK;
    this.#application.heal?.();
    for (const client of this.#clients) client.settle();
    // Half-open connections hold their places under the bounds until the kernel finds them.
    await this.#pass(this.#scenario.limits.callMsMax + PERFECT_NETWORK.halfOpenMs + 20_000);
    for (const client of this.#clients) {
      for (const call of client.calls.waiting) {
        this.ledger.violate(client.name, `call ${call.number} never ended: ${call.what}`);
      }
    }
  }

  /** Clients go away for good; what they leave behind must be cleaned up in time. */
  async #leave(): Promise<void> {
    for (const client of this.#clients) client.stop();
    const { limits } = this.#scenario;
    const idleMs = limits.sessionIdleMs + limits.streamMsMax + limits.upstreamIdleMs + 120_000;
    await this.#pass(this.#hasTerrain ? 2 * idleMs : idleMs);
    const counts = {
      sessions: this.#directory.count(),
      events: this.#log.size().events,
      exchanges: this.#network.heldByServer().length,
      // A shared upstream keeps its state for as long as the endpoint lives: one a handshake.
      upstreams: this.#upstream.live.length - (this.#scenario.isolation === 'shared' ? 2 : 0),
      ...this.#application.leaks?.(),
      ...this.#places.taken(['stream', 'session', 'call']),
    };
    for (const [what, left] of Object.entries(counts)) {
      if (left > 0) this.ledger.violate('leak', `${left} ${what} are left after everyone went`);
    }
  }

  async #drain(windowMs: number): Promise<void> {
    let isDrained = false;
    this.ledger.note('run', 'drain');
    void this.#application.drain(windowMs).then(() => (isDrained = true));
    await this.#pass(windowMs + 2000, 50);
    if (!isDrained) this.ledger.violate('drain', 'did not resolve within its window');
    await this.#pass(5000);
    for (const exchange of this.#network.heldByServer()) {
      const { method, path } = exchange.request;
      this.ledger.violate('drain', `${method} ${path} is still open`);
    }
    for (const [what, left] of Object.entries(this.#places.taken())) {
      if (left > 0) this.ledger.violate('drain', `${left} ${what} are left`);
    }
    const { live } = this.#upstream;
    if (live.length > 0) this.ledger.violate('drain', `${live.length} upstreams are left`);
    for (const client of this.#clients) client.stop();
    if (!this.#clock.runUntilIdle(200_000)) {
      this.ledger.violate('drain', 'timers are left that arm themselves again');
    }
  }

  #checkBounds(): void {
    const { limits } = this.#scenario;
    const sessions = this.#directory.count();
    const { events, chars } = this.#log.size();
    this.#checkStreams();
    this.#sessionsMost = Math.max(this.#sessionsMost, sessions);
    if (events > limits.logEventsMax * this.#sessionsMost) {
      this.ledger.violate('bounds', `${events} events in the log of ${sessions} sessions`);
    }
    if (chars > limits.logBytesMax * this.#sessionsMost) {
      this.ledger.violate('bounds', `${chars} characters in the log of ${sessions} sessions`);
    }
    // Two more while it is asked which eras it speaks.
    const instances = this.#upstream.live.filter((connection) => !connection.isClosing).length;
    if (instances > limits.upstreamInstancesMax + 2 && !this.#hasTerrain) {
      this.ledger.violate('bounds', `${instances} upstreams`);
    }
  }

  /** Nobody is left in silence, and nobody who does not read is kept. */
  #checkStreams(): void {
    const { heartbeatMs, stallMsMax } = this.#scenario.limits;
    for (const exchange of this.#network.heldByServer()) {
      const { method, path } = exchange.request;
      if (exchange.silentMs > heartbeatMs + SLACK_MS) {
        this.ledger.violate('server', `${method} ${path} was silent for ${exchange.silentMs} ms`);
      }
      if (exchange.stuckMs > stallMsMax + STALL_CHECK_MS + SLACK_MS) {
        this.ledger.violate('server', `${method} ${path} was stuck for ${exchange.stuckMs} ms`);
      }
    }
  }

  #checkEnd(): void {
    const { violations, queuePeakBytes } = this.#network;
    for (const violation of this.#application.violations ?? []) {
      this.ledger.violate('server', violation);
    }
    const bound = this.#scenario.limits.streamQueueBytesMax;
    if (queuePeakBytes > bound) {
      this.ledger.violate('bounds', `${queuePeakBytes} bytes waited in a stream, bound ${bound}`);
    }
    for (const violation of violations) this.ledger.violate('server', violation);
    for (const violation of this.#upstream.violations) this.ledger.violate('server', violation);
  }

  /** Lets time pass; promises get their turn between steps. */
  async #pass(ms: number, stepMs = 1000): Promise<void> {
    const until = this.#clock.now() + ms;
    while (this.#clock.now() < until) {
      this.#clock.advance(Math.min(stepMs, until - this.#clock.now()));
      await Promise.resolve();
    }
  }
}

function nameOf(era: Era, principal: string, index: number): string {
  return `${principal[0]}${index}-${era.slice(2)}`;
}

/** Believes what the bearer token says. */
const BEARER_NAMES: Identity = {
  verify: (head: RequestHead, done) => {
    const token = head.header('authorization')?.replace('Bearer ', '');
    if (token === undefined) done({ kind: 'refused', refusal: { error: 'UNAUTHORIZED' } });
    else {
      const facts = { tenant: 'acme', issuer: 'test', subject: token, clientId: 'sim' };
      done({ kind: 'principal', principal: principalOf(facts) });
    }
  },
};

/** Nothing that is seen of us may hold what clients say. */
function strictTelemetry(ledger: Ledger): Telemetry {
  const look = (fields: object): void => {
    const text = JSON.stringify(fields);
    if (text.includes('~c:')) ledger.violate('telemetry', `shows a client's text: ${text}`);
  };
  return {
    log: (level, event, fields) => {
      look(fields);
      ledger.note('log', `${level} ${event} ${JSON.stringify(fields)}`);
    },
    count: (_, labels) => look(labels),
    request: (_era, _method, outcome) => ledger.count(`telemetry ${outcome}`),
    streamClosed: (_era, _kind, reason) => ledger.count(`closed ${reason}`),
  };
}

/** A failing run in the words a person needs to reproduce it. */
export function describeFailure(result: RunResult, file: string): string {
  const { seed, violations, trace, scenario } = result;
  const { limits: _, ...rest } = scenario;
  return [
    `TIDEGATE_SEED=${seed} npx vitest run test/simulation/${file}.test.ts`,
    JSON.stringify(rest),
    ...violations.slice(0, 12),
    '--- trace, newest last ---',
    ...trace.slice(process.env['TIDEGATE_SEED'] === undefined ? -40 : 0),
  ].join('\n');
}
