/** Readers that do not read: bounded, closed with a name, and welcome back. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { get, RawClient } from '../http/raw-client.ts';
import { callNow, Session2025 } from './conversation.ts';
import { eventually } from './signal.ts';
import { timedServer, wireServer, type WireServer } from './wire-server.ts';

const CHUNK = 'x'.repeat(100_000);

interface Closed {
  readonly kind: string;
  readonly reason: string;
}

function watcher(): { readonly closed: Closed[]; readonly telemetry: never } {
  const closed: Closed[] = [];
  const telemetry = {
    log: () => {},
    count: () => {},
    request: () => {},
    streamClosed: (_era: string, kind: string, reason: string) => closed.push({ kind, reason }),
  };
  return { closed, telemetry: telemetry as never };
}

/** A standalone stream whose reader has had its beginning and takes nothing more. */
async function stuckReader(server: WireServer, session: Session2025): Promise<RawClient> {
  const client = await RawClient.open(server.port);
  onTestFinished(() => client.destroy());
  const id = `Mcp-Session-Id: ${session.id}`;
  client.send(get('/mcp', ['Accept: text/event-stream', id]));
  await client.untilReceived('retry: ');
  client.socket.pause();
  return client;
}

function sayMuch(server: WireServer, data: string): void {
  server.upstream.newest.say('notifications/message', { level: 'info', data });
}

describe('a reader that takes nothing', () => {
  it('V49 is closed at the bound, while memory and its neighbours stay as they are', async () => {
    const { closed, telemetry } = watcher();
    const server = await wireServer({ telemetry, limits: { streamQueueBytesMax: 200_000 } });
    const neighbour = await Session2025.open(server);
    const session = await Session2025.open(server);
    await stuckReader(server, session);
    let sent = 0;
    while (closed.length === 0) {
      sayMuch(server, CHUNK);
      sent += CHUNK.length;
      if (sent > 64_000_000) throw new Error('The reader was never closed.');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(closed).toEqual([{ kind: 'standalone', reason: 'slow-reader' }]);
    expect((await session.post(callNow(1)).whole()).status).toBe(200);
    expect((await neighbour.post(callNow(1)).whole()).status).toBe(200);
  });

  it('V49 is cut when it stalls for 10 s, and may come back for what it missed', async () => {
    const { closed, telemetry } = watcher();
    const limits = { streamQueueBytesMax: 1e9, logBytesMax: 1e9, sessionIdleMs: 1e9 };
    const { server, clock, pass } = await timedServer({ telemetry, limits });
    const session = await Session2025.open(server);
    const client = await stuckReader(server, session);
    const [, id = ''] = /id: (\S+)/.exec(client.received) ?? [];
    // More than any kernel keeps for a connection, so that some of it waits with us.
    for (let count = 0; count < 200; count += 1) sayMuch(server, CHUNK);
    await pass(9000);
    expect(closed).toEqual([]);
    const cutAfter = clock.now();
    await pass(4000);
    expect(closed).toEqual([{ kind: 'standalone', reason: 'stalled' }]);
    expect(clock.now() - cutAfter).toBeLessThanOrEqual(4000);
    const back = await session.listen(id).head();
    expect(back.header('tidegate-resume')).toBe('exact');
    await back.message(199);
    expect(back.messageBlocks).toHaveLength(200);
  });

  it('V50 and vanished is not kept for ever: its session ends, and its upstream with it', async () => {
    const { server, pass } = await timedServer();
    const session = await Session2025.open(server);
    const client = await stuckReader(server, session);
    client.destroy();
    await eventually(() => server.endpoint.status.streams === 0, 'the loss of the stream');
    await pass(600_000);
    await eventually(() => server.upstream.open.length === 0, 'the end of the upstream');
    expect(server.endpoint.status).toMatchObject({ sessions: 0, upstreamInstances: 0 });
  });
});
