/**
 * EventSource clients that come back without the id of the last event: they find a new session,
 * take its endpoint, and go on as if they had never been away.
 */
import { describe, expect, it } from 'vitest';
import {
  callLater,
  callNow,
  initialize,
  note,
  rpc,
  Session2024,
  Session2025,
} from './conversation.ts';
import { wireServer } from './wire-server.ts';

const TEXT = 'result.content.0.text';

describe.each(['session', 'shared'] as const)('isolation %s', (isolation) => {
  it('W7 a call without a handshake is answered, after a handshake on its behalf', async () => {
    const server = await wireServer({ isolation });
    const session = await Session2024.open(server);
    expect((await session.post(callNow('a')).whole()).status).toBe(202);
    expect((await session.post(callNow('b')).whole()).status).toBe(202);
    await session.stream.until(() => session.stream.messages.length === 3, 'a notice and answers');
    const [notice, first, second] = session.stream.messages;
    expect(notice).toMatchObject({ method: 'notifications/tools/list_changed' });
    expect([first?.['id'], second?.['id']]).toEqual(['a', 'b']);
    expect(first).toHaveProperty(TEXT, 'now');
    const sent = server.upstream.newest.methods();
    expect(sent).toEqual(['initialize', 'notifications/initialized', 'tools/call', 'tools/call']);
  });

  it('W7 it cannot be initialized besides', async () => {
    const server = await wireServer({ isolation });
    const session = await Session2024.open(server);
    await session.post(callNow('a')).whole();
    await session.stream.message(1);
    const refused = await session.post(initialize('2024-11-05')).whole();
    expect([refused.status, refused.text.includes('-32600')]).toEqual([400, true]);
  });

  it('W7 a ping before any handshake starts none', async () => {
    const server = await wireServer({ isolation });
    const session = await Session2024.open(server);
    await session.post(rpc('p', 'ping')).whole();
    expect(await session.stream.message(0)).toMatchObject({ id: 'p', result: {} });
    await session.post(initialize('2024-11-05')).whole();
    expect(await session.stream.message(1)).toHaveProperty('result.protocolVersion');
  });
});

describe('a server that is slow to shake hands', () => {
  const slow = { hand: { holdsInitialize: true } };

  it('W7 calls wait for it, in order; a cancelled one is never sent', async () => {
    const server = await wireServer(slow);
    const session = await Session2024.open(server);
    for (const id of ['a', 'b', 'c']) await session.post(callLater(id)).whole();
    const handshake = await server.upstream.call(0, 'initialize');
    await session.post(note('notifications/cancelled', { requestId: 'b' })).whole();
    const answer = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      serverInfo: { name: 'n', version: '1' },
    };
    handshake.answer(answer);
    (await server.upstream.call(0, 'tools/call')).say('first');
    (await server.upstream.call(1, 'tools/call')).say('second');
    await session.stream.message(1);
    expect(session.stream.messages.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(session.stream.text).not.toContain('protocolVersion');
  });

  it('W7 when it refuses, every call that waited is answered and the session ends', async () => {
    const server = await wireServer(slow);
    const session = await Session2024.open(server);
    for (const id of ['a', 'b']) await session.post(callLater(id)).whole();
    (await server.upstream.call(0, 'initialize')).fail(-32603, 'Not today');
    await session.stream.whole();
    expect(session.stream.messages).toMatchObject([
      { id: 'a', error: { code: -32001 } },
      { id: 'b', error: { code: -32001 } },
    ]);
    expect((await session.post(callNow('c')).whole()).status).toBe(404);
  });

  it('W7 no more calls wait than a client may have in flight', async () => {
    const server = await wireServer({ ...slow, limits: { pendingPerOwnerMax: 2 } });
    const session = await Session2024.open(server);
    for (const id of ['a', 'b', 'c']) await session.post(callLater(id)).whole();
    expect(await session.stream.message(0)).toMatchObject({ id: 'c', error: { code: -32003 } });
  });
});

it('W20 a session of 2025 is not given a handshake: its id came with one', async () => {
  const server = await wireServer();
  const session = await Session2025.open(server);
  expect((await session.post(callNow(1)).whole()).status).toBe(200);
  const { newest } = server.upstream;
  expect(newest.methods().filter((method) => method === 'initialize')).toHaveLength(1);
});
