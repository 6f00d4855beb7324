/**
 * Whoever is no longer trusted is out at once: streams, sessions and calls of a revoked credential
 * end, and nobody else notices.
 */
import { describe, expect, it } from 'vitest';
import { callLater as callLater2026, listening } from '../wire/client-2026.ts';
import { callLater, callNow, Session2024, Session2025 } from '../wire/conversation.ts';
import { modernServer } from '../wire/modern-server.ts';
import { wireServer } from '../wire/wire-server.ts';
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
