/** Several endpoints in this process behind one that merges them, on a real port. */
import { onTestFinished } from 'vitest';
import { createEndpoint, type Endpoint, type EndpointOptions, type Upstream } from 'tidegate';
import { serve } from 'tidegate/node';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { systemRandom } from '../../src/adapters/system/system-random.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/core/limits.ts';
import type { Telemetry } from '../../src/core/ports.ts';
import type { MergedMember } from '../../src/gateway/merge/merge-parts.ts';
import { mergedUpstream, type MergedUpstream } from '../../src/gateway/merge/merged-upstream.ts';

export interface MergedGate {
  readonly mcp: URL;
  readonly sse: URL;
  readonly endpoint: Endpoint;
  readonly upstream: MergedUpstream;
  readonly members: readonly MergedMember[];
}

export interface MergedGateOptions extends Partial<EndpointOptions> {
  readonly telemetry?: Telemetry;
}

/** However slow the machine is: who is up is waited for. */
const CLIENTS = { retryMs: 100, mergedWaitMsMax: 60_000 };

/** @param servers - in the order of the merged lists. */
export async function mergedGate(
  servers: Readonly<Record<string, Upstream>>,
  { limits: changed, ...options }: MergedGateOptions = {},
): Promise<MergedGate> {
  const limits: Limits = { ...DEFAULT_LIMITS, ...CLIENTS, ...changed };
  const members = Object.entries(servers).map(([name, upstream]) => member(name, upstream));
  const upstream = mergedUpstream(members, {
    serverInfo: { name: 'merged', version: '1.0.0' },
    clock: systemClock,
    random: systemRandom,
    telemetry: options.telemetry ?? silent,
    limits,
  });
  const endpoint = createEndpoint({ ...options, upstream, isolation: 'principal', limits });
  const running = await serve(endpoint, { port: 0, drainMs: 100 });
  await endpoint.ready();
  onTestFinished(() => running.close());
  const mcp = new URL('/mcp', running.url);
  return { mcp, sse: new URL('/sse', running.url), endpoint, upstream, members };
}

/** A server's endpoint; gone when the test is over. */
export function member(name: string, upstream: Upstream): { name: string; app: Endpoint } {
  const app = createEndpoint({ upstream, limits: CLIENTS });
  onTestFinished(() => app.drain(100));
  return { name, app };
}
