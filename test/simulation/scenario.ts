/**
 * What one seed means: who is there, how bad the network and the upstream are, how tight the
 * bounds.
 */
import { DEFAULT_LIMITS, type Limits } from '../../src/core/limits.ts';
import { PERFECT_NETWORK, type NetworkConditions } from '../../src/testing/memory-network.ts';
import type { ScriptedUpstreamOptions } from '../../src/testing/scripted-stage.ts';
import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { EndingWeights, StepWeights } from '../../src/testing/tool-script.ts';

export type Era = '2024' | '2025' | '2026';
export type Isolation = 'session' | 'principal' | 'shared';

export interface Scenario {
  readonly isolation: Isolation;
  readonly limits: Limits;
  readonly network: NetworkConditions;
  readonly upstream: ScriptedUpstreamOptions;
  readonly clients: readonly { readonly era: Era; readonly principal: string }[];
  readonly steps: StepWeights;
  readonly endings: EndingWeights;
  /** How long clients do new things, and how often. */
  readonly busyMs: number;
  readonly thinkMs: number;
  /** Whether the server is drained while clients are busy. */
  readonly isDrained: boolean;
  readonly maySessionsEnd: boolean;
}

export function scenarioOf(random: SeededRandom, isolation: Isolation): Scenario {
  const isTight = random.chance(0.3);
  const isDrained = random.chance(0.15);
  const isBrutal = random.chance(0.25);
  const clients = Array.from({ length: random.int(2, 5) }, () => ({
    era: random.pick<Era>(['2024', '2025', '2025', '2026']),
    principal: random.pick(['ann', 'ben', 'cat']),
  }));
  return {
    isolation,
    limits: limitsOf(random, isTight),
    network: networkOf(random),
    upstream: {
      kind: random.pick(['stdio', 'in-process']),
      latencyMs: random.pick([
        [1, 5],
        [1, 40],
        [30, 120],
      ]),
      pauseMs: [100, 4000],
      startFailureRate: isBrutal ? 0.1 : 0,
      fullRate: isBrutal ? 0.03 : 0,
      cancelRaceRate: random.pick([0, 0.3, 1]),
    },
    clients,
    steps: { progress: 8, log: 4, ask: 3, changed: 2, updated: 4, pause: 4, poll: 2 },
    endings: isBrutal
      ? { answer: 30, error: 4, twice: 3, oversized: 2, silent: 2, crash: 1 }
      : { answer: 40, error: 4, twice: 2, silent: 1 },
    busyMs: random.int(2000, 12_000),
    thinkMs: random.pick([40, 150, 500]),
    isDrained,
    maySessionsEnd: isBrutal || isDrained || isTight,
  };
}

/** Milliseconds are shorter than the defaults, so that hours of life fit into each run. */
function limitsOf(random: SeededRandom, isTight: boolean): Limits {
  const roomy: Limits = {
    ...DEFAULT_LIMITS,
    callMsMax: 20_000,
    parkedMsMax: 15_000,
    heartbeatMs: random.pick([500, 3000]),
    retryMs: 200,
    stallMsMax: 4000,
    streamMsMax: random.pick([5000, 60_000]),
    sessionIdleMs: 60_000,
    upstreamIdleMs: 30_000,
    logAgeMsMax: 60_000,
    streamQueueBytesMax: random.pick([2000, 1024 * 1024]),
    logEventsMax: random.pick([3, 20, 1000]),
    logBytesMax: random.pick([600, 4 * 1024 * 1024]),
  };
  if (!isTight) return roomy;
  return {
    ...roomy,
    sessionIdleMs: random.pick([1000, 8000]),
    sessionMsMax: random.pick([5000, 60_000]),
    sessionsPerPrincipalMax: random.int(1, 3),
    streamsPerTenantMax: random.int(3, 12),
    pendingPerOwnerMax: random.int(2, 10),
    pendingPerUpstreamMax: random.int(4, 20),
    upstreamInstancesMax: random.int(2, 6),
    subscriptionsPerOwnerMax: 2,
    listensPerPrincipalMax: 2,
    logAgeMsMax: random.pick([300, 60_000]),
  };
}

export function networkOf(random: SeededRandom): NetworkConditions {
  if (random.chance(0.2)) return PERFECT_NETWORK;
  return {
    latencyMs: random.pick([
      [1, 3],
      [1, 60],
      [20, 300],
    ]),
    requestLoss: random.pick([0, 0.02, 0.1]),
    cutRate: random.pick([0, 0.1, 0.4]),
    cutWithinChars: random.pick([50, 400, 3000]),
    halfOpenRate: random.pick([0, 0.2, 1]),
    halfOpenMs: 90_000,
    goneAfterMs: random.pick([
      [0, 5],
      [10, 2000],
    ]),
    kernelBytes: random.pick([0, 500, 65_536]),
  };
}
