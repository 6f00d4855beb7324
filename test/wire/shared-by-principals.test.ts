/** What one principal may take of a server that it shares with others, and what these are left. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { callLater, callNow, type Said, textOf } from './client-2026.ts';
import type { HandCall } from './hand-upstream.ts';
import { people } from './people.ts';
import type { Json } from './wire-reply.ts';
import { timedServer, type WireOptions, wireServer, type WireServer } from './wire-server.ts';

const SESSIONS_MAX = 4;
const SAMPLING = { sampling: {} };

/** Which capabilities a client may declare, each set with a session of its own upstream. */
const SETS: readonly Json[] = [
  { sampling: {} },
  { elicitation: {} },
  { roots: {} },
  { roots: {}, sampling: {} },
  { roots: {}, elicitation: {} },
  { sampling: {}, elicitation: {} },
];

/** A server that cannot say for which call it asks. */
const OPTIONS: WireOptions = {
  hand: { kind: 'stdio', capabilities: {} },
  isolation: 'shared',
  limits: { bridgedSessionsPerOwnerMax: SESSIONS_MAX },
};

async function sharedServer(): Promise<WireServer> {
  const server = await wireServer({ ...OPTIONS, identity: people() });
  await server.endpoint.ready();
  return server;
}

function said(token: string, clientCapabilities: Json): Said {
  return { token, meta: { clientCapabilities } };
}

async function crowd(server: WireServer): Promise<HandCall> {
  for (let call = 0; call < 2 * SESSIONS_MAX; call += 1) {
    server.send(callLater(call, said('alice', SAMPLING)));
  }
  return server.upstream.call(0, 'tools/call');
}

describe('a server of the handshake revisions that principals share', () => {
  it('serves one between calls of another that may ask, however many of them wait', async () => {
    const server = await sharedServer();
    const first = await crowd(server);
    const bob = server.send(callLater(1, said('bob', SAMPLING), 'of-bob'));
    // An answer to this one says that all before it were taken in.
    await server.fetch(callNow(2, said('bob', {})));
    first.say('done');
    (await server.upstream.call(1, 'tools/call')).say('done');
    const third = await server.upstream.call(2, 'tools/call');
    expect(third.params['name']).toBe('of-bob');
    third.say('here');
    expect(await textOf(await bob.whole())).toBe('here');
  });

  it('serves one elsewhere when a call of another that may ask does not end', async () => {
    const { server, pass } = await timedServer({ ...OPTIONS, identity: people() });
    await crowd(server);
    const bob = server.send(callNow(1, said('bob', SAMPLING)));
    await server.fetch(callNow(2, said('bob', {})));
    await pass(2 * DEFAULT_LIMITS.sharedTurnMsMax);
    expect(await textOf(await bob.whole())).toBe('now');
    for (let call = 0; call < SESSIONS_MAX; call += 1) {
      const next = server.send(callNow(call, said('bob', SAMPLING)));
      expect(await textOf(await next.whole())).toBe('now');
    }
    expect(server.upstream.calls.length).toBeLessThanOrEqual(SESSIONS_MAX / 2);
  });

  it('has a session for one when another has as many as it may', async () => {
    const server = await sharedServer();
    const replies = SETS.slice(0, SESSIONS_MAX).map((set, id) =>
      server.send(callLater(id, said('alice', set))),
    );
    const refused = await Promise.any(replies.map((reply) => reply.whole()));
    expect(refused.status).toBe(503);
    const bob = await server.fetch(callNow(1, said('bob', SETS[SESSIONS_MAX] ?? {})));
    expect(await textOf(bob)).toBe('now');
  });
});
