/** What a server is told while its queue has no room: it learns of it once there is some. */
import { describe, expect, it } from 'vitest';
import { callLater as callLater2026 } from './client-2026.ts';
import { callLater, note, rpc, Session2024, Session2025 } from './conversation.ts';
import { timedModernServer } from './modern-server.ts';
import { eventually } from './signal.ts';
import { timedServer } from './wire-server.ts';

const CANCELLED = 'notifications/cancelled';

describe('a cancellation', () => {
  it.each([
    ['2025', Session2025.open.bind(Session2025)],
    ['2024', Session2024.initialized.bind(Session2024)],
  ])('of %s reaches a server whose queue was full once there is room', async (_, open) => {
    const { server, clock } = await timedServer();
    const session = await open(server);
    session.post(callLater(1));
    const call = await server.upstream.call(0);
    call.connection.isFull = true;
    await session.post(note(CANCELLED, { requestId: 1 })).whole();
    clock.advance(1000);
    expect(call.isCancelled).toBe(false);
    call.connection.isFull = false;
    clock.advance(1000);
    await server.upstream.until(() => call.isCancelled, 'the cancellation');
    const told = call.connection.methods().filter((method) => method === CANCELLED);
    expect(told).toHaveLength(1);
    expect(server.endpoint.status.pending).toBe(0);
  });

  it('of 2026, by leaving, does as well', async () => {
    const { server, upstream, clock } = await timedModernServer();
    const reply = server.send(callLater2026(1));
    const call = await upstream.call(0);
    clock.advance(50);
    await reply.head();
    call.connection.isFull = true;
    reply.leave();
    await eventually(() => server.endpoint.status.pending === 0, 'the end of the call');
    call.connection.isFull = false;
    clock.advance(1000);
    await upstream.until(() => call.isCancelled, 'the cancellation');
  });

  it('of a call whose time is over does as well', async () => {
    const { server, clock, pass } = await timedServer({ limits: { callMsMax: 5000 } });
    const session = await Session2025.open(server);
    const reply = session.post(callLater(1));
    const call = await server.upstream.call(0);
    call.connection.isFull = true;
    await pass(6000);
    await reply.whole();
    call.connection.isFull = false;
    clock.advance(1000);
    await server.upstream.until(() => call.isCancelled, 'the cancellation');
  });

  it('is nothing to the next conversation of a server that died meanwhile', async () => {
    const { server, clock, pass } = await timedServer();
    const session = await Session2025.open(server);
    session.post(callLater(1));
    const call = await server.upstream.call(0);
    call.connection.isFull = true;
    await session.post(note(CANCELLED, { requestId: 1 })).whole();
    call.connection.die();
    await pass(3000);
    const { upstream } = server;
    await upstream.until(() => upstream.newest !== call.connection, 'a restart');
    await upstream.until(() => upstream.newest.methods().length > 1, 'its handshake');
    clock.advance(2000);
    expect(upstream.newest.methods()).not.toContain(CANCELLED);
  });
});

it('an answer to a question reaches a server whose queue was full once there is room', async () => {
  const { server, clock } = await timedServer();
  const session = await Session2025.open(server, { capabilities: { elicitation: {} } });
  const reply = session.post(callLater(1), { accept: 'text/event-stream' });
  const call = await server.upstream.call(0);
  call.ask('q', 'elicitation/create', { message: 'Sure?', requestedSchema: {} });
  const asked = await reply.message(0);
  call.connection.isFull = true;
  await session.post({ jsonrpc: '2.0', id: asked['id'], result: { action: 'accept' } }).whole();
  call.connection.isFull = false;
  const answers = (): number =>
    call.connection.sent.filter(({ kind }) => kind === 'response').length;
  clock.advance(1000);
  await server.upstream.until(() => answers() === 1, 'the answer');
  expect((await session.post(rpc(2, 'ping')).whole()).status).toBe(200);
  expect(answers()).toBe(1);
});
