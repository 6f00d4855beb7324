/**
 * Sessions of Streamable HTTP: begun once, found by their owner alone, ended for good.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
import { describe, expect, it } from 'vitest';
import { callLater, callNow, initialize, postOf, rpc, Session2025 } from './conversation.ts';
import { people, STRANGERS } from './people.ts';
import { eventually } from './signal.ts';
import type { WireReply } from './wire-reply.ts';
import { timedServer, wireServer, type WireServer } from './wire-server.ts';

const EVENT_STREAM = { accept: 'text/event-stream' };

/** Every way to use a session, under an id. */
async function everyUse(
  server: WireServer,
  id: string | undefined,
  headers: { readonly authorization?: string } = {},
): Promise<readonly WireReply[]> {
  const own = { ...headers, 'mcp-session-id': id };
  return [
    await server.fetch(postOf('/mcp', callNow(1), own)),
    await server.fetch(postOf('/mcp', callNow(1), { ...own, accept: 'text/event-stream' })),
    await server.fetch({ path: '/mcp', headers: { ...own, ...EVENT_STREAM } }),
    await server.fetch({
      path: '/mcp',
      headers: { ...own, ...EVENT_STREAM, 'last-event-id': '0.1-0.x' },
    }),
    await server.fetch({ method: 'DELETE', path: '/mcp', headers: own }),
  ];
}

describe('ids', () => {
  it('W19 are visible ASCII of 128 random bits or more, on the initialize reply only', async () => {
    const server = await wireServer();
    const sessions = await Promise.all(Array.from({ length: 50 }, () => Session2025.open(server)));
    const ids = sessions.map(({ id }) => id);
    expect(new Set(ids).size).toBe(50);
    for (const id of ids) expect(id).toMatch(/^[\x21-\x7e]{22,}$/);
    for (let place = 0; place < 22; place += 1) {
      const characters = new Set(ids.map((id) => id[place]));
      expect(characters.size).toBeGreaterThan(10);
    }
    const [session] = sessions as [Session2025];
    const later = [
      await session.post(callNow(1)).whole(),
      await session.listen().head(),
      await session.end().whole(),
    ];
    for (const reply of later) expect(reply.header('mcp-session-id')).toBeUndefined();
  });

  it('W19 are on an initialize reply that is slow and a stream, too', async () => {
    const server = await wireServer({ hand: { holdsInitialize: true } });
    const reply = await server.open(postOf('/mcp', initialize('2025-11-25')));
    expect(reply.header('content-type')).toBe('text/event-stream');
    expect(reply.header('mcp-session-id')).toMatch(/^[\x21-\x7e]{22,}$/);
    const call = await server.upstream.call(0, 'initialize');
    call.answer({ protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {} });
    expect(await reply.message(0)).toMatchObject({ id: 0 });
  });

  it('W20 are needed: without one every use is 400', async () => {
    const server = await wireServer();
    await Session2025.open(server);
    for (const id of [undefined, '']) {
      for (const reply of await everyUse(server, id)) {
        expect(reply.status).toBe(400);
        expect((await reply.json())['error']).toMatchObject({ code: -32600 });
      }
    }
  });

  it('W20 V27 that are unknown are 404 in JSON, and nothing is run', async () => {
    const server = await wireServer();
    await Session2025.open(server);
    for (const id of ['unknown', 'x'.repeat(32), '../../etc', '0']) {
      for (const reply of await everyUse(server, id)) {
        expect(reply.status).toBe(404);
        expect((await reply.json())['error']).toMatchObject({ code: -32001 });
      }
    }
    expect(server.upstream.newest.methods()).not.toContain('tools/call');
  });

  it('W20 V22 V23 of another principal are 404 with the bytes of an unknown one', async () => {
    const server = await wireServer({ identity: people() });
    const session = await Session2025.open(server, { token: 'alice' });
    const stream = await session.listen().head();
    for (const name of STRANGERS) {
      const headers = { authorization: `Bearer ${name}` };
      const foreign = await everyUse(server, session.id, headers);
      const unknown = await everyUse(server, 'x'.repeat(session.id.length), headers);
      expect(foreign.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
      expect(foreign.map(({ bytes }) => bytes)).toEqual(unknown.map(({ bytes }) => bytes));
    }
    expect((await session.post(callNow(1)).whole()).status).toBe(200);
    server.upstream.newest.say('notifications/tools/list_changed');
    await stream.message(0);
    expect(stream.isEnded).toBe(false);
    expect(server.upstream.newest.methods().filter((each) => each === 'tools/call')).toHaveLength(
      1,
    );
  });

  it('W20 V23 without a credential are 401, whether they exist or not', async () => {
    const server = await wireServer({ identity: people() });
    const session = await Session2025.open(server, { token: 'alice' });
    const known = await everyUse(server, session.id);
    const unknown = await everyUse(server, 'unknown');
    expect(known.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    expect(known.map(({ bytes }) => bytes)).toEqual(unknown.map(({ bytes }) => bytes));
  });

  it('W20 V58 that a client chooses are never adopted', async () => {
    const server = await wireServer();
    const chosen = 'chosen-by-the-attacker-0123456789';
    const headers = { 'mcp-session-id': chosen };
    const opened = await server.fetch(postOf('/mcp', initialize('2025-11-25'), headers));
    expect(opened.status).toBe(200);
    expect(opened.header('mcp-session-id')).not.toBe(chosen);
    for (const reply of await everyUse(server, chosen)) expect(reply.status).toBe(404);
  });

  it('W20 two in one request are refused', async () => {
    const server = await wireServer();
    const [one, two] = [await Session2025.open(server), await Session2025.open(server)];
    const reply = await one.post(callNow(1), { 'mcp-session-id': [one.id, two.id] }).whole();
    expect([400, 404]).toContain(reply.status);
    expect(server.upstream.newest.methods()).not.toContain('tools/call');
  });

  it('V31 open nothing for a credential that has expired since', async () => {
    const identity = people();
    const server = await wireServer({ identity });
    const session = await Session2025.open(server, { token: 'alice' });
    const stream = await session.listen().head();
    await stream.block(0);
    identity.expire('alice');
    stream.leave();
    const again = await session.listen(stream.lastEventId).whole();
    expect(again.status).toBe(401);
  });
});

describe('initialize', () => {
  it('W21 with a stale session id opens a new session', async () => {
    const server = await wireServer();
    const old = await Session2025.open(server);
    await old.end().whole();
    const reply = await old.post(initialize('2025-11-25')).whole();
    expect(reply.status).toBe(200);
    expect(reply.header('mcp-session-id')).not.toBe(old.id);
    expect(await reply.json()).toMatchObject({ id: 0, result: { protocolVersion: '2025-11-25' } });
  });

  it('W21 V58 with the id of a stranger opens a session of its own, and tells nothing', async () => {
    const server = await wireServer({ identity: people() });
    const alice = await Session2025.open(server, { token: 'alice' });
    const headers = { authorization: 'Bearer bob', 'mcp-session-id': alice.id };
    const reply = await server.fetch(postOf('/mcp', initialize('2025-11-25'), headers));
    expect(reply.status).toBe(200);
    expect(reply.header('mcp-session-id')).not.toBe(alice.id);
    expect((await alice.post(callNow(1)).whole()).status).toBe(200);
  });

  it('W22 V51 on a live session is refused and leaves it as it was', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server, { version: '2025-06-18' });
    const pending = session.post(callLater(1));
    const call = await server.upstream.call(0);
    const again = await session.post(initialize('2025-11-25')).whole();
    expect(again.status).toBe(400);
    expect(again.header('mcp-session-id')).toBeUndefined();
    expect(await again.json()).toMatchObject({ id: 0, error: { code: -32600 } });
    call.say('still here');
    await pending.whole();
    expect(pending.text).toContain('still here');
    const sent = server.upstream.newest.methods();
    expect(sent.filter((method) => method === 'initialize')).toHaveLength(1);
  });

  it('is refused when its params are larger than a session keeps', async () => {
    const server = await wireServer({ limits: { initializeCharsMax: 1000 } });
    const clientInfo = { name: 'x'.repeat(1000), version: '1' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    const reply = await server.fetch(postOf('/mcp', rpc(0, 'initialize', params)));
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ id: 0, error: { code: -32602 } });
    expect((await Session2025.open(server)).id).not.toBe('');
  });

  it('W22 is first: other requests before its answer are refused, but for ping', async () => {
    const server = await wireServer({ hand: { holdsInitialize: true } });
    const opening = await server.open(postOf('/mcp', initialize('2025-11-25')));
    const headers = { 'mcp-session-id': opening.header('mcp-session-id') };
    const again = await server.fetch(postOf('/mcp', initialize('2025-11-25'), headers));
    expect(again.status).toBe(400);
    const ping = await server.fetch(postOf('/mcp', rpc(1, 'ping'), headers));
    expect(ping.status).toBe(200);
  });

  it.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])(
    'W26 asking for %s is given it, and needs no version header',
    async (version) => {
      const server = await wireServer();
      const reply = await server.fetch(postOf('/mcp', initialize(version)));
      expect(await reply.json()).toMatchObject({ result: { protocolVersion: version } });
    },
  );

  it.each(['1999-01-01', '2026-07-28', '2099-12-31', ''])(
    'W26 asking for "%s" is given our latest legacy version, not an error',
    async (version) => {
      const server = await wireServer();
      const reply = await server.fetch(postOf('/mcp', initialize(version)));
      expect(reply.status).toBe(200);
      expect(await reply.json()).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
    },
  );

  it('W26 whose client leaves before it was told of its session leaves nothing behind', async () => {
    const server = await wireServer({
      hand: { holdsInitialize: true },
      limits: { replyDecisionMs: 60_000 },
    });
    const reply = server.send(postOf('/mcp', initialize('2025-11-25')));
    await server.upstream.call(0, 'initialize');
    reply.leave();
    await eventually(() => server.endpoint.status.sessions === 0, 'the end of the session');
    await eventually(() => server.upstream.open.length === 0, 'the end of its upstream');
  });
});

describe('the version header', () => {
  it('W24 of an unknown version is 400', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    for (const version of ['1999-01-01', 'latest', '2025-11-25x', '']) {
      const headers = { 'mcp-protocol-version': version };
      const posted = await session.post(callNow(1), headers).whole();
      const listened = await session.listen(undefined, headers).whole();
      expect([version, posted.status, listened.status]).toEqual([version, 400, 400]);
      expect((await posted.json())['error']).toMatchObject({ code: -32600 });
    }
    expect(server.upstream.newest.methods()).not.toContain('tools/call');
  });

  it('W24 is no error when absent, whatever was negotiated', async () => {
    const server = await wireServer();
    for (const version of ['2025-11-25', '2025-06-18', '2025-03-26']) {
      const session = await Session2025.open(server, { version });
      const absent = { 'mcp-protocol-version': undefined };
      expect((await session.post(callNow(1), absent).whole()).status).toBe(200);
      expect((await session.listen(undefined, absent).head()).status).toBe(200);
      expect((await session.end(absent).whole()).status).toBe(204);
    }
  });

  it('W25 other than the negotiated one changes nothing of what was negotiated', async () => {
    const server = await wireServer();
    const batching = await Session2025.open(server, { version: '2025-03-26' });
    const newer = { 'mcp-protocol-version': '2025-11-25' };
    expect((await batching.post([callNow(1)], newer).whole()).status).toBe(200);
    const unprimed = await batching.listen(undefined, newer).head();
    expect((await unprimed.block(0)).data).toBeUndefined();
    const latest = await Session2025.open(server, { version: '2025-11-25' });
    const older = { 'mcp-protocol-version': '2025-03-26' };
    expect((await latest.post([callNow(1)], older).whole()).status).toBe(400);
    expect((await latest.post(callNow(1), older).whole()).status).toBe(200);
  });
});

describe('ends', () => {
  it('W23 by DELETE: streams close, calls are cancelled, and the id is nobody any more', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const upstream = server.upstream.newest;
    const standalone = await session.listen().head();
    const slow = await session.post(callLater(1)).head();
    await server.upstream.call(0);
    const unknown = await everyUse(server, 'unknown');
    const ended = await session.end().whole();
    expect([ended.status, ended.text]).toEqual([204, '']);
    await Promise.all([standalone.whole(), slow.whole()]);
    expect([standalone.isBroken, slow.isBroken]).toEqual([false, false]);
    expect(standalone.messages).toEqual([]);
    expect(slow.messages).toMatchObject([{ id: 1, error: { code: -32001 } }]);
    const after = await everyUse(server, session.id);
    expect(after.map(({ bytes }) => bytes)).toEqual(unknown.map(({ bytes }) => bytes));
    expect(after.every(({ status }) => status === 404)).toBe(true);
    await eventually(() => upstream.isOver, 'the end of its upstream');
    expect(upstream.methods()).toContain('notifications/cancelled');
    expect(server.endpoint.status).toMatchObject({ sessions: 0, streams: 0, pending: 0 });
  });

  it('W23 leave an undecided reply with a JSON-RPC error, not hanging', async () => {
    const server = await wireServer({ limits: { replyDecisionMs: 60_000 } });
    const session = await Session2025.open(server);
    const undecided = session.post(callLater(1));
    await server.upstream.call(0);
    await session.end().whole();
    expect(await undecided.json()).toMatchObject({ id: 1, error: { code: -32001 } });
  });

  it('W23 V50 come after five minutes without a connection, not while a stream is open', async () => {
    const { server, clock } = await timedServer();
    const held = await Session2025.open(server);
    const idle = await Session2025.open(server);
    const stream = await held.listen().head();
    clock.advance(299_999);
    expect(server.endpoint.status.sessions).toBe(2);
    clock.advance(1);
    expect(server.endpoint.status.sessions).toBe(1);
    expect((await idle.post(callNow(1)).whole()).status).toBe(404);
    clock.advance(1_000_000);
    expect((await held.post(callNow(1)).whole()).status).toBe(200);
    stream.leave();
    await eventually(() => server.endpoint.status.streams === 0, 'the loss of the stream');
    clock.advance(299_999);
    expect(server.endpoint.status.sessions).toBe(1);
    clock.advance(300_000);
    expect(server.endpoint.status.sessions).toBe(0);
  });

  it('W23 V50 come after a day, however busy', async () => {
    const { server, clock } = await timedServer({ hand: {}, limits: { streamMsMax: 1e9 } });
    const session = await Session2025.open(server);
    const stream = await session.listen().head();
    clock.advance(86_400_000 + 300_000);
    await stream.whole();
    expect((await session.post(callNow(1)).whole()).status).toBe(404);
  });

  it('W23 make room: over the bound the longest idle session without a connection goes', async () => {
    const server = await wireServer({ limits: { sessionsPerPrincipalMax: 2 } });
    const held = await Session2025.open(server);
    await held.listen().head();
    const idle = await Session2025.open(server);
    const newest = await Session2025.open(server);
    expect((await idle.post(callNow(1)).whole()).status).toBe(404);
    await newest.listen().head();
    const refused = await server.fetch(postOf('/mcp', initialize('2025-11-25')));
    expect(refused.status).toBe(429);
    expect(Number(refused.header('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ id: 0, error: { code: -32003 } });
    expect((await held.post(callNow(1)).whole()).status).toBe(200);
  });
});
