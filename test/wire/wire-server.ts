/** An endpoint on a real port over a server in the test's hand; gone when the test is over. */
import { onTestFinished } from 'vitest';
import { createEndpoint, type EndpointOptions } from 'tidegate';
import { serve } from 'tidegate/node';
import { MemoryEventLog } from '../../src/adapters/stores/memory-event-log.ts';
import { MemorySessionDirectory } from '../../src/adapters/stores/memory-session-directory.ts';
import { aesSeal } from '../../src/adapters/system/aes-seal.ts';
import { systemRandom } from '../../src/adapters/system/system-random.ts';
import { noAuth } from '../../src/adapters/identity/no-auth.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { Endpoint } from '../../src/server/endpoint.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { HandUpstream, type HandUpstreamOptions } from './hand-upstream.ts';
import { WireReply, type WireRequest } from './wire-reply.ts';

export interface WireOptions extends Partial<EndpointOptions> {
  readonly hand?: HandUpstreamOptions;
}

export class WireServer {
  readonly port: number;
  readonly upstream: HandUpstream;
  readonly endpoint: Endpoint;
  readonly #close: () => Promise<void>;
  readonly #replies: WireReply[] = [];

  constructor(
    port: number,
    upstream: HandUpstream,
    endpoint: Endpoint,
    close: () => Promise<void>,
  ) {
    this.port = port;
    this.upstream = upstream;
    this.endpoint = endpoint;
    this.#close = close;
  }

  send(request: WireRequest): WireReply {
    const reply = new WireReply(this.port, request);
    this.#replies.push(reply);
    return reply;
  }

  /** The same, once the head has come. */
  async open(request: WireRequest): Promise<WireReply> {
    return this.send(request).head();
  }

  /** The same, once the reply is whole. */
  async fetch(request: WireRequest): Promise<WireReply> {
    return this.send(request).whole();
  }

  async close(): Promise<void> {
    for (const reply of this.#replies) reply.leave();
    await this.#close();
  }
}

/** With the time of the machine: what users call, as they call it. */
export async function wireServer({ hand, ...options }: WireOptions = {}): Promise<WireServer> {
  const upstream = new HandUpstream(hand);
  const endpoint = createEndpoint({ upstream, ...options });
  const served = await serve(endpoint, { port: 0, drainMs: 0 });
  return untilTestEnds(new WireServer(served.port, upstream, endpoint, () => served.close()));
}

/** Well below any bound that looks at what waits in a socket. */
const STEP_MS = 500;

export interface TimedServer {
  readonly server: WireServer;
  readonly clock: VirtualClock;
  /** Lets time pass in steps between which sockets are served, so that no reader seems to stall. */
  readonly pass: (ms: number) => Promise<void>;
}

/** With time that moves only when told to, so that every delay is exact on any machine. */
export async function timedServer(
  { hand, ...options }: WireOptions = {},
  fraction: () => number = () => 0.5,
): Promise<TimedServer> {
  const upstream = new HandUpstream(hand);
  const clock = new VirtualClock();
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const endpoint = new Endpoint(
    {
      upstream,
      identity: options.identity ?? noAuth(),
      access: options.access,
      audit: options.audit,
      gate: options.gate,
      clock,
      random: { sessionId: () => systemRandom.sessionId(), fraction },
      seal: aesSeal(),
      log: new MemoryEventLog(limits),
      directory: new MemorySessionDirectory(limits),
      telemetry: options.telemetry ?? silent,
    },
    {
      limits,
      isolation: options.isolation ?? 'session',
      allowedHosts: ['127.0.0.1', 'localhost'],
      allowedOrigins: [],
      publicUrl: undefined,
      endpointForm: 'relative',
      priming: options.priming ?? 'auto',
      heartbeat: options.heartbeat ?? 'comment',
      eras: options.eras ?? 'all',
    },
  );
  const served = await serve(endpoint, { port: 0, drainMs: 1000 });
  const closeInTime = async (): Promise<void> => {
    const closed = served.close();
    clock.advance(60_000);
    await closed;
  };
  const server = untilTestEnds(new WireServer(served.port, upstream, endpoint, closeInTime));
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= STEP_MS) {
      clock.advance(Math.min(left, STEP_MS));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { server, clock, pass };
}

function untilTestEnds(server: WireServer): WireServer {
  onTestFinished(() => server.close());
  return server;
}
