/**
 * What is POSTed to Streamable HTTP of the 2025 revisions, and the form of its reply.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server
 */
import { describe, expect, it } from 'vitest';
import { callLater, callNow, initialize, note, postOf, rpc, Session2025 } from './conversation.ts';
import type { WireReply } from './wire-reply.ts';
import { timedServer, wireServer } from './wire-server.ts';

const STREAM = 'text/event-stream';
const JSON_TYPE = 'application/json';

describe('the form of a reply', () => {
  it('W10 is one JSON object when the answer is quick and alone', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = await session.post(callNow(1)).whole();
    expect([reply.status, reply.header('content-type')]).toEqual([200, JSON_TYPE]);
    expect(reply.header('cache-control')).toBe('no-store');
    const result = { content: [{ type: 'text', text: 'now' }] };
    expect(await reply.json()).toEqual({ jsonrpc: '2.0', id: 1, result });
  });

  it('W10 stays JSON until 50 ms have passed, and is a stream from then on', async () => {
    const { server, clock } = await timedServer();
    const session = await Session2025.open(server);
    const [quick, slow] = [session.post(callLater(1)), session.post(callLater(2))];
    const calls = [await server.upstream.call(0), await server.upstream.call(1)];
    const callOf = (isQuick: boolean): (typeof calls)[0] =>
      calls[isQuick ? 0 : 1] as (typeof calls)[0];
    clock.advance(49);
    callOf(true).say('in time');
    expect((await quick.whole()).header('content-type')).toBe(JSON_TYPE);
    expect(slow.hasHead).toBe(false);
    clock.advance(1);
    expect((await slow.head()).header('content-type')).toBe(STREAM);
    callOf(false).say('late');
    expect(await slow.message(0)).toMatchObject({ result: { content: [{ text: 'late' }] } });
    await slow.whole();
  });

  it('W10 is a stream at once when a notification comes first', async () => {
    const server = await wireServer({ limits: { replyDecisionMs: 60_000 } });
    const session = await Session2025.open(server);
    const reply = session.post(callLater(1));
    const call = await server.upstream.call(0);
    call.log('working');
    await reply.head();
    expect([reply.status, reply.header('content-type')]).toEqual([200, STREAM]);
    expect(await reply.message(0)).toMatchObject({ method: 'notifications/message' });
    call.say('done');
    expect(await reply.message(1)).toMatchObject({ id: 1 });
  });

  it('W10 W40 the head of a stream leaves before its handler has finished', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const late = await session.post(callLater(1)).head();
    const only = await session.post(callLater(2), { accept: STREAM }).head();
    expect([late.status, only.status]).toEqual([200, 200]);
    for (const reply of [late, only]) expect((await reply.block(0)).id).toBeDefined();
    expect(server.upstream.calls).toHaveLength(2);
    expect([late.isEnded, only.isEnded]).toEqual([false, false]);
  });

  it('W38 a stream ends after the last response of its POST, and not before', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = await session.post(callLater(1)).head();
    const call = await server.upstream.call(0);
    for (const data of ['a', 'b']) call.log(data);
    await reply.message(1);
    expect(reply.isEnded).toBe(false);
    call.say('done');
    await reply.whole();
    expect(reply.isBroken).toBe(false);
    expect(reply.messages.map(({ id }) => id)).toEqual([undefined, undefined, 1]);
  });

  it('W77 progress before the answer arrives before it, all of it, and nothing after it', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = session.post(callLater(1, 'p'));
    const call = await server.upstream.call(0);
    for (const progress of [1, 2, 3, 3, 2, 4]) call.progress(progress);
    call.say('done');
    call.progress(5);
    await reply.whole();
    expect(reply.messages.map(({ id, params }) => id ?? params)).toEqual([
      ...[1, 2, 3, 4].map((progress) => ({ progressToken: 'p', progress })),
      1,
    ]);
  });

  it.each([
    [undefined, JSON_TYPE, STREAM],
    ['*/*', JSON_TYPE, STREAM],
    ['application/json, text/event-stream', JSON_TYPE, STREAM],
    ['text/event-stream;q=0.5, application/*', JSON_TYPE, STREAM],
    ['Application/JSON', JSON_TYPE, JSON_TYPE],
    ['application/json, text/event-stream;q=0', JSON_TYPE, JSON_TYPE],
    ['text/event-stream', STREAM, STREAM],
    ['text/*', STREAM, STREAM],
    ['*/*, application/json;q=0', STREAM, STREAM],
  ])('W14 with Accept %s is %s when quick and %s when slow', async (accept, quick, slow) => {
    const server = await wireServer({ limits: { replyDecisionMs: 1 } });
    const session = await Session2025.open(server);
    const first = await session.post(callNow(1), { accept }).whole();
    expect([first.status, first.header('content-type')]).toEqual([200, quick]);
    const second = session.post(callLater(2), { accept });
    const call = await server.upstream.call(0);
    call.progress(1);
    if (slow === STREAM) await second.head();
    call.say('done');
    await second.whole();
    expect([second.status, second.header('content-type')]).toEqual([200, slow]);
    expect(answerIn(second)).toMatchObject({ id: 2, result: {} });
  });

  it.each(['text/html', 'image/*', 'application/json;q=0, text/event-stream;q=0'])(
    'W14 with Accept %s, which excludes both, is 406',
    async (accept) => {
      const server = await wireServer();
      const session = await Session2025.open(server);
      const reply = await session.post(callNow(1), { accept }).whole();
      expect([reply.status, reply.header('content-type')]).toEqual([406, JSON_TYPE]);
      expect((await reply.json())['error']).toMatchObject({ code: -32600 });
    },
  );
});

function answerIn(reply: WireReply): unknown {
  return reply.header('content-type') === STREAM ? reply.messages.at(-1) : JSON.parse(reply.text);
}

describe('messages without an answer', () => {
  it('W11 get 202 and nothing else: a notification, an answer, an answer to no question', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    for (const message of [
      note('notifications/roots/list_changed'),
      note('notifications/cancelled', { requestId: 'never sent' }),
      { jsonrpc: '2.0', id: 'nobody asked', result: {} },
      { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'no id' } },
    ]) {
      const reply = await session.post(message).whole();
      expect([reply.status, reply.text]).toEqual([202, '']);
      expect(reply.header('content-type')).toBeUndefined();
    }
    const sent = server.upstream.newest.methods();
    expect(sent).toContain('notifications/roots/list_changed');
    expect(sent).not.toContain('response');
    expect(sent).not.toContain('notifications/cancelled');
  });
});

describe('batches', () => {
  it('W12 are taken where 2025-03-26 was negotiated, and answered as one array', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server, { version: '2025-03-26' });
    const reply = await session
      .post([callNow(1), note('notifications/x'), rpc('2', 'ping')])
      .whole();
    expect([reply.status, reply.header('content-type')]).toEqual([200, JSON_TYPE]);
    const answers = JSON.parse(reply.text) as readonly { readonly id: unknown }[];
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set([1, '2']));
    expect(answers).toHaveLength(2);
  });

  it('W12 that are slow are answered on one stream, which ends after the last', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server, { version: '2025-03-26' });
    const reply = await session.post([callLater(1), callNow(2), callLater(3)]).head();
    expect(reply.header('content-type')).toBe(STREAM);
    expect(await reply.message(0)).toMatchObject({ id: 2 });
    (await server.upstream.call(1)).say('three');
    expect(await reply.message(1)).toMatchObject({ id: 3 });
    expect(reply.isEnded).toBe(false);
    (await server.upstream.call(0)).say('one');
    await reply.whole();
    expect(reply.messages.map(({ id }) => id)).toEqual([2, 3, 1]);
  });

  it('W12 of nothing but notifications and answers get 202', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server, { version: '2025-03-26' });
    const batch = [note('notifications/a'), { jsonrpc: '2.0', id: 'x', result: {} }];
    const reply = await session.post(batch).whole();
    expect([reply.status, reply.text]).toEqual([202, '']);
  });

  it('W12 V19 with a request that lacks its id are refused as a whole', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server, { version: '2025-03-26' });
    const call = note('tools/call', { name: 'now', arguments: {} });
    for (const batch of [[call], [rpc(1, 'ping'), call]]) {
      const reply = await session.post(batch).whole();
      expect(reply.status).toBe(400);
      expect((await reply.json())['error']).toMatchObject({ code: -32600 });
    }
    await session.post([rpc(2, 'ping')]).whole();
    expect(server.upstream.newest.methods()).not.toContain('tools/call');
  });

  it.each(['2025-06-18', '2025-11-25'])('W12 are refused in %s', async (version) => {
    const server = await wireServer();
    const session = await Session2025.open(server, { version });
    for (const body of [[callNow(1)], [note('notifications/a')], []]) {
      const reply = await session.post(body).whole();
      expect(reply.status).toBe(400);
      expect((await reply.json())['error']).toMatchObject({ code: -32600 });
    }
    expect(server.upstream.newest.methods()).not.toContain('tools/call');
  });

  it('W12 are refused when empty, too long, or with one entry that is no message', async () => {
    const server = await wireServer({ limits: { batchMessagesMax: 3 } });
    const session = await Session2025.open(server, { version: '2025-03-26' });
    for (const body of [[], Array.from({ length: 4 }, (_, id) => callNow(id)), [callNow(1), 7]]) {
      const reply = await session.post(body).whole();
      expect(reply.status).toBe(400);
      expect((await reply.json())['error']).toMatchObject({ code: -32600 });
    }
    expect(server.upstream.newest.methods()).not.toContain('tools/call');
  });

  it('W13 never hold initialize', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server, { version: '2025-03-26' });
    const batch = [callNow(1), initialize('2025-03-26')];
    const inside = await session.post(batch).whole();
    const alone = await server.fetch(postOf('/mcp', [initialize('2025-03-26')]));
    for (const reply of [inside, alone]) {
      expect(reply.status).toBe(400);
      expect(reply.header('mcp-session-id')).toBeUndefined();
      expect((await reply.json())['error']).toMatchObject({ code: -32600 });
    }
    expect(server.endpoint.status.sessions).toBe(1);
    expect(server.upstream.newest.methods()).not.toContain('tools/call');
  });
});

describe('ids', () => {
  it('W35 come back as they were sent, in their type', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    for (const token of ['1', '"1"', '-7', '0', '"\u{1f30a} \\"q\\""', '""', '9007199254740991']) {
      const body = `{"jsonrpc":"2.0","id":${token},"method":"ping"}`;
      const reply = await session.post(body).whole();
      expect(reply.text).toBe(`{"jsonrpc":"2.0","id":${token},"result":{}}`);
    }
  });

  it.each(['null', '1.5', 'true', '{}', '[1]', '1e400'])(
    'W35 of the form %s are refused',
    async (id) => {
      const server = await wireServer();
      const session = await Session2025.open(server);
      const reply = await session.post(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`).whole();
      expect(reply.status).toBe(400);
      expect(await reply.json()).toMatchObject({ id: null, error: { code: -32600 } });
    },
  );

  it('W36 V51 that are equal at once each get their own answer on their own stream', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const replies: WireReply[] = [];
    for (const [index, type] of [1, 1, '1', 1].entries()) {
      replies.push(session.post(callLater(type, 'same token')));
      await server.upstream.call(index);
    }
    for (const index of [2, 0, 3, 1]) {
      const call = await server.upstream.call(index);
      call.progress(index + 1);
      call.say(`answer ${index}`);
    }
    for (const [index, reply] of replies.entries()) {
      await reply.whole();
      expect(reply.messages).toMatchObject([
        { params: { progressToken: 'same token', progress: index + 1 } },
        { id: index === 2 ? '1' : 1, result: { content: [{ text: `answer ${index}` }] } },
      ]);
    }
    const numbers = server.upstream.calls.map(({ id }) => id);
    expect(new Set(numbers).size).toBe(4);
  });
});

describe('addresses', () => {
  it('W39 with a slash at their end are served without a redirect', async () => {
    const server = await wireServer();
    const opened = await server.fetch(postOf('/mcp/', initialize('2025-11-25')));
    expect(opened.status).toBe(200);
    const session = { 'mcp-session-id': opened.header('mcp-session-id') };
    const get = await server.open({ path: '/mcp/', headers: { ...session, accept: STREAM } });
    expect(get.status).toBe(200);
    const ended = await server.fetch({ method: 'DELETE', path: '/mcp/', headers: session });
    expect(ended.status).toBe(204);
  });
});
