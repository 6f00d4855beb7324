/**
 * Legacy clients said by hand over a server of the stateless revision said by hand: what goes over
 * either wire, and what happens when a side leaves.
 */
import { describe, expect, it } from 'vitest';
import {
  callLater,
  initialize,
  note,
  postOf,
  rpc,
  Session2024,
  Session2025,
} from '../wire/conversation.ts';
import { modernServer, timedModernServer } from '../wire/modern-server.ts';
import type { Json, WireReply } from '../wire/wire-reply.ts';

const MODERN_ONLY = { server: { isDual: false } } as const;
const ABLE = { elicitation: {}, sampling: {}, roots: {} };
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const ROOTS = { method: 'roots/list' };
const FORM = { method: 'elicitation/create', params: { message: 'm', requestedSchema: {} } };

function inputRequired(inputRequests: Json, requestState?: string): Json {
  return { resultType: 'input_required', inputRequests, requestState };
}

/** The answer, whether the reply became a stream or not. */
async function lastOf(request: WireReply): Promise<Json | undefined> {
  await request.whole();
  return request.messages.at(-1) ?? request.json();
}

function reply(id: unknown, result: Json): Json {
  return { jsonrpc: '2.0', id, result };
}

describe('what the server sees', () => {
  it('is a request with everything this revision wants, the token ours and the rest as it came', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const session = await Session2025.open(server, { capabilities: ABLE });
    await session.post(rpc(1, 'logging/setLevel', { level: 'warning' })).whole();
    const meta = { progressToken: 'mine', traceparent: '00-1' };
    const call = session.post(rpc('a', 'tools/call', { name: 'later', _meta: meta }));
    const request = await upstream.call(0, 'tools/call');
    expect(request.params).toEqual({
      name: 'later',
      _meta: {
        progressToken: Number(request.id),
        traceparent: '00-1',
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'wire', version: '1.0.0' },
        [CAPABILITIES]: ABLE,
        'io.modelcontextprotocol/logLevel': 'warning',
      },
    });
    request.progress(1);
    request.log('no', 'info');
    request.log('yes', 'error');
    request.say('done');
    await call.whole();
    expect(call.messages).toEqual([
      note('notifications/progress', { progressToken: 'mine', progress: 1 }),
      note('notifications/message', { level: 'error', data: 'yes' }),
      reply('a', { content: [{ type: 'text', text: 'done' }] }),
    ]);
  });

  it('is none of what lives with us', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const session = await Session2025.open(server, { capabilities: ABLE });
    expect(await lastOf(session.post(rpc(1, 'ping')))).toEqual(reply(1, {}));
    await session.post(note('notifications/roots/list_changed')).whole();
    const wrong = await lastOf(session.post(rpc(2, 'logging/setLevel', { level: 'loud' })));
    expect(wrong).toMatchObject({ id: 2, error: { code: -32602 } });
    const methods = upstream.newest.sent.map(({ method }) => method);
    expect(methods).not.toContain('ping');
    expect(methods).not.toContain('notifications/initialized');
    expect(methods).not.toContain('notifications/roots/list_changed');
    expect(methods).not.toContain('logging/setLevel');
  });

  it('is a client without capabilities where the POST takes plain JSON alone', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const session = await Session2025.open(server, { capabilities: ABLE });
    const call = session.post(callLater(1), { accept: 'application/json' });
    const request = await upstream.call(0, 'tools/call');
    expect(request.meta[CAPABILITIES]).toEqual({});
    request.fail(-32021, 'no', { requiredCapabilities: { sampling: {} } });
    expect(await lastOf(call)).toMatchObject({ id: 1, result: { isError: true } });
  });
});

describe('questions on the way to a result', () => {
  it('come on the stream of their call, and the answers go up under the names of the server', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const session = await Session2025.open(server, { capabilities: ABLE });
    const call = session.post(callLater(7, 'mine'));
    const first = await upstream.call(0, 'tools/call');
    first.progress(5);
    first.answer(inputRequired({ form: FORM, there: ROOTS }, 'state'));
    await call.until(() => call.messages.length === 3, 'two questions');
    const [, form, roots] = call.messages;
    expect([form, roots]).toMatchObject([FORM, ROOTS]);
    await session.post(reply(roots?.['id'], { roots: [] })).whole();
    await session.post(reply(form?.['id'], { action: 'cancel' })).whole();
    const second = await upstream.call(1, 'tools/call');
    expect(second.id).not.toBe(first.id);
    expect(second.params).toMatchObject({
      name: 'later',
      inputResponses: { form: { action: 'cancel' }, there: { roots: [] } },
      requestState: 'state',
    });
    second.progress(4);
    second.progress(6);
    second.say('done');
    await call.whole();
    expect(call.messages.slice(3).map(({ params, result }) => params ?? result)).toMatchObject([
      { progressToken: 'mine', progress: 6 },
      { content: [{ text: 'done' }] },
    ]);
  });

  it('are answered by nobody but the session that was asked', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const asked = await Session2025.open(server, { capabilities: ABLE });
    const other = await Session2025.open(server, { capabilities: ABLE });
    const call = asked.post(callLater(1));
    (await upstream.call(0, 'tools/call')).answer(inputRequired({ there: ROOTS }));
    await call.until(() => call.messages.length === 1, 'a question');
    const id = call.messages[0]?.['id'];
    await other.post(reply(id, { roots: ['stolen'] })).whole();
    await asked.post(reply('1', { roots: ['wrong id'] })).whole();
    await asked.post(reply(id, { roots: ['right'] })).whole();
    const again = await upstream.call(1, 'tools/call');
    expect(again.params['inputResponses']).toEqual({ there: { roots: ['right'] } });
    again.say('done');
    await call.whole();
  });

  it('are taken back when the call is cancelled, and nothing goes up any more', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const session = await Session2024.initialized(server, { capabilities: ABLE });
    await session.post(callLater(1)).whole();
    (await upstream.call(0, 'tools/call')).answer(inputRequired({ there: ROOTS }));
    const question = await session.stream.message(1);
    await session.post(note('notifications/cancelled', { requestId: 1 })).whole();
    expect(await session.stream.message(2)).toMatchObject({
      method: 'notifications/cancelled',
      params: { requestId: question['id'] },
    });
    await session.post(reply(question['id'], { roots: [] })).whole();
    await session.post(callLater(2)).whole();
    expect((await upstream.call(1, 'tools/call')).params).not.toHaveProperty('inputResponses');
  });

  it('that nobody answers end the call after ten minutes', async () => {
    const { server, upstream, clock } = await timedModernServer(MODERN_ONLY);
    const session = await Session2024.initialized(server, { capabilities: ABLE });
    await session.post(callLater(1)).whole();
    (await upstream.call(0, 'tools/call')).answer(inputRequired({ there: ROOTS }));
    await session.stream.message(1);
    clock.advance(599_999);
    expect(session.stream.messages).toHaveLength(2);
    clock.advance(1);
    await session.stream.message(3);
    expect(session.stream.messages.slice(2)).toMatchObject([
      { method: 'notifications/cancelled' },
      { id: 1, result: { isError: true } },
    ]);
  });
});

describe('when a side leaves', () => {
  it('a cancelled call is cancelled at the server', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const session = await Session2025.open(server);
    const call = session.post(callLater(1));
    const request = await upstream.call(0, 'tools/call');
    await session.post(note('notifications/cancelled', { requestId: 1 })).whole();
    await upstream.until(() => request.isCancelled, 'the cancellation');
    expect((await call.whole()).messages).toEqual([]);
  });

  it('a client that loses its POST does not: the answer waits for it', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const session = await Session2025.open(server);
    const call = session.post(callLater(1, 'mine'));
    const request = await upstream.call(0, 'tools/call');
    request.progress(1);
    await call.until(() => call.messages.length === 1, 'progress');
    const lastId = call.blocks.findLast(({ id }) => id !== undefined)?.id;
    call.leave();
    request.say('kept');
    const resumed = session.listen(lastId);
    await resumed.until(() => resumed.messages.length === 1, 'the answer');
    expect(resumed.messages[0]).toMatchObject({ id: 1, result: { content: [{ text: 'kept' }] } });
    expect(request.isCancelled).toBe(false);
  });

  it('a server that dies loses its calls, and the session goes on with the next', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const session = await Session2025.open(server, { capabilities: ABLE });
    const stream = await session.listen().head();
    const call = session.post(callLater(1));
    const waiting = session.post(callLater(2));
    await upstream.call(0, 'tools/call');
    (await upstream.call(1, 'tools/call')).answer(inputRequired({ there: ROOTS }));
    await waiting.until(() => waiting.messages.length === 1, 'a question');
    upstream.newest.die();
    expect(await lastOf(call)).toMatchObject({ id: 1, error: { code: -32010 } });
    await stream.until(() => stream.messages.length >= 3, 'a hint that lists may have changed');
    expect(stream.messages.map(({ method }) => method)).toEqual([
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
    ]);
    await session.post(reply(waiting.messages[0]?.['id'], { roots: [] })).whole();
    const again = await upstream.call(2, 'tools/call');
    expect(again.params['inputResponses']).toEqual({ there: { roots: [] } });
    again.say('done');
    expect((await waiting.whole()).messages[1]).toMatchObject({ id: 2 });
  });

  it('a session that ends gives its listen and its calls up', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const session = await Session2025.open(server);
    const listen = await upstream.listen(0);
    session.post(callLater(1));
    const request = await upstream.call(0, 'tools/call');
    await session.end().whole();
    await upstream.until(() => listen.isCancelled && request.isCancelled, 'both to be over');
  });
});

describe('subscriptions', () => {
  it('are answered when the wider listen is acknowledged, before the narrower one ends', async () => {
    const { server, upstream } = await modernServer({
      server: { isDual: false, holdsListens: true },
    });
    const session = await Session2025.open(server);
    const narrow = await upstream.listen(0);
    narrow.acknowledge();
    const asked = session.post(rpc(1, 'resources/subscribe', { uri: 'a:b' }));
    const wide = await upstream.listen(1);
    expect(wide.asked).toMatchObject({ toolsListChanged: true, resourceSubscriptions: ['a:b'] });
    expect([asked.isEnded, narrow.isCancelled]).toEqual([false, false]);
    wide.acknowledge();
    expect(await lastOf(asked)).toEqual(reply(1, {}));
    await upstream.until(() => narrow.isCancelled, 'the end of the narrower listen');
    const stream = await session.listen().head();
    wide.say('notifications/resources/updated', { uri: 'a:b' });
    await stream.until(() => stream.messages.length === 1, 'an update');
    expect(stream.messages).toEqual([note('notifications/resources/updated', { uri: 'a:b' })]);
  });

  it.each([
    ['cancelled', note('notifications/cancelled', { requestId: 1 })],
    ['unsubscribed', rpc(2, 'resources/unsubscribe', { uri: 'a:b' })],
  ])('that are %s before they are in place are none', async (_, givenUp) => {
    const { server, upstream } = await modernServer({
      server: { isDual: false, holdsListens: true },
    });
    const session = await Session2025.open(server);
    (await upstream.listen(0)).acknowledge();
    const asked = session.post(rpc(1, 'resources/subscribe', { uri: 'a:b' }));
    const wide = await upstream.listen(1);
    await session.post(givenUp).whole();
    await asked.whole();
    wide.acknowledge();
    const stream = await session.listen().head();
    wide.say('notifications/resources/updated', { uri: 'a:b' });
    wide.say('notifications/tools/list_changed');
    await stream.until(() => stream.messages.length > 0, 'a change');
    expect(stream.messages).toEqual([note('notifications/tools/list_changed')]);
    wide.end();
    expect((await upstream.listen(2)).asked).not.toHaveProperty('resourceSubscriptions');
  });

  it('the server does not honour are refused', async () => {
    const honours = (): Json => ({ toolsListChanged: true });
    const { server } = await modernServer({ server: { isDual: false, honours } });
    const session = await Session2025.open(server);
    const refused = session.post(rpc(1, 'resources/subscribe', { uri: 'a:b' }));
    expect(await lastOf(refused)).toMatchObject({ id: 1, error: { code: -32602 } });
  });

  it.each([
    ['number', { subscriptionsPerOwnerMax: 2 }],
    ['characters', { subscriptionCharsMax: 8 }],
  ])('are bounded in %s, those that wait included', async (_, limits) => {
    const { server, upstream } = await modernServer({
      server: { isDual: false, holdsListens: true },
      limits,
    });
    const session = await Session2025.open(server);
    session.post(rpc(1, 'resources/subscribe', { uri: 'test' }));
    session.post(rpc(2, 'resources/subscribe', { uri: 'next' }));
    const refused = session.post(rpc(3, 'resources/subscribe', { uri: 'more' }));
    expect(await lastOf(refused)).toMatchObject({ id: 3, error: { code: -32003 } });
    // One that is subscribed already is not one more.
    const again = session.post(rpc(4, 'resources/subscribe', { uri: 'test' }));
    for (const index of [0, 1]) (await upstream.listen(index)).acknowledge();
    expect(await lastOf(again)).toEqual(reply(4, {}));
  });

  it('that end are taken up again, and the client is told to look again', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const session = await Session2025.open(server);
    await session.post(rpc(1, 'resources/subscribe', { uri: 'a:b' })).whole();
    const stream = await session.listen().head();
    (await upstream.listen(1)).end();
    expect((await upstream.listen(2)).asked).toMatchObject({ resourceSubscriptions: ['a:b'] });
    await stream.until(() => stream.messages.length === 4, 'hints');
    expect(stream.messages.at(-1)).toEqual(note('notifications/resources/updated', { uri: 'a:b' }));
  });
});

it('an upstream that is down answers initialize with an error, not with a status', async () => {
  const { server, upstream } = await modernServer({
    server: { isDual: false, holdsDiscover: true },
  });
  const opening = server.send(postOf('/mcp', initialize('2025-11-25')));
  (await upstream.call(0, 'server/discover')).connection.die();
  expect(await lastOf(opening)).toMatchObject({ id: 0, error: { code: -32010 } });
  expect(opening.status).toBe(200);
});

it('structured content comes back inside an object where the schema was shown inside one', async () => {
  const outputSchema = { anyOf: [{ type: 'object' }, { type: 'null' }] };
  const tools = [{ name: 'later', inputSchema: { type: 'object' }, outputSchema }];
  const { server, upstream } = await modernServer({ server: { isDual: false, tools } });
  const session = await Session2025.open(server);
  const call = session.post(callLater(1));
  const request = await upstream.call(0, 'tools/call');
  request.answer({ content: [], structuredContent: { a: 1 } });
  expect(await lastOf(call)).toMatchObject({
    result: { structuredContent: { result: { a: 1 } } },
  });
});

describe('who shares an instance', () => {
  it('is nobody with isolation session, and the instance ends with its session', async () => {
    const { server, upstream } = await modernServer(MODERN_ONLY);
    const [one, two] = [await Session2025.open(server), await Session2025.open(server)];
    const replies = [one.post(callLater(1)), two.post(callLater(1))];
    const [first, second] = [await upstream.call(0), await upstream.call(1)];
    expect(first.connection).not.toBe(second.connection);
    await one.end().whole();
    await upstream.until(() => first.connection.isOver, 'the end of the instance');
    expect(second.connection.isOver).toBe(false);
    second.say('done');
    expect(await lastOf(replies[1] as WireReply)).toMatchObject({ id: 1, result: {} });
  });

  it('is every session of a principal with isolation principal', async () => {
    const { server, upstream } = await modernServer({ ...MODERN_ONLY, isolation: 'principal' });
    for (const session of [await Session2025.open(server), await Session2025.open(server)]) {
      session.post(callLater(1));
    }
    const [first, second] = [await upstream.call(0), await upstream.call(1)];
    expect(first.connection).toBe(second.connection);
  });

  it('is bounded: a session that finds no room is refused, and its place is free when one ends', async () => {
    const limits = { upstreamInstancesMax: 1 };
    const { server } = await modernServer({ ...MODERN_ONLY, limits });
    const one = await Session2025.open(server);
    const refused = await server.send(postOf('/mcp', initialize('2025-11-25'))).whole();
    expect(refused.status).toBe(503);
    await one.end().whole();
    expect((await server.send(postOf('/mcp', initialize('2025-11-25'))).whole()).status).toBe(200);
  });
});
