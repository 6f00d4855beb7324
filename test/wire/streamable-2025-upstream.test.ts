/** What clients see of an upstream that dies, loops, cannot be started, or asks them something. */
import { describe, expect, it } from 'vitest';
import {
  callLater,
  callNow,
  initialize,
  note,
  postOf,
  rpc,
  Session2024,
  Session2025,
} from './conversation.ts';
import type { HandCall } from './hand-upstream.ts';
import { eventually } from './signal.ts';
import type { WireReply } from './wire-reply.ts';
import { type TimedServer, timedServer, wireServer } from './wire-server.ts';

const UNAVAILABLE = { error: { code: -32010, message: 'upstream unavailable' } };

describe('death', () => {
  it('answers every pending call at once with -32010, whatever form its reply has', async () => {
    const server = await wireServer({ limits: { replyDecisionMs: 60_000 } });
    const session = await Session2025.open(server);
    const undecided = session.post(callLater(1));
    const stream = await session.post(callLater('2'), { accept: 'text/event-stream' }).head();
    const left = await session.post(callLater(3), { accept: 'text/event-stream' }).head();
    await left.block(0);
    await server.upstream.call(2);
    left.leave();
    server.upstream.newest.die();
    expect(await undecided.json()).toMatchObject({ id: 1, ...UNAVAILABLE });
    await stream.whole();
    expect(stream.messages).toMatchObject([{ id: '2', ...UNAVAILABLE }]);
    const back = await session.listen(left.lastEventId).whole();
    expect(back.messages).toMatchObject([{ id: 3, ...UNAVAILABLE }]);
  });

  it('is followed by a restart with the same handshake, and by a call to look again', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server, { capabilities: { sampling: {} } });
    const stream = await session.listen().head();
    for (const [id, method, params] of [
      [1, 'resources/subscribe', { uri: 'file:///a' }],
      [2, 'logging/setLevel', { level: 'warning' }],
    ] as const) {
      const reply = session.post(rpc(id, method, params));
      (await server.upstream.call(id - 1)).answer({});
      await reply.whole();
    }
    const refused = session.post(rpc(3, 'resources/subscribe', { uri: 'file:///refused' }));
    (await server.upstream.call(2)).fail(-32602, 'Not for you.');
    await refused.whole();
    const first = server.upstream.newest;
    const asked = first.sent.find(({ method }) => method === 'initialize');
    first.die();
    await server.upstream.until(() => server.upstream.newest !== first, 'a restart');
    const second = server.upstream.newest;
    await server.upstream.call(4);
    expect(second.methods().slice(0, 2)).toEqual(['initialize', 'notifications/initialized']);
    expect(second.sent[0]?.value).toEqual(asked?.value);
    const restored = second.sent.slice(2).map(({ method, value }) => [method, value]);
    expect(restored).toContainEqual(['resources/subscribe', { uri: 'file:///a' }]);
    expect(restored).toContainEqual(['logging/setLevel', { level: 'warning' }]);
    expect(JSON.stringify(restored)).not.toContain('refused');
    expect(await stream.message(0)).toMatchObject({ method: 'notifications/tools/list_changed' });
    expect((await session.post(callNow(9)).whole()).status).toBe(200);
    expect(second.methods()).toContain('tools/call');
  });

  it('of one session is not felt by another', async () => {
    const server = await wireServer();
    const one = await Session2025.open(server);
    const mine = server.upstream.newest;
    const two = await Session2025.open(server);
    const pending = two.post(callLater(1));
    const call = await server.upstream.call(0);
    mine.die();
    expect(call.connection.isOver).toBe(false);
    call.say('unharmed');
    await pending.whole();
    expect(pending.text).toContain('unharmed');
    await eventually(() => server.upstream.open.length === 2, 'the restart');
    expect((await one.post(callNow(1)).whole()).status).toBe(200);
  });

  it('again and again waits longer each time, refuses calls meanwhile, and is not ready', async () => {
    const { server, clock, pass } = await timedServer();
    const session = await Session2025.open(server);
    const { upstream } = server;
    upstream.isBroken = true;
    const starts: number[] = [];
    upstream.newest.die();
    for (let known = upstream.connections.length; starts.length < 6; clock.advance(1)) {
      await Promise.resolve();
      if (upstream.connections.length === known) continue;
      known = upstream.connections.length;
      starts.push(clock.now());
      await Promise.resolve();
    }
    const waits = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(125 * 2 ** index);
      expect(wait).toBeLessThanOrEqual(250 * 2 ** index + 5);
    }
    const refused = await session.post(callNow(1)).whole();
    expect(await refused.json()).toMatchObject({ id: 1, ...UNAVAILABLE });
    const ready = await server.fetch({ path: '/readyz' });
    expect([ready.status, ready.text]).toEqual([503, expect.stringContaining('again and again')]);
    upstream.isBroken = false;
    await pass(60_000);
    expect((await session.post(callNow(2)).whole()).text).toContain('now');
    expect((await server.fetch({ path: '/readyz' })).status).toBe(200);
  });
});

describe('an upstream that cannot be started', () => {
  it('is refused with 502 and -32010 until it can, and then served without our restart', async () => {
    const { server, pass } = await timedServer({ hand: { isBroken: true } });
    const refused = await server.fetch(postOf('/mcp', initialize('2025-11-25')));
    expect(refused.status).toBe(502);
    expect(await refused.json()).toMatchObject(UNAVAILABLE);
    const sse = await server.fetch({ path: '/sse', headers: { accept: 'text/event-stream' } });
    expect(sse.status).toBe(502);
    expect((await server.fetch({ path: '/readyz' })).status).toBe(503);
    server.upstream.isBroken = false;
    await pass(60_000);
    const opened = await server.fetch(postOf('/mcp', initialize('2025-11-25')));
    expect(opened.status).toBe(200);
  });

  it('for one session answers its initialize with -32010 and leaves no session', async () => {
    const server = await wireServer();
    await server.endpoint.ready();
    server.upstream.isBroken = true;
    const reply = await server.fetch(postOf('/mcp', initialize('2025-11-25')));
    expect(await reply.json()).toMatchObject({ id: 0, ...UNAVAILABLE });
    await eventually(() => server.endpoint.status.sessions === 0, 'the end of the session');
  });
});

describe('a server that refuses', () => {
  it('initialize leaves its error as it is, and no session', async () => {
    const server = await wireServer({ hand: { holdsInitialize: true } });
    const reply = server.send(postOf('/mcp', initialize('2025-11-25')));
    (await server.upstream.call(0, 'initialize')).fail(-32602, 'Not you.');
    expect(await reply.json()).toMatchObject({
      id: 0,
      error: { code: -32602, message: 'Not you.' },
    });
    expect(server.endpoint.status.sessions).toBe(0);
  });
});

describe('questions', () => {
  it('reach the client under ids of ours, and are answered under those of the server', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server, { capabilities: { sampling: {} } });
    const replies = [session.post(callLater(1)), session.post(callLater(2))];
    const calls = [await server.upstream.call(0), await server.upstream.call(1)];
    for (const [index, call] of calls.entries()) {
      call.ask(7, 'sampling/createMessage', { messages: [], maxTokens: index });
    }
    const questions = await Promise.all(replies.map((reply) => reply.message(0)));
    const ids = questions.map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    const answer = { jsonrpc: '2.0', id: ids[1], result: { role: 'assistant' } };
    await session.post(answer).whole();
    await session.post({ ...answer, id: 7 }).whole();
    const answers = server.upstream.newest.sent.filter(({ kind }) => kind === 'response');
    expect(answers.map(({ id, value }) => [id, value])).toEqual([['7', { role: 'assistant' }]]);
  });

  it('that the server takes back are taken back from the client', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const stream = await session.listen().head();
    server.upstream.newest.say('roots/list', undefined, { id: 'r' });
    const { id } = await stream.message(0);
    server.upstream.newest.say('notifications/cancelled', { requestId: 'r', reason: 'enough' });
    const params = { requestId: id, reason: 'enough' };
    expect(await stream.message(1)).toMatchObject({ method: 'notifications/cancelled', params });
    await session.post({ jsonrpc: '2.0', id, result: { roots: [] } }).whole();
    expect(server.upstream.newest.methods()).not.toContain('response');
  });

  it('of a session that ends are answered with an error, so that nobody waits', async () => {
    const server = await wireServer({ isolation: 'shared' });
    const session = await Session2025.open(server, { capabilities: { sampling: {} } });
    const reply = session.post(callLater(1));
    const call = await server.upstream.call(0);
    call.ask('q', 'sampling/createMessage', { messages: [] });
    await reply.message(0);
    await session.end().whole();
    const { connection } = call;
    await server.upstream.until(() => call.isCancelled, 'the cancellation');
    const answer = connection.sent.find(({ kind }) => kind === 'response');
    expect([answer?.id, answer?.isError]).toEqual(['"q"', true]);
  });
});

describe('questions of a call that is over', () => {
  const withdrawn = (id: unknown) => ({
    method: 'notifications/cancelled',
    params: { requestId: id },
  });

  async function asked(
    { server }: Pick<TimedServer, 'server'>,
    isNamed = true,
  ): Promise<{ session: Session2025; reply: WireReply; call: HandCall; id: unknown }> {
    const session = await Session2025.open(server, { capabilities: { sampling: {} } });
    const reply = session.post(callLater(1));
    const call = await server.upstream.call(0);
    if (isNamed) call.ask('q', 'sampling/createMessage', { messages: [] });
    else call.connection.say('sampling/createMessage', { messages: [] }, { id: 'q' });
    const { id } = await reply.message(0);
    return { session, reply, call, id };
  }

  it('are taken back on its stream when the client cancels it, and refused behind that', async () => {
    const server = await wireServer();
    const { session, reply, call, id } = await asked({ server });
    await session.post(note('notifications/cancelled', { requestId: 1 })).whole();
    await reply.whole();
    expect(reply.messages.slice(1)).toMatchObject([withdrawn(id)]);
    await server.upstream.until(() => call.isCancelled, 'the cancellation');
    await session.post({ jsonrpc: '2.0', id, result: { role: 'assistant' } }).whole();
    const { connection } = call;
    expect(connection.methods().slice(-2)).toEqual(['notifications/cancelled', 'response']);
    expect(connection.sent.at(-1)).toMatchObject({ id: '"q"', isError: true });
  });

  it('are taken back before its answer, or before the error of a call that lasts too long', async () => {
    const timed = await timedServer({ limits: { callMsMax: 20_000 } });
    const { session, reply, call, id } = await asked(timed);
    call.say('done');
    await reply.whole();
    expect(reply.messages.slice(1)).toMatchObject([withdrawn(id), { id: 1, result: {} }]);
    const late = session.post(callLater(2));
    const other = await timed.server.upstream.call(1);
    other.ask('r', 'sampling/createMessage', { messages: [] });
    const question = await late.message(0);
    await timed.pass(22_000);
    await late.whole();
    const error = { code: -32013 };
    expect(late.messages.slice(1)).toMatchObject([withdrawn(question['id']), { id: 2, error }]);
  });

  it('are taken back when the server dies, as those of no call are where they were asked', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server, { capabilities: { sampling: {} } });
    const stream = await session.listen().head();
    server.upstream.newest.say('roots/list', undefined, { id: 'r' });
    const roots = await stream.message(0);
    const reply = session.post(callLater(1));
    const call = await server.upstream.call(0);
    call.ask('q', 'sampling/createMessage', { messages: [] });
    const { id } = await reply.message(0);
    call.connection.die();
    await reply.whole();
    expect(reply.messages.slice(1)).toMatchObject([withdrawn(id), { id: 1, ...UNAVAILABLE }]);
    expect(await stream.message(1)).toMatchObject(withdrawn(roots['id']));
  });

  it('are not taken back once they are answered, or the server took them back itself', async () => {
    const server = await wireServer();
    const { session, reply, call, id } = await asked({ server });
    await session.post({ jsonrpc: '2.0', id, result: { role: 'assistant' } }).whole();
    call.ask('again', 'sampling/createMessage', { messages: [] });
    const again = await reply.message(1);
    call.connection.say('notifications/cancelled', { requestId: 'again' });
    expect(await reply.message(2)).toMatchObject(withdrawn(again['id']));
    call.say('done');
    await reply.whole();
    expect(reply.messages.slice(3)).toMatchObject([{ id: 1, result: {} }]);
  });

  it('that we only took for its own outlive its answer, and not its cancellation', async () => {
    const server = await wireServer({ hand: { kind: 'stdio' } });
    const { session, reply, call, id } = await asked({ server }, false);
    call.say('done');
    await reply.whole();
    expect(reply.messages.slice(1)).toMatchObject([{ id: 1, result: {} }]);
    await session.post({ jsonrpc: '2.0', id, result: { role: 'assistant' } }).whole();
    const { connection } = call;
    await server.upstream.until(() => connection.methods().at(-1) === 'response', 'the answer');
    expect(connection.sent.at(-1)).toMatchObject({ id: '"q"', isError: false });
    const next = session.post(callLater(2));
    await server.upstream.call(1);
    connection.say('sampling/createMessage', { messages: [] }, { id: 'r' });
    const question = await next.message(0);
    await session.post(note('notifications/cancelled', { requestId: 2 })).whole();
    await next.whole();
    expect(next.messages.slice(1)).toMatchObject([withdrawn(question['id'])]);
  });

  it('are taken back from nobody else', async () => {
    const server = await wireServer({ isolation: 'shared' });
    const { reply, call, id } = await asked({ server });
    const other = await Session2025.open(server, { capabilities: { sampling: {} } });
    const stream = await other.listen().head();
    const theirs = other.post(callLater(1));
    const second = await server.upstream.call(1);
    call.say('done');
    await reply.whole();
    expect(reply.messages.slice(1)).toMatchObject([withdrawn(id), { id: 1 }]);
    second.say('done');
    await theirs.whole();
    expect(theirs.text).not.toContain('notifications/cancelled');
    call.connection.say('notifications/tools/list_changed');
    expect(await stream.message(0)).toMatchObject({ method: 'notifications/tools/list_changed' });
  });

  it('are taken back on the one stream of a client of 2024', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server, { capabilities: { sampling: {} } });
    await session.post(callLater(1)).whole();
    const call = await server.upstream.call(0);
    call.ask('q', 'sampling/createMessage', { messages: [] });
    const { id } = await session.stream.message(1);
    await session.post(note('notifications/cancelled', { requestId: 1 })).whole();
    expect(await session.stream.message(2)).toMatchObject(withdrawn(id));
  });
});

describe('cancelled', () => {
  it('W31 calls are cancelled upstream under the id they have there', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = session.post(callLater('mine'));
    const call = await server.upstream.call(0);
    expect(call.id).toMatch(/^\d+$/);
    const params = { requestId: 'mine', reason: 'changed my mind' };
    await session.post(note('notifications/cancelled', params)).whole();
    await reply.whole();
    await server.upstream.until(() => call.isCancelled, 'the cancellation');
  });

  it('W31 calls that last too long are cancelled upstream and answered with -32013', async () => {
    const { server, pass } = await timedServer({ limits: { callMsMax: 20_000 } });
    const session = await Session2025.open(server);
    const reply = session.post(callLater(1));
    const call = await server.upstream.call(0);
    await pass(22_000);
    await reply.whole();
    expect(reply.messages).toMatchObject([{ id: 1, error: { code: -32013 } }]);
    await server.upstream.until(() => call.isCancelled, 'the cancellation');
  });
});
