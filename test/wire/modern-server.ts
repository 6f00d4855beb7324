/** Endpoints of the stateless revision on real ports, gone when the test is over. */
import { onTestFinished } from 'vitest';
import { createEndpoint, type EndpointOptions } from 'tidegate';
import { serve } from 'tidegate/node';
import { MemoryEventLog } from '../../src/adapters/stores/memory-event-log.ts';
import { MemorySessionDirectory } from '../../src/adapters/stores/memory-session-directory.ts';
import { noAuth } from '../../src/adapters/identity/no-auth.ts';
import { aesSeal } from '../../src/adapters/system/aes-seal.ts';
import { systemRandom } from '../../src/adapters/system/system-random.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { Endpoint } from '../../src/server/endpoint.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { ModernUpstream, type ModernUpstreamOptions } from './modern-upstream.ts';
import { WireServer } from './wire-server.ts';

export interface ModernServer {
  readonly server: WireServer;
  readonly upstream: ModernUpstream;
}

export interface ModernOptions extends Partial<EndpointOptions> {
  readonly server?: ModernUpstreamOptions;
  /** Milliseconds a shutdown may take. Default 0. */
  readonly drainMs?: number;
}

/** With the time of the machine. */
export async function modernServer(options: ModernOptions = {}): Promise<ModernServer> {
  const { server: script, drainMs = 0, ...rest } = options;
  const upstream = new ModernUpstream(script);
  const endpoint = createEndpoint({ upstream, ...rest });
  const running = await serve(endpoint, { port: 0, drainMs });
  const server = new WireServer(running.port, upstream.legacy, endpoint, () => running.close());
  onTestFinished(() => server.close());
  await endpoint.ready();
  return { server, upstream };
}

/** With time that moves only when told to. */
export async function timedModernServer(
  options: ModernOptions = {},
): Promise<ModernServer & { readonly clock: VirtualClock }> {
  const upstream = new ModernUpstream(options.server);
  const clock = new VirtualClock();
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const endpoint = new Endpoint(
    {
      upstream,
      identity: options.identity ?? noAuth(),
      access: options.access,
      clock,
      random: { sessionId: () => systemRandom.sessionId(), fraction: () => 0.5 },
      seal: aesSeal(),
      log: new MemoryEventLog(limits),
      directory: new MemorySessionDirectory(limits),
      telemetry: options.telemetry ?? silent,
    },
    {
      limits,
      eras: options.eras ?? 'all',
      isolation: options.isolation ?? 'session',
      allowedHosts: ['127.0.0.1'],
      allowedOrigins: [],
      publicUrl: undefined,
      endpointForm: 'relative',
      priming: 'auto',
      heartbeat: 'comment',
    },
  );
  const running = await serve(endpoint, { port: 0, drainMs: 1000 });
  const server = new WireServer(running.port, upstream.legacy, endpoint, async () => {
    const closed = running.close();
    clock.advance(60_000);
    await closed;
  });
  onTestFinished(() => server.close());
  if (options.server?.holdsProbe !== true) await endpoint.ready();
  return { server, upstream, clock };
}
