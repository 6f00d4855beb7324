/**
 * A stream ends no later than the credential it was opened with, in the way of its era, and a fresh
 * credential of the same principal takes it up again.
 */
import { describe, expect, it } from 'vitest';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { errorOf, listening, callLater as callLater2026 } from '../wire/client-2026.ts';
import { callLater, callNow, Session2024, Session2025 } from '../wire/conversation.ts';
import { timedModernServer } from '../wire/modern-server.ts';
import { timedServer, type TimedServer } from '../wire/wire-server.ts';
import { credentials } from './credentials.ts';

const UNTIL = 600_000;
const TOKEN = `alice.${UNTIL}`;

async function timed(): Promise<TimedServer> {
  let clock: VirtualClock | undefined;
  const server = await timedServer({ identity: credentials(() => clock) });
  clock = server.clock;
  return server;
}

describe('streams of a credential that ends', () => {
  it('a 2025 stream is open shortly before, and ended with a retry by then', async () => {
    const { server, pass } = await timed();
    const session = await Session2025.open(server, { token: TOKEN });
    const stream = await session.listen().head();
    await pass(UNTIL - 31_000);
    expect(stream.isEnded).toBe(false);
    await pass(31_000);
    await stream.whole();
    expect(stream.bytes).toMatch(/retry: \d+\n\n$/);
  });

  it('a fresh credential keeps the session and resumes the stream exactly', async () => {
    const { server, clock, pass } = await timed();
    const session = await Session2025.open(server, { token: TOKEN });
    const stream = await session.listen().head();
    await pass(UNTIL);
    const id = (await stream.whole()).lastEventId;
    const old = await session.listen(id).whole();
    expect(old.status).toBe(401);
    const fresh = { authorization: `Bearer alice.${clock.now() + 900_000}` };
    const resumed = await session.listen(id, fresh).head();
    expect(resumed.status).toBe(200);
    expect(resumed.header('tidegate-resume')).toBe('exact');
    const reply = await session.post(callNow(7), fresh).whole();
    expect(reply.status).toBe(200);
  });

  it('a 2024 stream ends, and answers to calls in flight wait for the one that resumes it', async () => {
    const { server, clock, pass } = await timed();
    const session = await Session2024.initialized(server, { token: TOKEN });
    await session.post(callLater(5)).whole();
    const call = await server.upstream.call(0);
    await pass(UNTIL);
    const id = (await session.stream.whole()).lastEventId;
    call.say('afterwards');
    const fresh = { authorization: `Bearer alice.${clock.now() + 900_000}` };
    const resumed = await session.comeBack(id, fresh);
    expect(resumed.status).toBe(200);
    expect((await resumed.message(0))['id']).toBe(5);
  });

  it('a stream whose credential never ends is not touched', async () => {
    const { server, pass } = await timed();
    const session = await Session2025.open(server, { token: 'alice' });
    const stream = await session.listen().head();
    await pass(UNTIL);
    expect(stream.isEnded).toBe(false);
  });

  it('the reply stream of a slow call may finish within a minute, then ends to be resumed', async () => {
    const { server, clock, pass } = await timed();
    const session = await Session2025.open(server, { token: TOKEN });
    const reply = session.post(callLater(5));
    const call = await server.upstream.call(0);
    await pass(UNTIL + 30_000);
    expect(reply.isEnded).toBe(false);
    await pass(30_000);
    const id = (await reply.whole()).lastEventId;
    call.say('late');
    const fresh = { authorization: `Bearer alice.${clock.now() + 900_000}` };
    const resumed = await session.listen(id, fresh).whole();
    expect(resumed.bytes).toContain('late');
  });
});

describe('streams of 2026 of a credential that ends', () => {
  it('a listen ends with its completion result', async () => {
    const { server, clock } = await timedModernServer({ identity: credentials() });
    const listen = await listening(server, 3, { toolsListChanged: true }, { token: TOKEN });
    clock.advance(UNTIL);
    await listen.whole();
    const result = listen.messages.at(-1)?.['result'] as { readonly resultType: string };
    expect(result.resultType).toBe('complete');
  });

  it('a call in flight has a minute to finish, then its client is told why it ends', async () => {
    const { server, clock, upstream } = await timedModernServer({ identity: credentials() });
    const reply = server.send(callLater2026(3, { token: 'alice.20000' }));
    const call = await upstream.call(0);
    clock.advance(1000);
    await reply.head();
    await pass(clock, 75_000);
    expect(reply.isEnded).toBe(false);
    await pass(clock, 5000);
    const error = await errorOf(reply);
    expect(error.message).toContain('credential ended');
    await upstream.until(() => call.isCancelled, 'the cancellation upstream');
  });
});

/** In steps between which sockets are served, so that no reader seems to stall. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
