/**
 * Whoever is no longer trusted is out at once: streams, sessions and calls of a revoked credential
 * end, and nobody else notices.
 */
import { describe, expect, it } from 'vitest';
import type { Identity } from '../../src/core/ports.ts';
import { openCredentials } from '../../src/gateway/open-credentials.ts';
import type { IsRevoked } from '../../src/server/revocations.ts';
import { RawSocket, requestText } from '../faults/raw-socket.ts';
import {
  callLater as callLater2026,
  callNow as callNow2026,
  listening,
} from '../wire/client-2026.ts';
import {
  callLater,
  callNow,
  initialize,
  postOf,
  Session2024,
  Session2025,
} from '../wire/conversation.ts';
import { modernServer } from '../wire/modern-server.ts';
import { Signal } from '../wire/signal.ts';
import type { WireRequest } from '../wire/wire-reply.ts';
import { type WireServer, wireServer } from '../wire/wire-server.ts';
import { credentials } from './credentials.ts';

describe('a revoked principal', () => {
  it('loses sessions and streams of 2024 and 2025; another keeps both', async () => {
    const server = await wireServer({ identity: credentials() });
    const alice = await Session2025.open(server, { token: 'alice' });
    const stream = await alice.listen().head();
    const older = await Session2024.initialized(server, { token: 'alice' });
    const bob = await Session2025.open(server, { token: 'bob' });
    const bobsStream = await bob.listen().head();
    server.endpoint.revoke(({ subject }) => subject === 'alice');
    await stream.whole();
    await older.stream.whole();
    expect((await alice.post(callNow(1)).whole()).status).toBe(404);
    expect((await older.post(callNow(1)).whole()).status).toBe(404);
    expect((await bob.post(callNow(1)).whole()).status).toBe(200);
    expect(bobsStream.isEnded).toBe(false);
    expect(server.endpoint.status.sessions).toBe(1);
  });

  it('has its call in flight given up upstream', async () => {
    const server = await wireServer({ identity: credentials(), isolation: 'shared' });
    const alice = await Session2025.open(server, { token: 'alice' });
    const reply = alice.post(callLater(5));
    const call = await server.upstream.call(0);
    server.endpoint.revoke(({ subject }) => subject === 'alice');
    await reply.whole();
    await server.upstream.until(() => call.isCancelled, 'the cancellation upstream');
    expect(reply.text).not.toContain('"result"');
  });
});

describe('a revoked credential', () => {
  it('ends its own streams and waiting replies, not those of another one of the person', async () => {
    const { server, upstream } = await modernServer({ identity: credentials() });
    const old = { token: 'alice.900000000' };
    const fresh = { token: 'alice' };
    const listens = [
      await listening(server, 1, { toolsListChanged: true }, old),
      await listening(server, 2, { toolsListChanged: true }, fresh),
    ];
    const waiting = [server.send(callLater2026(3, old)), server.send(callLater2026(4, fresh))];
    const calls = [await upstream.call(0), await upstream.call(1)];
    server.endpoint.revoke((_principal, grant) => grant?.credentialId === old.token);
    await listens[0]?.whole();
    await waiting[0]?.whole();
    await upstream.until(() => calls.some((call) => call.isCancelled), 'a cancellation upstream');
    calls.find((call) => !call.isCancelled)?.say('kept');
    expect((await waiting[1]?.whole())?.text).toContain('kept');
    expect(listens[1]?.isEnded).toBe(false);
  });
});

describe('a call in flight whose credential is revoked', () => {
  const OLD = { authorization: 'Bearer alice.900000000' };
  const isOld: IsRevoked = (_principal, grant) => grant?.credentialId === 'alice.900000000';

  it('is given up at the server in 2025; the session and its other calls stay', async () => {
    const server = await wireServer({ identity: credentials() });
    const alice = await Session2025.open(server, { token: 'alice' });
    const replies = [alice.post(callLater(5), OLD), alice.post(callLater(6))];
    const calls = [await server.upstream.call(0), await server.upstream.call(1)];
    server.endpoint.revoke(isOld);
    await replies[0]?.whole();
    await server.upstream.until(() => calls.some((call) => call.isCancelled), 'a cancellation');
    calls.find((call) => !call.isCancelled)?.say('kept');
    expect((await replies[1]?.whole())?.text).toContain('kept');
    expect(server.endpoint.status.pending).toBe(0);
  });

  it('tells its end to whoever comes back to its stream with another credential', async () => {
    const server = await wireServer({ identity: credentials() });
    const alice = await Session2025.open(server, { token: 'alice' });
    const reply = alice.post(callLater(5), { ...OLD, accept: 'text/event-stream' });
    const { id } = await reply.block(0);
    await server.upstream.call(0);
    server.endpoint.revoke(isOld);
    await reply.whole();
    const back = await alice.listen(id).whole();
    expect(back.messages).toMatchObject([{ id: 5, error: { code: -32600 } }]);
  });

  it('is given up at the server in 2024; the stream of another credential is told', async () => {
    const server = await wireServer({ identity: credentials() });
    const alice = await Session2024.initialized(server, { token: 'alice' });
    await alice.post(callLater(5), OLD).whole();
    const call = await server.upstream.call(0);
    server.endpoint.revoke(isOld);
    await server.upstream.until(() => call.isCancelled, 'the cancellation upstream');
    expect(await alice.stream.message(1)).toMatchObject({ id: 5, error: { code: -32600 } });
    await alice.post(callNow(6)).whole();
    expect(await alice.stream.message(2)).toMatchObject({ id: 6, result: {} });
  });

  it('is never sent if it waits for a handshake that its client skipped', async () => {
    const server = await wireServer({ identity: credentials(), hand: { holdsInitialize: true } });
    const alice = await Session2024.open(server, { token: 'alice' });
    await alice.post(callLater(5), OLD).whole();
    await alice.post(callLater(6)).whole();
    const handshake = await server.upstream.call(0, 'initialize');
    server.endpoint.revoke(isOld);
    const capabilities = { tools: {} };
    handshake.answer({ protocolVersion: '2025-11-25', capabilities, serverInfo: {} });
    const call = await server.upstream.call(0, 'tools/call');
    call.say('kept');
    expect(await alice.stream.message(0)).toMatchObject({ id: 5, error: { code: -32600 } });
    expect(await alice.stream.message(1)).toMatchObject({ id: 6, result: {} });
    expect(server.upstream.newest.methods().filter((each) => each === 'tools/call')).toHaveLength(
      1,
    );
  });

  it('ends a session whose handshake it is', async () => {
    const server = await wireServer({ identity: credentials(), hand: { holdsInitialize: true } });
    const reply = server.send(postOf('/mcp', initialize('2025-11-25'), OLD));
    await server.upstream.call(0, 'initialize');
    await reply.head();
    server.endpoint.revoke(isOld);
    await reply.whole();
    expect(server.endpoint.status).toMatchObject({ sessions: 0, pending: 0 });
  });

  it('goes on when it is only to be verified again: its reader comes back for the rest', async () => {
    const server = await wireServer({ identity: credentials() });
    const alice = await Session2025.open(server, { token: 'alice' });
    const reply = alice.post(callLater(5), { ...OLD, accept: 'text/event-stream' });
    const { id } = await reply.block(0);
    const call = await server.upstream.call(0);
    server.endpoint.verifyAgain(isOld);
    await reply.whole();
    call.say('kept');
    expect((await alice.listen(id, OLD).whole()).text).toContain('kept');
    expect(call.isCancelled).toBe(false);
  });
});

describe('whoever waits when its credential is revoked', () => {
  it.each(['2025', '2026'] as const)('W42 is told 401 with a challenge in %s', async (era) => {
    const said = { token: 'alice.900000000', headers: { accept: 'application/json' } };
    const old = { authorization: `Bearer ${said.token}`, ...said.headers };
    const server = await wireServer({ identity: credentials() });
    const alice = await Session2025.open(server, { token: 'alice' });
    const reply =
      era === '2025' ? alice.post(callLater(5), old) : server.send(callLater2026(5, said));
    if (era === '2026') (await server.upstream.call(0, 'tools/list')).answer({ tools: [] });
    await server.upstream.call(0, 'tools/call');
    server.endpoint.revoke((_principal, grant) => grant?.credentialId === said.token);
    expect((await reply.whole()).status).toBe(401);
    expect(reply.header('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
  });
});

describe('a request on its way when its credential is revoked', () => {
  const arrivals = new Signal();
  let arrived = 0;
  const identity: Identity = {
    verify(head, done) {
      credentials().verify(head, done);
      arrived += 1;
      arrivals.fire();
    },
  };

  /** Sends all but the end of the body; resolves once the server has let the request in. */
  async function begin(
    server: WireServer,
    request: WireRequest,
  ): Promise<{ readonly socket: RawSocket; readonly rest: string }> {
    const before = arrived;
    const socket = await RawSocket.open(server.port);
    const { method = 'POST', path, headers, body } = request;
    const text = requestText(method, path, headers as Record<string, string>, body as string);
    socket.send(text.slice(0, -5));
    await arrivals.until(() => arrived > before, 'the request');
    return { socket, rest: text.slice(-5) };
  }

  async function expectRefused(server: WireServer, request: WireRequest): Promise<void> {
    const { socket, rest } = await begin(server, request);
    server.endpoint.revoke((_principal, grant) => grant?.credentialId === 'alice.900000000');
    socket.send(rest);
    await socket.received('\r\n\r\n{');
    expect(socket.head).toMatch(/^HTTP\/1.1 401 /);
    expect(socket.head).toMatch(/www-authenticate: Bearer .*error="invalid_token"/i);
  }

  it.each(['2025', '2024'] as const)('is refused in %s, and reaches no server', async (era) => {
    const server = await wireServer({ identity });
    const session =
      era === '2025'
        ? await Session2025.open(server, { token: 'alice' })
        : await Session2024.initialized(server, { token: 'alice' });
    const authorization = 'Bearer alice.900000000';
    const request =
      session instanceof Session2025
        ? postOf('/mcp', callNow(7), session.headers({ authorization }))
        : postOf(session.path, callNow(7), { authorization });
    await expectRefused(server, request);
    expect(server.upstream.newest.methods()).not.toContain('tools/call');
    // The session is the person's, who has another credential.
    expect((await session.post(callNow(8)).whole()).status).toBe(era === '2025' ? 200 : 202);
  });

  it('is refused in 2026, and reaches no server', async () => {
    const { server, upstream } = await modernServer({ identity });
    await expectRefused(server, callNow2026(7, { token: 'alice.900000000' }));
    expect(upstream.newest.sent.map(({ method }) => method)).not.toContain('tools/call');
  });

  it('is refused in 2026 while the tools of a server of the handshake are read for it', async () => {
    const server = await wireServer({ identity });
    const reply = server.send(callNow2026(7, { token: 'alice.900000000' }));
    const list = await server.upstream.call(0, 'tools/list');
    server.endpoint.revoke((_principal, grant) => grant?.credentialId === 'alice.900000000');
    list.answer({ tools: [] });
    expect((await reply.whole()).status).toBe(401);
    expect(server.upstream.newest.methods()).not.toContain('tools/call');
  });

  it('goes on when it is only looked at what is open, however often', async () => {
    const server = await wireServer({ identity });
    const session = await Session2025.open(server, { token: 'alice' });
    const waiting = session.post(callLater(6), { authorization: 'Bearer alice.900000000' });
    const call = await server.upstream.call(0);
    const { socket, rest } = await begin(server, postOf('/mcp', callNow(7), session.headers()));
    for (let look = 0; look < 100; look += 1) {
      expect([...openCredentials([server.endpoint])]).toEqual(['alice.900000000']);
    }
    socket.send(rest);
    await socket.received('"id":7');
    expect(socket.head).toMatch(/^HTTP\/1.1 200 /);
    call.say('kept');
    expect((await waiting.whole()).text).toContain('kept');
  });

  it('goes on when it is of another', async () => {
    const server = await wireServer({ identity });
    const session = await Session2025.open(server, { token: 'alice' });
    const request = postOf('/mcp', callNow(7), session.headers());
    const { socket, rest } = await begin(server, request);
    server.endpoint.revoke(({ subject }) => subject === 'bob');
    socket.send(rest);
    await socket.received('"id":7');
    expect(socket.head).toMatch(/^HTTP\/1.1 200 /);
  });
});
