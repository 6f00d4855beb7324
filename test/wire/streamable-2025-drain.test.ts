/**
 * An orderly end as clients see it: nothing new, calls finish, streams are told when to come back.
 */
import { describe, expect, it } from 'vitest';
import {
  callLater,
  callNow,
  initialize,
  postOf,
  Session2024,
  Session2025,
} from './conversation.ts';
import { timedServer } from './wire-server.ts';

const WINDOW_MS = 20_000;
const SSE = { accept: 'text/event-stream' };

describe('while it drains', () => {
  it('new sessions are refused with 503 and -32004, and told when to try again', async () => {
    const { server } = await timedServer();
    await Session2025.open(server);
    void server.endpoint.drain(WINDOW_MS);
    const reply = await server.fetch(postOf('/mcp', initialize('2025-11-25')));
    expect(reply.status).toBe(503);
    expect(Number(reply.header('retry-after'))).toBeGreaterThan(0);
    expect(await reply.json()).toMatchObject({ id: 0, error: { code: -32004 } });
    const ready = await server.fetch({ path: '/readyz' });
    expect([ready.status, ready.text]).toEqual([503, expect.stringContaining('shutting down')]);
    expect((await server.fetch({ path: '/healthz' })).status).toBe(200);
  });

  it('W30 streams that open are told when to come back, for a 503 is final to an EventSource', async () => {
    const { server } = await timedServer();
    const session = await Session2025.open(server);
    void server.endpoint.drain(WINDOW_MS);
    const listened = await session.listen().whole();
    const opened = await server.fetch({ path: '/sse', headers: SSE });
    for (const reply of [listened, opened]) {
      expect([reply.status, reply.header('content-type')]).toEqual([200, 'text/event-stream']);
      expect(reply.blocks).toHaveLength(1);
      expect(Number(reply.blocks[0]?.retry)).toBeGreaterThan(0);
      expect(reply.isBroken).toBe(false);
    }
  });

  it('calls finish, on the reply they were begun on', async () => {
    const { server, pass } = await timedServer();
    const session = await Session2025.open(server);
    const stream = await session.post(callLater(1), SSE).head();
    const undecided = session.post(callLater(2));
    const calls = [await server.upstream.call(0), await server.upstream.call(1)];
    let isOver = false;
    const drained = server.endpoint.drain(WINDOW_MS).then(() => (isOver = true));
    await pass(WINDOW_MS / 2);
    expect(isOver).toBe(false);
    for (const call of calls) call.say('finished');
    await Promise.all([stream.whole(), undecided.whole()]);
    expect(stream.messages).toMatchObject([{ id: 1, result: {} }]);
    expect(undecided.text).toContain('finished');
    await pass(1000);
    await drained;
    expect(server.upstream.isClosed).toBe(true);
    expect(server.endpoint.status).toMatchObject({ sessions: 0, streams: 0, pending: 0 });
  });

  it('W30 streams end one after the other, cleanly, each with a retry of its own', async () => {
    let share = 0;
    const { server, clock, pass } = await timedServer({}, () => (share = (share + 0.1) % 1));
    const sessions = [await Session2025.open(server), await Session2025.open(server)];
    const streams = [
      ...(await Promise.all(sessions.map((session) => session.listen().head()))),
      (await Session2024.initialized(server)).stream,
      (await Session2024.initialized(server)).stream,
    ];
    const endedAt = new Map<unknown, number>();
    const drained = server.endpoint.drain(WINDOW_MS);
    for (let round = 0; round < 40 && endedAt.size < streams.length; round += 1) {
      await pass(500);
      await new Promise((resolve) => setTimeout(resolve, 5));
      for (const stream of streams) {
        if (stream.isEnded && !endedAt.has(stream)) endedAt.set(stream, clock.now());
      }
    }
    await drained;
    expect(new Set(endedAt.values()).size).toBeGreaterThan(1);
    expect(streams.map(({ isBroken }) => isBroken)).toEqual([false, false, false, false]);
    const retries = streams.map(({ blocks }) => blocks.at(-1)?.retry);
    for (const retry of retries) expect(Number(retry)).toBeGreaterThan(0);
    expect(new Set(retries).size).toBeGreaterThan(1);
  });

  it('known sessions are served to the end', async () => {
    const { server } = await timedServer();
    const session = await Session2025.open(server);
    session.post(callLater('keeps it from being over'));
    await server.upstream.call(0);
    void server.endpoint.drain(WINDOW_MS);
    expect((await session.post(callNow(1)).whole()).text).toContain('now');
    expect((await session.end().whole()).status).toBe(204);
  });

  it('and the window is over, what is left ends: calls with an error, streams cleanly', async () => {
    const { server, pass } = await timedServer();
    const session = await Session2025.open(server);
    const reply = await session.post(callLater(1), SSE).head();
    const undecided = session.post(callLater(2), { accept: 'application/json' });
    await server.upstream.call(1);
    const drained = server.endpoint.drain(WINDOW_MS);
    await pass(WINDOW_MS + 100);
    await drained;
    await Promise.all([reply.whole(), undecided.whole()]);
    expect([reply.isBroken, undecided.isBroken]).toEqual([false, false]);
    expect(reply.messages).toMatchObject([{ id: 1, error: {} }]);
    expect(JSON.parse(undecided.text)).toMatchObject({ id: 2, error: {} });
    expect(server.upstream.isClosed).toBe(true);
  });

  it('twice, it drains once', async () => {
    const { server, pass } = await timedServer();
    const one = server.endpoint.drain(WINDOW_MS);
    const two = server.endpoint.drain(1);
    expect(two).toBe(one);
    await pass(100);
    await one;
  });
});
