/**
 * HTTP with SSE on the wire.
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
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
import { people, STRANGERS } from './people.ts';
import { eventually } from './signal.ts';
import { timedServer, wireServer } from './wire-server.ts';

const SSE = { accept: 'text/event-stream' };

describe('opening the stream', () => {
  it('W1 begins with the endpoint event, and the anti-buffering headers', async () => {
    const server = await wireServer();
    const stream = await server.open({ path: '/sse', headers: SSE });
    expect(stream.status).toBe(200);
    expect(stream.header('content-type')).toBe('text/event-stream');
    expect(stream.header('cache-control')).toBe('no-cache, no-transform');
    expect(stream.header('x-accel-buffering')).toBe('no');
    expect(stream.header('content-encoding')).toBeUndefined();
    const first = await stream.block(0);
    expect(first.event).toBe('endpoint');
    expect(first.id).toMatch(/^[A-Za-z0-9._-]+$/);
    expect(Number(first.retry)).toBeGreaterThan(0);
    expect(stream.text.indexOf('event: endpoint')).toBe(0);
  });

  it('W1 lets nothing but responses precede the answer to initialize', async () => {
    const server = await wireServer({ hand: { holdsInitialize: true } });
    const session = await Session2024.open(server);
    server.upstream.newest.say('notifications/message', { level: 'info', data: 'too early' });
    server.upstream.newest.say('ping', undefined, { id: 'server-ping' });
    await session.post(initialize('2024-11-05')).whole();
    const call = await server.upstream.call(0, 'initialize');
    call.log('still too early');
    expect(session.stream.messages).toEqual([]);
    call.answer({ protocolVersion: '2024-11-05', capabilities: {}, serverInfo: {} });
    await session.stream.message(2);
    const seen = session.stream.messages.map(({ id, params }) => id ?? params);
    expect(seen).toEqual([
      0,
      { level: 'info', data: 'too early' },
      { level: 'info', data: 'still too early' },
    ]);
  });

  it('W1 is asked for an event stream, else 406', async () => {
    const server = await wireServer();
    const reply = await server.fetch({ path: '/sse', headers: { accept: 'application/json' } });
    expect(reply.status).toBe(406);
    expect((await reply.json())['error']).toMatchObject({ code: -32600 });
  });

  it.each([
    ['/sse', 'relative', undefined, /^messages\?sessionId=[\w-]+$/],
    ['/sse/', 'relative', undefined, /^\.\.\/messages\?sessionId=[\w-]+$/],
    ['/sse', 'root', undefined, /^\/messages\?sessionId=[\w-]+$/],
    ['/sse', 'root', 'https://a.example/one/two/', /^\/one\/two\/messages\?sessionId=[\w-]+$/],
    ['/sse', 'absolute', 'https://a.example/x', /^https:\/\/a\.example\/x\/messages\?sessionId=/],
  ] as const)(
    'W2 names its endpoint from %s in the form %s with %s',
    async (path, form, url, is) => {
      const server = await wireServer({
        endpointForm: form,
        publicUrl: url,
        allowedHosts: ['127.0.0.1'],
      });
      const { data = '' } = await (await server.open({ path, headers: SSE })).block(0);
      expect(data).toMatch(is);
      if (url !== undefined) return;
      const resolved = new URL(data, `http://127.0.0.1:${server.port}${path}`);
      const posted = await server.fetch(
        postOf(resolved.pathname + resolved.search, rpc(1, 'ping')),
      );
      expect(posted.status).toBe(202);
    },
  );

  it('W2 stays under a path prefix that a proxy takes off, whatever that proxy is called', async () => {
    const server = await wireServer();
    const { data = '' } = await (await server.open({ path: '/sse', headers: SSE })).block(0);
    const outside = new URL(data, 'https://gate.example/team/a/sse');
    expect(outside.href.startsWith('https://gate.example/team/a/messages?')).toBe(true);
  });

  it('W2 believes no forwarding header of a stranger', async () => {
    const server = await wireServer({ endpointForm: 'absolute', publicUrl: 'http://127.0.0.1' });
    const headers = { ...SSE, 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' };
    const { data = '' } = await (await server.open({ path: '/sse', headers })).block(0);
    expect(data.startsWith('http://127.0.0.1/messages?')).toBe(true);
  });
});

describe('posting', () => {
  it('W3 is accepted with an empty 202, and answered on the stream alone', async () => {
    const server = await wireServer();
    const session = await Session2024.open(server);
    const posted = await session.post(initialize('2024-11-05')).whole();
    expect([posted.status, posted.text]).toEqual([202, '']);
    expect(posted.header('content-type')).toBeUndefined();
    const answer = await session.stream.message(0);
    expect(answer).toMatchObject({ id: 0, result: { protocolVersion: '2024-11-05' } });
    const called = await session.post(callLater('a')).whole();
    expect([called.status, called.text]).toEqual([202, '']);
    (await server.upstream.call(0)).say('later');
    expect(await session.stream.message(1)).toMatchObject({ id: 'a', result: {} });
  });

  it('W3 gets errors of the upstream, and ours, on the stream too', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server);
    await session.post(callLater(1)).whole();
    (await server.upstream.call(0)).fail(-32602, 'Unknown tool');
    expect(await session.stream.message(1)).toMatchObject({ id: 1, error: { code: -32602 } });
    await session.post(callLater(2)).whole();
    await server.upstream.call(1);
    server.upstream.newest.die();
    const lost = await session.stream.message(2);
    expect(lost).toMatchObject({ id: 2, error: { code: -32010, message: 'upstream unavailable' } });
  });

  it('W4 V27 needs a sessionId, and finds nothing under an unknown one', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server);
    for (const path of ['/messages', '/messages?sessionId=', '/messages?other=1']) {
      const reply = await server.fetch(postOf(path, callNow(1)));
      expect([path, reply.status]).toEqual([path, 400]);
    }
    const unknown = await server.fetch(postOf('/messages?sessionId=guessed', callNow(1)));
    expect(unknown.status).toBe(404);
    const before = server.upstream.newest.sent.length;
    await session.post(rpc(2, 'ping')).whole();
    await session.stream.message(1);
    expect(server.upstream.newest.sent.length).toBe(before + 1);
  });

  it('W4 V22 V23 answers a stranger with the bytes of an unknown session', async () => {
    const server = await wireServer({ identity: people() });
    const session = await Session2024.initialized(server, { token: 'alice' });
    for (const name of STRANGERS) {
      const headers = { authorization: `Bearer ${name}` };
      const foreign = await server.fetch(postOf(session.path, callNow(1), headers));
      const unknownPath = session.path.replace(session.id, 'x'.repeat(session.id.length));
      const unknown = await server.fetch(postOf(unknownPath, callNow(1), headers));
      expect(foreign.status).toBe(404);
      expect(foreign.bytes).toBe(unknown.bytes);
    }
    await session.post(callNow(9)).whole();
    expect(await session.stream.message(1)).toMatchObject({ id: 9 });
    expect(session.stream.messages).toHaveLength(2);
  });

  it('W4 finds a session that ended no more, and no session of another era', async () => {
    const { server, clock } = await timedServer();
    const session = await Session2024.initialized(server);
    const unknown = await server.fetch(postOf('/messages?sessionId=guessed', callNow(1)));
    const other = await Session2025.open(server);
    const crossed = await server.fetch(postOf(`/messages?sessionId=${other.id}`, callNow(1)));
    expect(crossed.bytes).toBe(unknown.bytes);
    session.stream.leave();
    await eventually(() => server.endpoint.status.streams === 0, 'the loss of the stream');
    clock.advance(600_000);
    expect(server.endpoint.status.sessions).toBe(0);
    const closed = await session.post(callNow(1)).whole();
    expect(closed.bytes).toBe(unknown.bytes);
  });

  it('W4 has ids that cannot be guessed', async () => {
    const server = await wireServer();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => Session2024.open(server)));
    const ids = sessions.map(({ id }) => id);
    expect(new Set(ids).size).toBe(20);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22,}$/);
  });

  it('W5 to the URL of the stream is 405 with Allow, in JSON', async () => {
    const server = await wireServer();
    for (const path of ['/sse', '/sse/']) {
      const reply = await server.fetch(postOf(path, initialize('2025-11-25')));
      expect([reply.status, reply.header('allow')]).toEqual([405, 'GET']);
      expect((await reply.json())['error']).toMatchObject({ code: -32600 });
    }
  });

  it('W37 of bad input gets its own status and disturbs nobody', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server);
    for (const [body, headers, status, code] of [
      ['{', {}, 400, -32700],
      ['[]', {}, 400, -32600],
      [[rpc(1, 'ping')], {}, 400, -32600],
      [note('tools/call', { name: 'now' }), {}, 400, -32600],
      [rpc(1, 'ping'), { 'content-type': 'text/plain' }, 415, -32600],
    ] as const) {
      const reply = await session.post(body, headers).whole();
      expect(reply.status).toBe(status);
      expect((await reply.json())['error']).toMatchObject({ code });
    }
    await session.post(rpc(2, 'ping')).whole();
    expect(await session.stream.message(1)).toMatchObject({ id: 2, result: {} });
    expect(server.upstream.newest.methods()).not.toContain('tools/call');
  });
});

describe('events', () => {
  it('W6 are named message and hold one JSON object on one line', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server);
    const text = 'line\nbreak\r\n, \u2028 separators, \u{1f30a} and "quotes"';
    await session.post(callLater(1)).whole();
    (await server.upstream.call(0)).say(text);
    const answer = await session.stream.message(1);
    expect(answer).toMatchObject({ result: { content: [{ text }] } });
    for (const { event, data = '', text: raw } of session.stream.blocks.slice(1)) {
      expect(event).toBe('message');
      expect(raw.split('\n').filter((line) => line.startsWith('data:'))).toHaveLength(1);
      expect(JSON.parse(data)).toMatchObject({ jsonrpc: '2.0' });
    }
  });

  it('W17 of the server reach the one stream there is, in order', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server);
    await session.post(callLater(1, 'token')).whole();
    const call = await server.upstream.call(0);
    call.progress(1);
    call.connection.say('notifications/tools/list_changed');
    call.ask('q', 'sampling/createMessage', { messages: [] });
    const { id } = await session.stream.message(3);
    await session.post({ jsonrpc: '2.0', id, result: { role: 'user' } }).whole();
    call.say('done');
    await session.stream.message(4);
    const [, progress, changed, question, answer] = session.stream.messages;
    expect(progress).toMatchObject({ params: { progressToken: 'token', progress: 1 } });
    expect(changed).toMatchObject({ method: 'notifications/tools/list_changed' });
    expect(question).toMatchObject({ method: 'sampling/createMessage' });
    expect(answer).toMatchObject({ id: 1 });
    const told = server.upstream.newest.sent.find(({ kind }) => kind === 'response');
    expect([told?.id, told?.value]).toEqual(['"q"', { role: 'user' }]);
  });
});

describe('coming back', () => {
  it('W7 with Last-Event-ID leads to the same session: endpoint again, then what was missed', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server);
    await session.post(callLater(1)).whole();
    const { lastEventId } = session.stream;
    session.stream.leave();
    const call = await server.upstream.call(0);
    call.log('missed');
    call.say('missed too');
    const back = await session.comeBack(lastEventId);
    expect(back.status).toBe(200);
    expect(back.header('tidegate-resume')).toBe('exact');
    const first = await back.block(0);
    expect(first.event).toBe('endpoint');
    expect(first.data).toContain(session.id);
    await back.message(1);
    expect(back.messages.map(({ id, params }) => id ?? params)).toEqual([
      { level: 'info', data: 'missed' },
      1,
    ]);
    await session.post(callNow(2)).whole();
    expect(await back.message(2)).toMatchObject({ id: 2 });
    const ids = [...session.stream.blocks, ...back.blocks].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length - 1);
  });

  it('W7 works from every event a client may have seen last', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server);
    const { stream } = session;
    for (const id of [1, 2, 3]) await session.post(callNow(id)).whole();
    await stream.message(3);
    const all = stream.messages;
    for (const [index, { id = '' }] of stream.blocks.entries()) {
      const back = await session.comeBack(id);
      await back.block(all.length - index);
      expect(back.messages).toEqual(all.slice(index));
    }
  });

  it('W7 a reconnect that overtakes the loss of the old connection takes its stream over', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server);
    const back = await session.comeBack(session.stream.lastEventId);
    await session.stream.whole();
    await session.post(callNow(1)).whole();
    expect(await back.message(0)).toMatchObject({ id: 1 });
    expect(session.stream.messages).toHaveLength(1);
  });

  it('W7 V22 V29 with an event id of somebody else is refused as an unknown one is', async () => {
    const server = await wireServer({ identity: people() });
    const session = await Session2024.initialized(server, { token: 'alice' });
    const { lastEventId } = session.stream;
    const [, cursor = ''] = /^[^.]+\.(.+)$/.exec(lastEventId) ?? [];
    for (const name of STRANGERS) {
      const headers = { authorization: `Bearer ${name}` };
      const foreign = await (await session.comeBack(lastEventId, headers)).whole();
      const unknown = await (await session.comeBack(`unknown.${cursor}`, headers)).whole();
      expect(foreign.status).toBe(400);
      expect(foreign.bytes).toBe(unknown.bytes);
    }
    for (const id of ['junk', '.', `${lastEventId}x`, `${session.id}.0.1-9999.0`]) {
      expect((await (await session.comeBack(id)).whole()).status).toBe(400);
    }
    await session.post(callNow(1)).whole();
    expect(await session.stream.message(1)).toMatchObject({ id: 1 });
  });

  it('W7 after the log forgot something says so, and tells the client to look again', async () => {
    const server = await wireServer({
      limits: { logEventsMax: 2 },
      hand: { capabilities: { tools: { listChanged: true }, prompts: {} } },
    });
    const session = await Session2024.initialized(server);
    await session.post(callLater('lost')).whole();
    const { lastEventId } = session.stream;
    session.stream.leave();
    const call = await server.upstream.call(0);
    call.say('evicted');
    for (const data of ['a', 'b', 'c']) {
      call.connection.say('notifications/message', { level: 'info', data });
    }
    const back = await session.comeBack(lastEventId);
    expect(back.header('tidegate-resume')).toBe('gap');
    await back.message(3);
    expect(
      back.messages.map(({ id, error, method, params }) => [id, error ?? params ?? method]),
    ).toMatchObject([
      ['lost', { code: -32011 }],
      [undefined, { data: 'b' }],
      [undefined, { data: 'c' }],
      [undefined, 'notifications/tools/list_changed'],
    ]);
  });
});

describe('strangers in browsers', () => {
  it('W8 are refused with 403 on GET and POST, and allowed ones are named', async () => {
    const server = await wireServer({ allowedOrigins: ['https://app.example'] });
    const session = await Session2024.open(server);
    for (const origin of ['https://evil.test', 'null', 'https://app.example.evil.test']) {
      const get = await server.fetch({ path: '/sse', headers: { ...SSE, origin } });
      const posted = await session.post(initialize('2024-11-05'), { origin }).whole();
      expect([get.status, posted.status]).toEqual([403, 403]);
      expect(get.header('access-control-allow-origin')).toBeUndefined();
    }
    expect(session.stream.messages).toEqual([]);
    const origin = 'https://app.example';
    const get = await server.open({ path: '/sse', headers: { ...SSE, origin } });
    expect([get.status, get.header('access-control-allow-origin')]).toEqual([200, origin]);
    const posted = await session.post(initialize('2024-11-05'), { origin }).whole();
    expect([posted.status, posted.header('access-control-allow-origin')]).toEqual([202, origin]);
  });
});

describe('one stream, many calls', () => {
  it('W36 V51 equal ids at once are each answered', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server);
    await session.post(callLater(1)).whole();
    await session.post(callLater(1)).whole();
    (await server.upstream.call(1)).say('second');
    (await server.upstream.call(0)).say('first');
    await session.stream.message(2);
    expect(session.stream.messages.slice(1)).toMatchObject([
      { id: 1, result: { content: [{ text: 'second' }] } },
      { id: 1, result: { content: [{ text: 'first' }] } },
    ]);
  });

  it('W31 a cancelled call is told upstream and never answered', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server);
    await session.post(callLater(1)).whole();
    const call = await server.upstream.call(0);
    await session.post(note('notifications/cancelled', { requestId: 1 })).whole();
    await server.upstream.until(() => call.isCancelled, 'the cancellation');
    call.say('too late');
    await session.post(callNow(2)).whole();
    expect(await session.stream.message(1)).toMatchObject({ id: 2 });
  });

  it('W22 V51 a second initialize is refused and the first session goes on', async () => {
    const server = await wireServer();
    const session = await Session2024.initialized(server);
    const again = await session.post(initialize('2024-11-05')).whole();
    expect(again.status).toBe(400);
    expect(await again.json()).toMatchObject({ id: 0, error: { code: -32600 } });
    await session.post(callNow(1)).whole();
    expect(await session.stream.message(1)).toMatchObject({ id: 1 });
    const sent = server.upstream.newest.methods();
    expect(sent.filter((method) => method === 'initialize')).toHaveLength(1);
  });
});
