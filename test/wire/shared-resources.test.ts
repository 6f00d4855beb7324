/** Resources that many subscribe at a server of the handshake revisions that they share. */
import { describe, expect, it } from 'vitest';
import { callNow, listening, listenTo, textOf } from './client-2026.ts';
import { callNow as plainCall, rpc, Session2025 } from './conversation.ts';
import { people } from './people.ts';
import { eventually } from './signal.ts';
import { wireServer, type WireServer } from './wire-server.ts';

const PLACES = 8;
const LIMITS = { pendingPerUpstreamMax: PLACES, pendingPerOwnerMax: 3, subscribeMsMax: 60_000 };
const URIS = Array.from({ length: 2 * PLACES }, (_, index) => `test://${index}`);

async function crowded(): Promise<WireServer> {
  const server = await wireServer({
    hand: { kind: 'stdio', capabilities: { resources: { subscribe: true } } },
    isolation: 'shared',
    identity: people(),
    limits: LIMITS,
  });
  await server.endpoint.ready();
  server.send(listenTo(1, { resourceSubscriptions: URIS }, { token: 'alice' }));
  await server.upstream.call(LIMITS.pendingPerOwnerMax - 1, 'resources/subscribe');
  return server;
}

function asked(server: WireServer): readonly unknown[] {
  return server.upstream.calls.map(({ params }) => params['uri']);
}

describe('resources that one subscribes at a server that principals share', () => {
  it('take no place of the calls of others while they are asked for', async () => {
    const server = await crowded();
    expect(await textOf(await server.fetch(callNow(1, { token: 'bob' })))).toBe('now');
    expect(asked(server)).toEqual(URIS.slice(0, LIMITS.pendingPerOwnerMax));
  });

  it('keep no other waiting, not even for one that they have in common', async () => {
    const server = await crowded();
    const last = URIS.at(-1) ?? '';
    const wanted = { resourceSubscriptions: [last] };
    const bob = server.send(listenTo(1, wanted, { token: 'bob' }));
    const call = await server.upstream.call(LIMITS.pendingPerOwnerMax, 'resources/subscribe');
    expect(call.params['uri']).toBe(last);
    call.answer({});
    await bob.message(0);
  });

  it('are all asked for once, and given back, whatever their number', async () => {
    const server = await crowded();
    const { upstream } = server;
    const answer = async (count: number, method: string): Promise<void> => {
      for (let index = 0; index < count; index += 1) {
        (await upstream.call(index, method)).answer({});
      }
    };
    await answer(URIS.length, 'resources/subscribe');
    const same = await listening(server, 2, { resourceSubscriptions: URIS }, { token: 'alice' });
    expect(asked(server)).toEqual(URIS);
    same.leave();
    await server.fetch(callNow(3, { token: 'bob' }));
    upstream.newest.die();
    await upstream.call(URIS.length + 2, 'resources/subscribe');
    const again = upstream.calls.slice(URIS.length);
    expect(again.map(({ params }) => params['uri'])).toEqual(URIS.slice(0, 3));
    for (let index = 0; index < URIS.length; index += 1) {
      (await upstream.call(URIS.length + index, 'resources/subscribe')).answer({});
    }
    await eventually(() => asked(server).length === 2 * URIS.length, 'all again');
  });
});

async function session(server: WireServer, token: string, uris: readonly string[]) {
  const { upstream } = server;
  const opened = await Session2025.open(server, { token });
  for (const uri of uris) {
    const before = upstream.calls.length;
    const reply = opened.post(rpc(1, 'resources/subscribe', { uri }));
    (await upstream.call(before)).answer({});
    await reply.whole();
  }
  return opened;
}

async function sessions(): Promise<{
  readonly server: WireServer;
  readonly alice: Session2025;
  readonly bob: Session2025;
}> {
  const server = await wireServer({
    hand: { kind: 'stdio', capabilities: { resources: { subscribe: true } } },
    isolation: 'shared',
    identity: people(),
    limits: LIMITS,
  });
  const alice = await session(server, 'alice', URIS);
  return { server, alice, bob: await session(server, 'bob', ['test://bob']) };
}

describe('resources that a session has at a server that principals share', () => {
  it('take no place of the calls of others when they are given back', async () => {
    const { server, alice, bob } = await sessions();
    await alice.end().whole();
    await server.upstream.call(LIMITS.pendingPerOwnerMax - 1, 'resources/unsubscribe');
    expect((await bob.post(plainCall(1)).whole()).text).toContain('now');
    for (const [index, uri] of URIS.entries()) {
      const call = await server.upstream.call(index, 'resources/unsubscribe');
      expect(call.params['uri']).toBe(uri);
      call.answer({});
    }
  });

  it('keep those of no other waiting when the server was started again', async () => {
    const { server, bob } = await sessions();
    const before = server.upstream.calls.length;
    server.upstream.newest.die();
    await eventually(() => asked(server).slice(before).includes('test://bob'), 'that of bob');
    expect((await bob.post(plainCall(1)).whole()).text).toContain('now');
    expect(asked(server).slice(before, -1)).toEqual(URIS.slice(0, LIMITS.pendingPerOwnerMax));
  });
});
