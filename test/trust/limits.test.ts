/**
 * Limits by account, over real sockets: whoever has too much is refused with a time to come again,
 * and his neighbour is served meanwhile.
 */
import { describe, expect, it } from 'vitest';
import { RateGate } from '../../src/adapters/gate/rate-gate.ts';
import type { Rates } from '../../src/adapters/gate/rate-rules.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import type { Gate, Holding, Visitor } from '../../src/core/gate.ts';
import {
  callLater as callLater2026,
  callNow as callNow2026,
  listenTo,
} from '../wire/client-2026.ts';
import { callLater, callNow, initialize, postOf, Session2025 } from '../wire/conversation.ts';
import { modernServer } from '../wire/modern-server.ts';
import { eventually } from '../wire/signal.ts';
import { wireServer } from '../wire/wire-server.ts';
import { credentials } from './credentials.ts';

const RANDOM = { sessionId: () => '', fraction: () => 0 };

function gate(rates: Rates): RateGate {
  return new RateGate(rates, { random: RANDOM, telemetry: silent });
}

const ALICE = { authorization: 'Bearer alice' };

describe('too many requests', () => {
  it('of one principal are refused with Retry-After; another is served', async () => {
    const options = { identity: credentials(), gate: gate({ principal: { callsMax: 1 } }) };
    const server = await wireServer(options);
    const alice = await Session2025.open(server, { token: 'alice' });
    const bob = await Session2025.open(server, { token: 'bob' });
    const held = alice.post(callLater(1));
    const call = await server.upstream.call(0);
    const refused = await alice.post(callNow(2)).whole();
    expect(refused.status).toBe(429);
    expect(Number(refused.header('retry-after'))).toBeGreaterThan(0);
    expect(JSON.parse(refused.text)).toMatchObject({ id: 2, error: { code: -32003 } });
    expect((await bob.post(callNow(2)).whole()).status).toBe(200);
    call.say('done');
    await held.whole();
    expect((await alice.post(callNow(3)).whole()).status).toBe(200);
  });

  it('in 2026 give their places back when they end, are cancelled or lose their client', async () => {
    const options = { identity: credentials(), gate: gate({ principal: { callsMax: 1 } }) };
    const { server, upstream } = await modernServer(options);
    const gone = server.send(callLater2026(1, { token: 'alice' }));
    const call = await upstream.call(0);
    expect((await server.fetch(callLater2026(2, { token: 'alice' }))).status).toBe(429);
    gone.leave();
    await upstream.until(() => call.isCancelled, 'the cancellation');
    const next = server.send(callLater2026(3, { token: 'alice' }));
    (await upstream.call(1)).say('served');
    expect((await next.whole()).text).toContain('served');
  });

  it('of one address are refused before the credential is looked at', async () => {
    const server = await wireServer({
      identity: credentials(),
      gate: gate({ address: { requestsPerSecond: 0 } }),
    });
    const reply = await server.fetch({ method: 'POST', path: '/mcp' });
    expect(reply.status).toBe(429);
    expect(reply.header('www-authenticate')).toBeUndefined();
    const stream = await server.fetch({ path: '/sse' });
    expect([stream.status, stream.text]).toEqual([200, 'retry: 1000\n\n']);
  });
});

describe('bytes', () => {
  it('are on the account of whoever they are written to, answers, events and changes alike', async () => {
    const spent = new Map<string, number>();
    const counting: Gate = Object.assign(gate({}), {
      spend: ({ principal }: Visitor, bytes: number) => {
        spent.set(principal.subject, (spent.get(principal.subject) ?? 0) + bytes);
      },
    });
    const server = await wireServer({ identity: credentials(), gate: counting });
    const alice = await Session2025.open(server, { token: 'alice' });
    const bob = await Session2025.open(server, { token: 'bob' });
    const listening = await bob.listen().head();
    const [before, others] = [spent.get('alice') ?? 0, spent.get('bob') ?? 0];
    const reply = alice.post(callLater(1));
    const call = await server.upstream.call(0);
    for (let i = 0; i < 10; i += 1) call.log('x'.repeat(1000));
    call.say('y'.repeat(1000));
    await reply.whole();
    expect((spent.get('alice') ?? 0) - before).toBeGreaterThanOrEqual(reply.text.length);
    expect(reply.text.length).toBeGreaterThan(11_000);
    expect(spent.get('bob')).toBe(others);
    listening.leave();
  });
});

describe('too many streams', () => {
  it('end at once with the time to come again, which no client takes for a failure', async () => {
    const server = await wireServer({
      identity: credentials(),
      gate: gate({ tenant: { streamsMax: 1 } }),
    });
    const alice = await Session2025.open(server, { token: 'alice' });
    const bob = await Session2025.open(server, { token: 'bob' });
    const first = await alice.listen().head();
    const second = await bob.listen().whole();
    expect(second.status).toBe(200);
    expect(second.text).toMatch(/^retry: \d{4,}\n\n$/);
    const sse = { path: '/sse', headers: { accept: 'text/event-stream', ...ALICE } };
    expect((await server.fetch(sse)).text).toMatch(/^retry: \d{4,}\n\n$/);
    first.leave();
    await eventually(() => server.endpoint.status.streams === 0, 'the end of the first');
    expect((await bob.listen().head()).header('content-type')).toBe('text/event-stream');
    expect(server.endpoint.status.streams).toBe(1);
  });

  it('a reader that comes back takes the place of the one it replaces', async () => {
    const server = await wireServer({
      identity: credentials(),
      gate: gate({ principal: { streamsMax: 1 } }),
    });
    const alice = await Session2025.open(server, { token: 'alice' });
    const first = await alice.listen().head();
    const second = await alice.listen().head();
    await first.whole();
    expect(second.isEnded).toBe(false);
    expect(server.endpoint.status.streams).toBe(1);
    const other = await Session2025.open(server, { token: 'alice' });
    expect((await other.listen().whole()).text).toMatch(/^retry: \d{4,}\n\n$/);
    second.leave();
    await eventually(() => server.endpoint.status.streams === 0, 'the end of the second');
    expect((await other.listen().head()).isEnded).toBe(false);
  });

  it("are as many where a session has a call in flight: it takes no stream's place", async () => {
    const server = await wireServer({
      identity: credentials(),
      gate: gate({ principal: { streamsMax: 1 } }),
    });
    const [one, two] = [
      await Session2025.open(server, { token: 'alice' }),
      await Session2025.open(server, { token: 'alice' }),
    ];
    const held = two.post(callLater(1));
    const call = await server.upstream.call(0);
    await one.listen().head();
    expect((await two.listen().whole()).text).toMatch(/^retry: \d{4,}\n\n$/);
    call.say('done');
    expect((await held.whole()).status).toBe(200);
  });

  it('end with the time to come again where one that came back finds no place after all', async () => {
    const places = { isFull: false };
    const moving: Gate = Object.assign(gate({ principal: { streamsMax: 1 } }), {
      take: (_visitor: Visitor, holding: string) =>
        places.isFull && holding === 'stream' ? { error: 'TOO_MANY_STREAMS' } : undefined,
    });
    const server = await wireServer({ identity: credentials(), gate: moving });
    const alice = await Session2025.open(server, { token: 'alice' });
    await alice.listen().head();
    places.isFull = true;
    expect((await alice.listen().whole()).text).toMatch(/retry: \d+\n\n$/);
    await eventually(() => server.endpoint.status.streams === 0, 'the end of both');
  });

  it('of 2026 count before they are acknowledged, and no longer than they wait', async () => {
    const places = gate({ principal: { streamsMax: 1 } });
    const full = places.full.bind(places);
    let visitor: Visitor | undefined;
    const watched: Gate = Object.assign(places, {
      full: (asks: Visitor, holding: Holding) => full((visitor = asks), holding),
    });
    const { server, upstream } = await modernServer({
      identity: credentials(),
      gate: watched,
      server: { holdsListens: true },
    });
    const listen = listenTo(1, { toolsListChanged: true }, { token: 'alice' });
    const waiting = server.send(listen);
    await upstream.listen(0);
    expect((await server.fetch(listen)).status).toBe(429);
    const hasPlace = (): boolean => visitor !== undefined && places.hasPlace(visitor, 'stream');
    expect(hasPlace()).toBe(false);
    waiting.leave();
    await eventually(hasPlace, 'the place');
  });

  it('of 2026 are refused as the request they are', async () => {
    const { server } = await modernServer({
      identity: credentials(),
      gate: gate({ principal: { streamsMax: 0 } }),
    });
    const refused = await server.fetch(listenTo(1, { toolsListChanged: true }, { token: 'alice' }));
    expect(refused.status).toBe(429);
    expect(refused.header('retry-after')).toBeDefined();
  });
});

describe('too many sessions', () => {
  it('are refused, and a place is free again when one ends', async () => {
    const server = await wireServer({
      identity: credentials(),
      gate: gate({ principal: { sessionsMax: 1 } }),
    });
    const session = await Session2025.open(server, { token: 'alice' });
    const again = postOf('/mcp', initialize('2025-11-25'), ALICE);
    expect((await server.fetch(again)).status).toBe(429);
    await session.end().whole();
    expect((await server.fetch(again)).status).toBe(200);
  });
});

describe('too many sessions of 2024', () => {
  it('end their streams at once with the time to come again, for the two are one', async () => {
    const server = await wireServer({
      identity: credentials(),
      gate: gate({ principal: { sessionsMax: 1 } }),
    });
    const sse = { path: '/sse', headers: { accept: 'text/event-stream', ...ALICE } };
    const first = await server.open(sse);
    const second = await server.fetch(sse);
    expect([second.status, second.text]).toEqual([
      200,
      expect.stringMatching(/^retry: \d{4,}\n\n$/),
    ]);
    expect(first.isEnded).toBe(false);
  });
});

describe('too many openings', () => {
  it('of a second are refused on every way to open something, and calls go on', async () => {
    const { server } = await modernServer({
      identity: credentials(),
      gate: gate({ principal: { opensPerSecond: 0 }, tenant: { requestsPerSecond: 1000 } }),
    });
    const again = await server.fetch(postOf('/mcp', initialize('2025-11-25'), ALICE));
    expect(again.status).toBe(429);
    const listen = await server.fetch(listenTo(7, {}, { token: 'alice' }));
    expect(listen.status).toBe(429);
    expect(JSON.parse(listen.text)).toMatchObject({ id: 7 });
    const sse = { path: '/sse', headers: { accept: 'text/event-stream', ...ALICE } };
    expect((await server.fetch(sse)).text).toMatch(/^retry: \d{4,}\n\n$/);
    const call = await server.fetch(callNow2026(8, { token: 'alice' }));
    expect(call.status).toBe(200);
  });
});
