/**
 * What policies know of a server's tools: read where the call goes, ahead of the first one there and
 * when it is old, so that no tool is called for what it was once.
 */
import { describe, expect, it } from 'vitest';
import { PolicyAccess } from '../../src/adapters/policy/policy-access.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import { callNow as callNow2026 } from '../wire/client-2026.ts';
import { callNow, initialize, note, rpc, Session2024, Session2025 } from '../wire/conversation.ts';
import type { HandCall } from '../wire/hand-upstream.ts';
import { timedModernServer } from '../wire/modern-server.ts';
import type { Json, WireReply } from '../wire/wire-reply.ts';
import {
  type TimedServer,
  timedServer,
  type WireOptions,
  type WireServer,
} from '../wire/wire-server.ts';

const LIMITS = { toolFactsMsMax: 60_000 };

/** Permits the tool while it says that it changes nothing. */
function readers(access: PolicyAccess = undecided()): PolicyAccess {
  const allow = [{ tools: ['now'], readOnly: true }];
  access.prepare({ sources: [], allow, arguments: {} })();
  return access;
}

/** Before there are policies. */
function undecided(): PolicyAccess {
  return new PolicyAccess({ telemetry: silent, wallMs: () => 0 });
}

function toolOf(readOnlyHint: boolean): Json {
  return { name: 'now', inputSchema: { type: 'object' }, annotations: { readOnlyHint } };
}

/** Whose first list, which the gate's own conversation reads, says that the tool is read-only. */
async function reading(options: WireOptions = {}): Promise<TimedServer> {
  const timed = await timedServer({ access: readers(), limits: LIMITS, ...options });
  await listed(timed, 0, true);
  return timed;
}

function listOf({ server }: TimedServer, index: number): Promise<HandCall> {
  return server.upstream.call(index, 'tools/list');
}

async function listed(timed: TimedServer, index: number, readOnlyHint: boolean): Promise<void> {
  (await listOf(timed, index)).answer({ tools: [toolOf(readOnlyHint)] });
}

function listCount({ server }: TimedServer): number {
  return server.upstream.calls.filter(({ method }) => method === 'tools/list').length;
}

async function called(session: Session2025): Promise<number> {
  return (await session.post(callNow(1)).whole()).status;
}

describe('what tools say of themselves', () => {
  it('is read ahead of the first call of each conversation, and of no other request', async () => {
    const timed = await reading();
    const session = await Session2025.open(timed.server);
    expect((await session.post(rpc(1, 'ping')).whole()).status).toBe(200);
    expect(listCount(timed)).toBe(1);
    const first = called(session);
    await listed(timed, 1, false);
    expect(await first).toBe(403);
    expect(await called(session)).toBe(403);
    const other = await Session2025.open(timed.server);
    const theirs = called(other);
    await listed(timed, 2, true);
    expect(await theirs).toBe(200);
    expect(listCount(timed)).toBe(3);
  });

  it('is read again of a server that was started anew', async () => {
    const timed = await reading();
    const session = await Session2025.open(timed.server);
    const before = called(session);
    await listed(timed, 1, true);
    expect(await before).toBe(200);
    timed.server.upstream.newest.die();
    await timed.pass(1000);
    const after = called(session);
    await listed(timed, 2, false);
    expect(await after).toBe(403);
    expect(timed.server.upstream.newest.methods()).not.toContain('tools/call');
  });

  it('is read again with the next call when it is old', async () => {
    const timed = await reading();
    const session = await Session2025.open(timed.server);
    const first = called(session);
    await listed(timed, 1, true);
    expect(await first).toBe(200);
    await timed.pass(59_500);
    expect(await called(session)).toBe(200);
    await timed.pass(500);
    expect(listCount(timed)).toBe(2);
    const late = [called(session), called(session)];
    await listed(timed, 2, false);
    expect(await Promise.all(late)).toEqual([403, 403]);
    expect(listCount(timed)).toBe(3);
  });

  it('counts for nothing while it cannot be read, for which calls wait three seconds', async () => {
    const timed = await reading();
    const session = await Session2025.open(timed.server);
    const first = called(session);
    const silentList = await listOf(timed, 1);
    await timed.pass(3000);
    expect(await first).toBe(403);
    await timed.server.upstream.until(() => silentList.isCancelled, 'the cancellation');
    expect(await called(session)).toBe(403);
    await timed.pass(5000);
    const refused = called(session);
    (await listOf(timed, 2)).fail(-32603, 'Not now.');
    expect(await refused).toBe(403);
    await timed.pass(5000);
    const again = called(session);
    await listed(timed, 3, true);
    expect(await again).toBe(200);
  });

  it('counts in the conversation that said it, whatever others say', async () => {
    const timed = await reading();
    const [one, other] = [
      await Session2025.open(timed.server),
      await Session2025.open(timed.server),
    ];
    const refused = called(one);
    await listed(timed, 1, false);
    expect(await refused).toBe(403);
    const first = called(other);
    await listed(timed, 2, true);
    expect(await first).toBe(200);
    expect(await called(one)).toBe(403);
    expect(await called(other)).toBe(200);
    expect(listCount(timed)).toBe(3);
    // What its client is shown counts as well.
    const shown = other.post(rpc(2, 'tools/list')).whole();
    await listed(timed, 3, false);
    expect((await shown).status).toBe(200);
    expect(await called(other)).toBe(403);
  });

  it('is waited for by no call that its client cancels meanwhile', async () => {
    const timed = await reading();
    const session = await Session2025.open(timed.server, { version: '2025-03-26' });
    const alone = session.post(callNow(1));
    const first = await listOf(timed, 1);
    const other = await Session2025.open(timed.server, { version: '2025-03-26' });
    const batch = other.post([callNow(2), callNow(3), rpc(4, 'ping')]);
    const second = await listOf(timed, 2);
    for (const requestId of [1, 2, 3]) {
      const cancelled = note('notifications/cancelled', { requestId });
      const theirs = requestId === 1 ? session : other;
      expect((await theirs.post(cancelled).whole()).status).toBe(202);
    }
    for (const list of [first, second]) list.answer({ tools: [toolOf(true)] });
    expect((await alone.whole()).status).toBe(202);
    expect((await batch.whole()).text).toContain('"id":4');
    const sent = timed.server.upstream.connections.flatMap((each) => each.methods());
    expect(sent).not.toContain('tools/call');
    const old = await Session2024.initialized(timed.server);
    const called2024 = old.post(callNow(5));
    const third = await listOf(timed, 3);
    await old.post(note('notifications/cancelled', { requestId: 5 })).whole();
    third.answer({ tools: [toolOf(true)] });
    expect((await called2024.whole()).status).toBe(202);
    await old.post(rpc(6, 'ping')).whole();
    expect(await old.stream.message(1)).toMatchObject({ id: 6 });
    expect(timed.server.upstream.newest.methods()).not.toContain('tools/call');
  });

  it('is waited for as long as its server starts, and then as ever', async () => {
    const hand = { holdsInitialize: true };
    const timed = await reading({ isolation: 'shared', hand });
    const { upstream } = timed.server;
    const opened = Session2025.open(timed.server);
    const started = { protocolVersion: '2025-11-25', capabilities: { tools: {} } };
    (await upstream.call(0, 'initialize')).answer(started);
    const session = await opened;
    upstream.newest.die();
    await timed.pass(1000);
    const starting = await upstream.call(1, 'initialize');
    const first = called(session);
    await timed.pass(5500);
    starting.answer(started);
    await timed.pass(2500);
    await listed(timed, 1, true);
    expect(await first).toBe(200);
  });

  it('counts on for as long again where a busy server does not say it once more', async () => {
    const timed = await reading();
    const session = await Session2025.open(timed.server);
    const first = called(session);
    await listed(timed, 1, true);
    expect(await first).toBe(200);
    await timed.pass(60_000);
    const late = called(session);
    await listOf(timed, 2);
    await timed.pass(3000);
    expect(await late).toBe(200);
    await timed.pass(57_000);
    const refused = called(session);
    (await listOf(timed, 3)).fail(-32603, 'Not now.');
    expect(await refused).toBe(403);
  });

  it('that never counts for longer than it takes is read once for each call', async () => {
    const timed = await reading({ limits: { toolFactsMsMax: 0 } });
    const session = await Session2025.open(timed.server);
    const first = called(session);
    await listed(timed, 1, true);
    expect(await first).toBe(200);
    await timed.pass(500);
    const next = called(session);
    await listed(timed, 2, false);
    expect(await next).toBe(403);
  });

  it('is read before a call of a client of 2024', async () => {
    const timed = await reading();
    const session = await Session2024.initialized(timed.server);
    const refused = session.post(callNow(1));
    await listed(timed, 1, false);
    expect((await refused.whole()).status).toBe(403);
  });

  it.each([true, false])(
    'is read before a call that comes ahead of the handshake, whatever others say: %s',
    async (isReadOnly) => {
      const timed = await reading({ hand: { holdsInitialize: true } });
      const { upstream } = timed.server;
      // Of a client that does not know that its session is new, and of one in a hurry.
      for (const [index, opens] of [undefined, initialize('2024-11-05')].entries()) {
        const session = await Session2024.open(timed.server);
        if (opens !== undefined) await session.post(opens).whole();
        const call = session.post(callNow(1));
        (await upstream.call(index, 'initialize')).answer({
          protocolVersion: '2024-11-05',
          capabilities: { tools: {} },
        });
        await listed(timed, index + 1, isReadOnly);
        expect((await call.whole()).status).toBe(isReadOnly ? 202 : 403);
        expect(upstream.newest.methods().includes('tools/call')).toBe(isReadOnly);
      }
    },
  );

  it('is not waited for where the handshake fails: the session is over', async () => {
    const timed = await reading({ hand: { holdsInitialize: true } });
    const session = await Session2024.open(timed.server);
    const call = session.post(callNow(1));
    (await timed.server.upstream.call(0, 'initialize')).fail(-32603, 'Not now.');
    expect((await call.whole()).status).toBe(404);
  });

  it('is read before a call of a client of 2026, whatever its server speaks', async () => {
    const timed = await reading();
    const refused = timed.server.send(callNow2026(1));
    await listed(timed, 1, false);
    expect((await refused.whole()).status).toBe(403);
    const tools = [toolOf(true)];
    const modern = await timedModernServer({
      access: readers(),
      limits: LIMITS,
      server: { tools },
    });
    const statusOf = async (): Promise<number> =>
      (await modern.server.fetch(callNow2026(1))).status;
    expect(await statusOf()).toBe(200);
    tools[0] = toolOf(false);
    expect(await statusOf()).toBe(200);
    modern.clock.advance(60_000);
    expect(await statusOf()).toBe(403);
    tools[0] = toolOf(true);
    modern.clock.advance(60_000);
    expect(await statusOf()).toBe(200);
  });

  it('is not read where no policy looks at it', async () => {
    const access = new PolicyAccess({ telemetry: silent, wallMs: () => 0 });
    access.prepare({ sources: [], allow: [{ tools: ['now'] }], arguments: {} })();
    const timed = await timedServer({ access, limits: LIMITS });
    const session = await Session2025.open(timed.server);
    expect(await called(session)).toBe(200);
    expect(listCount(timed)).toBe(0);
  });
});

const CHANGED = 'notifications/tools/list_changed';

describe('what tools said before they changed', () => {
  it('counts no more while they are read again, for which calls wait', async () => {
    const timed = await reading();
    const session = await Session2025.open(timed.server);
    const first = called(session);
    await listed(timed, 1, true);
    expect(await first).toBe(200);
    timed.server.upstream.newest.say(CHANGED);
    const refused = called(session);
    await listed(timed, 2, false);
    expect(await refused).toBe(403);
    expect(listCount(timed)).toBe(3);
  });

  it('counts never where they change whenever they are asked for, which is once a second', async () => {
    const timed = await reading();
    const session = await Session2025.open(timed.server);
    const { newest } = timed.server.upstream;
    const changing = async (index: number): Promise<void> => {
      const list = await listOf(timed, index);
      newest.say(CHANGED);
      list.answer({ tools: [toolOf(true)] });
    };
    const call = called(session);
    for (const index of [1, 2]) await changing(index);
    expect(await call).toBe(403);
    expect(newest.methods()).not.toContain('tools/call');
    for (const index of [3, 4]) {
      const counted = listCount(timed);
      await timed.pass(500);
      expect(listCount(timed)).toBe(counted);
      await timed.pass(500);
      await changing(index);
    }
    const waiting = called(session);
    await timed.pass(1000);
    await listed(timed, 5, true);
    expect(await waiting).toBe(200);
  });

  it('keeps nobody out for long who calls elsewhere, when they cannot be read again', async () => {
    const timed = await reading();
    const { upstream } = timed.server;
    const sessions: Session2025[] = [];
    for (const index of [1, 2]) {
      const session = await Session2025.open(timed.server);
      const call = called(session);
      await listed(timed, index, true);
      expect(await call).toBe(200);
      sessions.push(session);
    }
    const [other, changing] = sessions as [Session2025, Session2025];
    upstream.newest.say(CHANGED);
    (await listOf(timed, 3)).fail(-32603, 'Not now.');
    expect(await Promise.all([called(changing), called(other)])).toEqual([403, 403]);
    await timed.pass(5000);
    await listed(timed, 4, true);
    expect(await Promise.all([called(changing), called(other)])).toEqual([200, 200]);
    expect(listCount(timed)).toBe(5);
    // One that ends before it said what they are now takes nothing from others.
    upstream.newest.say(CHANGED);
    await listOf(timed, 5);
    upstream.newest.die();
    expect(await called(other)).toBe(200);
  });

  it('hides them from no list that says something else', async () => {
    const timed = await reading();
    const session = await Session2025.open(timed.server);
    const first = called(session);
    await listed(timed, 1, true);
    expect(await first).toBe(200);
    timed.server.upstream.newest.say(CHANGED);
    (await listOf(timed, 2)).fail(-32603, 'Not now.');
    expect(await called(session)).toBe(403);
    for (const [index, isReadOnly] of [true, false].entries()) {
      const shown = session.post(rpc(2, 'tools/list')).whole();
      await listed(timed, 3 + index, isReadOnly);
      expect((await shown).text.includes('"now"')).toBe(isReadOnly);
    }
  });
});

describe('what tools say once policies begin to look at it', () => {
  /** The gate's own reading of the list, which a reload begins, is not answered. */
  async function reloaded(call: (server: WireServer) => Promise<WireReply>): Promise<{
    readonly timed: TimedServer;
    readonly reply: WireReply;
  }> {
    const access = undecided();
    const timed = await timedServer({ access, limits: LIMITS });
    await timed.server.endpoint.ready();
    readers(access);
    timed.server.endpoint.learn();
    await listOf(timed, 0);
    return { timed, reply: await call(timed.server) };
  }

  // For those of 2026 the list is read for the headers of a call, too.
  it.each([
    [
      '2024 that skips the handshake',
      202,
      1,
      async (server: WireServer) => (await Session2024.open(server)).post(callNow(1)),
    ],
    [
      '2025',
      200,
      1,
      async (server: WireServer) => (await Session2025.open(server)).post(callNow(1)),
    ],
    [
      '2026 at a server of the handshake revisions with which there is no session yet',
      200,
      2,
      (server: WireServer) => Promise.resolve(server.send(callNow2026(1))),
    ],
  ])('decides about the first call of a client of %s', async (_, status, lists, call) => {
    const allowed = await reloaded(call);
    for (let i = 1; i <= lists; i += 1) await listed(allowed.timed, i, true);
    expect((await allowed.reply.whole()).status).toBe(status);
    const refused = await reloaded(call);
    await listed(refused.timed, 1, false);
    expect((await refused.reply.whole()).status).toBe(403);
    expect(refused.timed.server.upstream.newest.methods()).not.toContain('tools/call');
  });
});
