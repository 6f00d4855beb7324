/**
 * A tenant that takes all it can get, beside one that goes on as if it were alone: whatever is
 * flooded, the flood is refused by the limit meant for it, and the neighbour notices nothing. No
 * verdict depends on how long anything takes.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { RateGate } from '../../src/adapters/gate/rate-gate.ts';
import type { RateRules } from '../../src/adapters/gate/rate-rules.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import type { Telemetry } from '../../src/core/ports.ts';
import { get, RawClient } from '../http/raw-client.ts';
import { callLater, callNow, initialize, postOf, Session2025 } from '../wire/conversation.ts';
import type { HandConnection } from '../wire/hand-upstream.ts';
import { eventually } from '../wire/signal.ts';
import type { WireReply } from '../wire/wire-reply.ts';
import { type WireOptions, type WireServer, wireServer } from '../wire/wire-server.ts';
import { policyPrincipals } from './policy-principals.ts';

const NOISY = 'noisy/ned';
const QUIET = 'quiet/ann';
const STREAM = { accept: 'text/event-stream' };
const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

/** What refused somebody, and why streams ended. */
interface Seen {
  readonly limits: unknown[];
  readonly closed: string[];
}

interface Street {
  readonly server: WireServer;
  readonly seen: Seen;
  readonly quiet: Quiet;
}

/** A session with a stream that stays open; its calls are few enough for every limit. */
interface Quiet {
  readonly session: Session2025;
  readonly stream: WireReply;
  readonly upstream: HandConnection;
}

/** @param rules - of every tenant alike: the quiet one stays below them by itself. */
async function street(rules: RateRules, options: WireOptions = {}): Promise<Street> {
  const seen: Seen = { limits: [], closed: [] };
  const telemetry: Telemetry = {
    ...silent,
    count: (name, { limit }) => {
      if (name === 'rate_limited_total') seen.limits.push(limit);
    },
    streamClosed: (_era, _kind, reason) => seen.closed.push(reason),
  };
  const random = { sessionId: () => '', fraction: () => 0 };
  const gate = new RateGate({ tenant: rules }, { random, telemetry });
  const server = await wireServer({ ...options, identity: policyPrincipals(), telemetry, gate });
  const session = await Session2025.open(server, { token: QUIET });
  const upstream = server.upstream.newest;
  return { server, seen, quiet: { session, upstream, stream: await session.listen().head() } };
}

/** Calls one after the other while others do what they do; each must be answered. */
async function callSteadily({ session }: Quiet): Promise<void> {
  for (let id = 1; id <= 6; id += 1) {
    const reply = await session.post(callNow(id)).whole();
    expect([reply.status, reply.text.includes('"now"')]).toEqual([200, true]);
  }
}

async function expectUndisturbed({ session, stream, upstream }: Quiet): Promise<void> {
  expect((await session.post(callNow(99)).whole()).status).toBe(200);
  expect(stream.isEnded).toBe(false);
  const before = stream.messageBlocks.length;
  upstream.say('notifications/message', { level: 'info', data: 'still here' });
  expect(await stream.message(before)).toMatchObject({ params: { data: 'still here' } });
}

interface Flood {
  readonly limit: keyof RateRules;
  readonly max: number;
  /** How many refusals there must be, at least. */
  readonly refusals: number;
  readonly flood: (server: WireServer) => Promise<void>;
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function open(server: WireServer): WireReply {
  return server.send(postOf('/mcp', initialize('2025-11-25'), bearer(NOISY)));
}

const FLOODS: readonly Flood[] = [
  {
    limit: 'requestsPerSecond',
    max: 20,
    refusals: 1,
    flood: async (server) => {
      const session = await Session2025.open(server, { token: NOISY });
      const replies = await Promise.all(times(200, (id) => session.post(callNow(id)).whole()));
      expect(replies.map(({ status }) => status)).toContain(429);
    },
  },
  {
    limit: 'opensPerSecond',
    max: 4,
    refusals: 1,
    flood: async (server) => {
      const opened = await Promise.all(times(40, () => open(server).whole()));
      expect(opened.map(({ status }) => status)).toContain(429);
      const stream = { path: '/sse', headers: { ...STREAM, ...bearer(NOISY) } };
      await Promise.all(times(40, () => server.open(stream)));
    },
  },
  {
    limit: 'bytesPerSecond',
    max: 20_000,
    refusals: 1,
    flood: async (server) => {
      const session = await Session2025.open(server, { token: NOISY });
      const large = session.post(callLater(1));
      (await server.upstream.call(0)).say('x'.repeat(4_000_000));
      // A large answer is delivered, and its account waits a minute.
      expect((await large.whole()).text.length).toBeGreaterThan(4_000_000);
      const replies = await Promise.all(times(20, (id) => session.post(callNow(id)).whole()));
      expect(replies.map(({ status }) => status)).toContain(429);
    },
  },
  {
    limit: 'streamsMax',
    max: 2,
    refusals: 38,
    flood: async (server) => {
      const stream = { path: '/sse', headers: { ...STREAM, ...bearer(NOISY) } };
      const replies = await Promise.all(times(40, () => server.open(stream)));
      await eventually(() => replies.filter(({ isEnded }) => isEnded).length >= 38, 'the refusals');
      expect(server.endpoint.status.streams).toBe(3);
    },
  },
  {
    limit: 'sessionsMax',
    max: 2,
    refusals: 38,
    flood: async (server) => {
      const replies = await Promise.all(times(40, () => open(server).whole()));
      expect(replies.filter(({ status }) => status === 429)).toHaveLength(38);
      expect(server.endpoint.status.sessions).toBe(3);
    },
  },
  {
    limit: 'callsMax',
    max: 2,
    refusals: 38,
    flood: async (server) => {
      const session = await Session2025.open(server, { token: NOISY });
      const replies = times(40, (id) => session.post(callLater(id)));
      await eventually(() => replies.filter(({ isEnded }) => isEnded).length >= 38, 'the refusals');
      for (const index of [0, 1]) (await server.upstream.call(index)).say('at last');
      const statuses = (await Promise.all(replies.map((each) => each.whole()))).map(
        ({ status }) => status,
      );
      expect(statuses.filter((status) => status === 200)).toHaveLength(2);
    },
  },
  {
    limit: 'instancesMax',
    max: 2,
    refusals: 38,
    flood: async (server) => {
      const replies = await Promise.all(times(40, () => open(server).whole()));
      expect(replies.filter(({ status }) => status === 429)).toHaveLength(38);
      expect(server.endpoint.status.upstreamInstances).toBe(3);
    },
  },
];

describe('a noisy neighbour', () => {
  it.each(FLOODS)('is stopped by $limit, and no call of another is refused', async (each) => {
    const { server, seen, quiet } = await street({ [each.limit]: each.max });
    await Promise.all([each.flood(server), callSteadily(quiet)]);
    await expectUndisturbed(quiet);
    expect(new Set(seen.limits)).toEqual(new Set([`tenant.${each.limit}`]));
    expect(seen.limits.length).toBeGreaterThanOrEqual(each.refusals);
  });

  it('that reads slowly has its own streams closed', async () => {
    const limits = { streamQueueBytesMax: 200_000 };
    const { server, seen, quiet } = await street({ streamsMax: 10 }, { limits });
    const said: HandConnection[] = [];
    for (let reader = 0; reader < 4; reader += 1) {
      const session = await Session2025.open(server, { token: NOISY });
      said.push(server.upstream.newest);
      await stuckReader(server, session.id);
    }
    const flood = async (): Promise<void> => {
      for (let sent = 0; seen.closed.length < 4; sent += 1) {
        if (sent > 1000) throw new Error('The readers were never closed.');
        const data = 'x'.repeat(100_000);
        for (const each of said) each.say('notifications/message', { level: 'info', data });
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all([flood(), callSteadily(quiet)]);
    expect(seen.closed.filter((reason) => reason === 'slow-reader')).toHaveLength(4);
    await expectUndisturbed(quiet);
    expect(seen.limits).toEqual([]);
  });
});

/** A stream whose reader has had its beginning and takes nothing more. */
async function stuckReader(server: WireServer, session: string): Promise<void> {
  const client = await RawClient.open(server.port);
  onTestFinished(() => client.destroy());
  const token = `Authorization: Bearer ${NOISY}`;
  client.send(get('/mcp', ['Accept: text/event-stream', token, `Mcp-Session-Id: ${session}`]));
  await client.untilReceived('retry: ');
  client.socket.pause();
}
