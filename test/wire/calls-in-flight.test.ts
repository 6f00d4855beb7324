/**
 * What becomes of a call in flight when its server, its client or their trust ends, for clients of
 * every era over servers of both kinds: it is answered once at most, and nothing of it is left.
 */
import { describe, expect, it } from 'vitest';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { callLater as callLater2026 } from './client-2026.ts';
import { callLater, Session2024, Session2025 } from './conversation.ts';
import { timedModernServer } from './modern-server.ts';
import { eventually } from './signal.ts';
import type { Json, WireReply } from './wire-reply.ts';
import { timedServer, type WireServer } from './wire-server.ts';

/** A call as its server sees it. */
interface Seen {
  readonly isCancelled: boolean;
  readonly connection: { die(): void; isFull: boolean };
  say(text: string): void;
}

interface Host {
  readonly server: WireServer;
  readonly clock: VirtualClock;
  readonly call: (index: number) => Promise<Seen>;
}

const SERVERS: Readonly<Record<string, () => Promise<Host>>> = {
  legacy: async () => {
    const hand = { kind: 'stdio', capabilities: { logging: {} } } as const;
    const { server, clock } = await timedServer({ hand });
    await server.endpoint.ready();
    return { server, clock, call: (index) => server.upstream.call(index, 'tools/call') };
  },
  modern: async () => {
    const script = { kind: 'stdio', isDual: false } as const;
    const { server, clock, upstream } = await timedModernServer({ server: script });
    return { server, clock, call: (index) => upstream.call(index, 'tools/call') };
  },
};

interface Caller {
  /** Where the answers come, of now. */
  readonly reply: WireReply;
  /** Ends its session, where there is one. */
  readonly endSession?: () => Promise<unknown>;
  /** Comes back for the rest, where that is possible. */
  readonly comeBack?: () => Promise<WireReply>;
}

const CLIENTS: Readonly<Record<string, (server: WireServer) => Promise<Caller>>> = {
  2024: async (server) => {
    const session = await Session2024.initialized(server);
    await session.post(callLater('mine')).whole();
    return {
      reply: session.stream,
      comeBack: () => session.comeBack(session.stream.lastEventId),
    };
  },
  2025: async (server) => {
    const session = await Session2025.open(server);
    const reply = session.post(callLater('mine'), { accept: 'text/event-stream' });
    await (await reply.head()).block(0);
    return {
      reply,
      endSession: () => session.end().whole(),
      comeBack: () => session.listen(reply.lastEventId).head(),
    };
  },
  2026: async (server) => ({ reply: server.send(callLater2026('mine')) }),
};

function answersIn({ messages, text, isEnded }: WireReply): readonly Json[] {
  const isJson = isEnded && text.startsWith('{');
  const all = isJson ? [JSON.parse(text) as Json] : messages;
  return all.filter(({ id, method }) => id === 'mine' && method === undefined);
}

const PAIRS = Object.keys(CLIENTS).flatMap((client) =>
  Object.keys(SERVERS).map((server) => ({ client, server })),
);

describe.each(PAIRS)('a call of $client at a $server server', ({ client, server: kind }) => {
  async function begin(): Promise<Host & { readonly caller: Caller; readonly seen: Seen }> {
    const host = await (SERVERS[kind] as () => Promise<Host>)();
    const calling = (CLIENTS[client] as (server: WireServer) => Promise<Caller>)(host.server);
    const seen = await host.call(0);
    const caller = await calling;
    host.clock.advance(50);
    await caller.reply.head();
    return { ...host, caller, seen };
  }

  const isQuiet = async ({ server }: Host): Promise<void> => {
    await eventually(() => server.endpoint.status.pending === 0, 'no call in flight');
  };

  const leavesNothing = async (host: Host): Promise<void> => {
    const { server, clock } = host;
    await isQuiet(host);
    await server.close();
    expect(server.endpoint.status).toMatchObject({ sessions: 0, streams: 0, pending: 0 });
    expect(server.endpoint.status.upstreamInstances).toBe(0);
    expect(clock.pending).toBe(0);
  };

  it('is answered once where the server dies, and a late answer goes nowhere', async () => {
    const all = await begin();
    all.seen.connection.die();
    await all.caller.reply.until(() => answersIn(all.caller.reply).length > 0, 'the answer');
    all.seen.say('late');
    all.clock.advance(3000);
    await all.server.fetch({ path: '/healthz' });
    expect(answersIn(all.caller.reply)).toMatchObject([{ error: { code: -32010 } }]);
    await leavesNothing(all);
  });

  it.each(['revoke', 'expire'] as const)('is given up by %s, and its server told', async (how) => {
    const all = await begin();
    all.server.endpoint[how](() => true);
    await eventually(() => all.seen.isCancelled, 'the cancellation');
    await isQuiet(all);
    all.seen.say('late');
    await all.server.fetch({ path: '/healthz' });
    expect(answersIn(all.caller.reply).length).toBeLessThanOrEqual(1);
    expect(all.caller.reply.text).not.toContain('late');
    await leavesNothing(all);
  });

  it('is answered in the window of a shutdown', async () => {
    const all = await begin();
    const drained = all.server.endpoint.drain(1000);
    all.seen.say('in time');
    const { reply } = all.caller;
    await reply.until(() => reply.text.includes('in time'), 'the answer');
    all.clock.advance(1000);
    await drained;
    expect(answersIn(reply)).toHaveLength(1);
    await leavesNothing(all);
  });

  it('is ended after the window of a shutdown', async () => {
    const all = await begin();
    const drained = all.server.endpoint.drain(1000);
    all.clock.advance(1000);
    await drained;
    await all.caller.reply.until(() => all.caller.reply.isEnded, 'the end');
    expect(answersIn(all.caller.reply).length).toBeLessThanOrEqual(1);
    await leavesNothing(all);
  });

  it('goes on or is cancelled where its client leaves, and is answered to who comes back', async () => {
    const all = await begin();
    const { reply, comeBack } = all.caller;
    const { streams } = all.server.endpoint.status;
    reply.leave();
    await eventually(() => all.server.endpoint.status.streams < streams, 'its end');
    if (comeBack === undefined) {
      await eventually(() => all.seen.isCancelled, 'the cancellation');
    } else {
      expect(all.seen.isCancelled).toBe(false);
      all.seen.say('kept');
      await isQuiet(all);
      const back = await comeBack();
      await back.until(() => answersIn(back).length > 0, 'the answer');
      expect(answersIn(back)).toHaveLength(1);
      expect(back.text).toContain('kept');
    }
    await leavesNothing(all);
  });

  it('is told to its server where its queue was full when the client gave it up', async () => {
    const all = await begin();
    all.seen.connection.isFull = true;
    all.server.endpoint.revoke(() => true);
    await isQuiet(all);
    all.seen.connection.isFull = false;
    all.clock.advance(1000);
    const isOver = (): boolean => all.seen.isCancelled || isClosed(all.seen);
    await eventually(isOver, 'the cancellation');
    await leavesNothing(all);
  });
});

/** Whether its conversation is over: that of one session ends with the session. */
function isClosed({ connection }: Seen): boolean {
  return (connection as { readonly isOver?: boolean }).isOver === true;
}

it.each(Object.keys(SERVERS))(
  'a call of a session that is deleted is answered once at a %s server',
  async (kind) => {
    const { server, clock, call } = await (SERVERS[kind] as () => Promise<Host>)();
    const { reply, endSession } = await (
      CLIENTS['2025'] as (server: WireServer) => Promise<Caller>
    )(server);
    const seen = await call(0);
    await endSession?.();
    await reply.whole();
    seen.say('late');
    await server.fetch({ path: '/healthz' });
    expect(answersIn(reply)).toHaveLength(1);
    expect(answersIn(reply)[0]).toHaveProperty('error');
    await eventually(() => seen.isCancelled || isClosed(seen), 'the cancellation');
    expect(server.endpoint.status).toMatchObject({ sessions: 0, streams: 0, pending: 0 });
    await server.close();
    expect(clock.pending).toBe(0);
  },
);
