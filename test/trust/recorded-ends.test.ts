/** What the record says of streams whose connection was cut: why, and not that their client left. */
import { createEndpoint } from 'tidegate';
import { serve } from 'tidegate/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AuditEntry } from '../../src/core/access.ts';
import { get, RawClient } from '../http/raw-client.ts';
import { Session2025 } from '../wire/conversation.ts';
import { HandUpstream } from '../wire/hand-upstream.ts';
import { eventually } from '../wire/signal.ts';
import { WireServer } from '../wire/wire-server.ts';

const CHUNK = 'x'.repeat(500_000);

describe('the end of a stream on the record', () => {
  it('V49 says that too much waited for all readers together', async () => {
    const entries: AuditEntry[] = [];
    const audit = {
      fault: () => undefined,
      record: (entry: unknown): void => void entries.push(entry as AuditEntry),
    };
    const upstream = new HandUpstream();
    const limits = { streamQueueBytesMax: 1e9, logBytesMax: 1e9 };
    const endpoint = createEndpoint({ upstream, audit, limits });
    const served = await serve(endpoint, {
      port: 0,
      drainMs: 0,
      limits: { unsentTotalBytesMax: 1_000_000 },
    });
    const server = new WireServer(served.port, upstream, endpoint, () => served.close());
    onTestFinished(() => server.close());
    const session = await Session2025.open(server);
    const client = await RawClient.open(server.port);
    onTestFinished(() => client.destroy());
    client.send(get('/mcp', ['Accept: text/event-stream', `Mcp-Session-Id: ${session.id}`]));
    await client.untilReceived('retry: ');
    client.socket.pause();
    const ends = (): readonly AuditEntry[] =>
      entries.filter(({ event }) => event === 'disconnected');
    // More than any kernel keeps for a connection.
    for (let sent = 0; sent < 60; sent += 1) {
      upstream.newest.say('notifications/message', { level: 'info', data: CHUNK });
    }
    await eventually(() => ends().length > 0, 'the end of the stream');
    expect(ends()).toMatchObject([{ era: '2025', outcome: 'unread' }]);
  });
});
