/**
 * `subscriptions/listen` from its acknowledgment to its end.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { describe, expect, it } from 'vitest';
import { connect } from 'node:net';
import type { Access } from 'tidegate';
import {
  answerOf,
  callLater,
  callNow,
  errorOf,
  listening,
  listenTo,
  stampOf,
  SUBSCRIPTION_ID,
} from './client-2026.ts';
import { modernServer, timedModernServer, type ModernServer } from './modern-server.ts';
import { people } from './people.ts';
import type { Json, WireReply } from './wire-reply.ts';

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const TOOLS = 'notifications/tools/list_changed';
const PROMPTS = 'notifications/prompts/list_changed';
const RESOURCES = 'notifications/resources/list_changed';
const UPDATED = 'notifications/resources/updated';
const EVERYTHING = {
  toolsListChanged: true,
  promptsListChanged: true,
  resourcesListChanged: true,
  resourceSubscriptions: ['test://a', 'test://b'],
};

function methodsOf(reply: WireReply): unknown[] {
  return reply.messages.map(({ method }) => method ?? 'result');
}

async function publishTools({ upstream }: ModernServer, ...replies: WireReply[]): Promise<void> {
  const before = replies.map((reply) => reply.messageBlocks.length);
  upstream.publish(TOOLS, 'toolsListChanged');
  await Promise.all(replies.map((reply, index) => reply.message(before[index] ?? 0)));
}

/** Until the server has given up the listen that nobody needs any more. */
async function untilNobodyListens({ server, upstream }: ModernServer): Promise<void> {
  await upstream.until(() => upstream.listens.every(({ isOver }) => isOver), 'the end of listens');
  expect(server.endpoint.status.pending).toBe(0);
}

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
const INFO = { name: 'modern', version: '1.0.0' };

describe('the acknowledgment', () => {
  it('W67 comes first, and says what is honoured', async () => {
    const { server } = await modernServer();
    const reply = await listening(server, 1, EVERYTHING);
    expect(reply.header('content-type')).toBe('text/event-stream');
    expect(reply.messages).toEqual([
      {
        jsonrpc: '2.0',
        method: ACKNOWLEDGED,
        params: { _meta: { [SUBSCRIPTION_ID]: 1 }, notifications: EVERYTHING },
      },
    ]);
  });

  it('W67 V26 leaves out what the server does not honour, and that is then not sent', async () => {
    const honours = (): Json => ({ toolsListChanged: true, resourceSubscriptions: ['test://a'] });
    const gate = await modernServer({ server: { honours } });
    const reply = await listening(gate.server, 1, EVERYTHING);
    expect(reply.messages[0]).toHaveProperty('params.notifications', honours());
    gate.upstream.publish(PROMPTS, 'promptsListChanged');
    gate.upstream.publish(UPDATED, 'resourceSubscriptions', { uri: 'test://b' });
    await publishTools(gate, reply);
    expect(methodsOf(reply)).toEqual([ACKNOWLEDGED, TOOLS]);
  });

  it('W67 an event published right after the server accepted follows it, and is not lost', async () => {
    const { server, upstream } = await modernServer({ server: { holdsListens: true } });
    const reply = server.send(listenTo(1, { toolsListChanged: true }));
    const listen = await upstream.listen(0);
    listen.acknowledge();
    listen.say(TOOLS);
    listen.say(TOOLS);
    await reply.message(2);
    expect(methodsOf(reply)).toEqual([ACKNOWLEDGED, TOOLS, TOOLS]);
  });

  it('W67 nothing comes before it, whatever else happens meanwhile', async () => {
    const gate = await modernServer({ server: { holdsListens: true } });
    const first = gate.server.send(listenTo(1, { toolsListChanged: true }));
    const narrow = await gate.upstream.listen(0);
    narrow.acknowledge();
    await first.message(0);
    const second = gate.server.send(
      listenTo(2, { toolsListChanged: true, promptsListChanged: true }),
    );
    const wide = await gate.upstream.listen(1);
    narrow.say(TOOLS);
    await first.message(1);
    expect(second.messageBlocks).toHaveLength(0);
    wide.acknowledge();
    wide.say(TOOLS);
    await Promise.all([first.message(2), second.message(1)]);
    expect(methodsOf(second)).toEqual([ACKNOWLEDGED, TOOLS]);
  });

  it('W67 a listen that is refused by the server is refused to the client', async () => {
    const limits = { replyDecisionMs: 60_000 };
    const { server, upstream } = await modernServer({ server: { holdsListens: true }, limits });
    const reply = server.send(listenTo('x', { toolsListChanged: true }));
    (await upstream.listen(0)).fail(-32603, 'No listening today');
    expect(await errorOf(reply)).toEqual({ id: 'x', code: -32603, message: 'No listening today' });
    expect(reply.header('content-type')).toBe('application/json');
  });

  it('W67 is waited for on an open stream, kept alive like any other', async () => {
    const { server, upstream, clock } = await timedModernServer({ server: { holdsListens: true } });
    const reply = server.send(listenTo(1, { toolsListChanged: true }));
    const listen = await upstream.listen(0);
    clock.advance(100);
    await reply.head();
    clock.advance(16_000);
    await reply.until(() => reply.blocks.length === 1, 'a heartbeat');
    listen.acknowledge();
    listen.say(TOOLS);
    await reply.message(1);
    expect([reply.status, methodsOf(reply)]).toEqual([200, [ACKNOWLEDGED, TOOLS]]);
  });

  it('W67 that never comes ends the listen with an error, and nobody else’s', async () => {
    const { server, upstream, clock } = await timedModernServer({ server: { holdsListens: true } });
    const heard = server.send(listenTo(1, { toolsListChanged: true }));
    const first = await upstream.listen(0);
    first.acknowledge();
    await heard.message(0);
    const hung = server.send(listenTo(2, { promptsListChanged: true }));
    const second = await upstream.listen(1);
    clock.advance(30_000);
    const later = server.send(listenTo(3, { resourcesListChanged: true }));
    const hasCome = (): boolean => {
      clock.advance(10);
      return later.hasHead;
    };
    await expect.poll(hasCome, { interval: 5, timeout: 5000 }).toBe(true);
    clock.advance(30_000);
    expect(await errorOf(hung)).toMatchObject({ id: 2, code: -32013 });
    const third = await upstream.listen(2);
    expect([second.isCancelled, third.asked]).toEqual([
      true,
      { toolsListChanged: true, resourcesListChanged: true },
    ]);
    third.acknowledge();
    third.say(TOOLS);
    await Promise.all([heard.message(1), later.message(0)]);
    expect([methodsOf(heard), methodsOf(later)]).toEqual([[ACKNOWLEDGED, TOOLS], [ACKNOWLEDGED]]);
  });

  it.each([{}, { notifications: 7 }, { notifications: null }])(
    'W67 a listen that does not say for what is refused: %j',
    async (params) => {
      const { server } = await modernServer();
      const { headers, body } = listenTo(1, {});
      const parsed = JSON.parse(String(body)) as { params: Record<string, unknown> };
      delete parsed.params['notifications'];
      Object.assign(parsed.params, params);
      const text = JSON.stringify(parsed);
      const reply = await server.fetch({
        method: 'POST',
        path: '/mcp',
        headers,
        body: text,
      } as never);
      expect([reply.status, (await errorOf(reply)).code]).toEqual([400, -32602]);
    },
  );
});

describe('what a listen carries', () => {
  it.each([7, '7', 'sub é', 0])('W68 the id %j in every message, its type kept', async (id) => {
    const gate = await modernServer();
    const reply = await listening(gate.server, id, EVERYTHING);
    await publishTools(gate, reply);
    gate.upstream.publish(UPDATED, 'resourceSubscriptions', { uri: 'test://a' });
    await reply.message(2);
    (await gate.upstream.listen(0)).end();
    await reply.whole();
    expect(reply.messages).toHaveLength(4);
    expect(reply.messages.map(stampOf)).toEqual([id, id, id, id]);
    expect(reply.messages[3]).toHaveProperty('id', id);
  });

  it('W68 an id no double can hold is kept digit by digit', async () => {
    const gate = await modernServer();
    const { body, ...request } = listenTo(0, { toolsListChanged: true });
    const large = String(body).replace('"id":0', '"id":9007199254740993');
    const reply = gate.server.send({ ...request, body: large });
    await reply.message(0);
    await publishTools(gate, reply);
    expect(
      reply.text.match(/"io\.modelcontextprotocol\/subscriptionId":9007199254740993\b/g),
    ).toHaveLength(2);
  });

  it.each<[string, Json, string[]]>([
    ['tools', { toolsListChanged: true }, [TOOLS]],
    ['prompts', { promptsListChanged: true }, [PROMPTS]],
    ['resources', { resourcesListChanged: true }, [RESOURCES]],
    ['one resource', { resourceSubscriptions: ['test://a'] }, [UPDATED]],
    ['tools and prompts', { toolsListChanged: true, promptsListChanged: true }, [TOOLS, PROMPTS]],
    [
      'what is true, not what is false',
      { toolsListChanged: false, promptsListChanged: true },
      [PROMPTS],
    ],
  ])('W69 only %s when only that was asked for', async (_, filter, wanted) => {
    const { server, upstream } = await modernServer();
    // Somebody else wants everything, so everything comes to the gate.
    const other = await listening(server, 1, EVERYTHING);
    const reply = await listening(server, 2, filter);
    upstream.publish(TOOLS, 'toolsListChanged');
    upstream.publish(PROMPTS, 'promptsListChanged');
    upstream.publish(RESOURCES, 'resourcesListChanged');
    upstream.publish(UPDATED, 'resourceSubscriptions', { uri: 'test://a' });
    upstream.publish(UPDATED, 'resourceSubscriptions', { uri: 'test://b' });
    await other.message(5);
    (await upstream.listen(upstream.listens.length - 1)).end();
    await reply.whole();
    expect(methodsOf(reply)).toEqual([ACKNOWLEDGED, ...wanted, 'result']);
  });

  it('W69 V26 no log, progress or answer of a call, even when the server stamps it so', async () => {
    const gate = await modernServer();
    const reply = await listening(gate.server, 1, EVERYTHING);
    const called = gate.server.send(
      callLater(1, { meta: { progressToken: 1, logLevel: 'debug' } }),
    );
    const call = await gate.upstream.call(0);
    const listen = await gate.upstream.listen(0);
    listen.say('notifications/message', { level: 'error', data: 'stray' });
    listen.say('notifications/progress', { progressToken: 1, progress: 1 });
    listen.say('notifications/else', {});
    call.progress(1);
    call.log('mine');
    call.say('done');
    await called.whole();
    await publishTools(gate, reply);
    expect(methodsOf(reply)).toEqual([ACKNOWLEDGED, TOOLS]);
    expect(methodsOf(called)).toEqual([
      'notifications/progress',
      'notifications/message',
      'result',
    ]);
    expect(called.text).not.toContain('stray');
  });

  it('W69 W63 V26 a change that no listen asked for goes to no stream of a call', async () => {
    const { server, upstream } = await modernServer();
    const reply = server.send(callLater(1, { meta: { logLevel: 'debug' } }));
    const call = await upstream.call(0);
    for (const method of [TOOLS, PROMPTS, RESOURCES, UPDATED, ACKNOWLEDGED])
      call.notify(method, {});
    call.say('done');
    await reply.whole();
    expect(reply.text).not.toContain('changed');
    expect(reply.text).not.toContain('updated');
  });
});

describe('several listens', () => {
  it('W70 V26 each gets its own copy under its own id, of the same kinds too', async () => {
    const gate = await modernServer();
    const ids = [1, '1', 'two', 3];
    const replies = [];
    for (const id of ids)
      replies.push(await listening(gate.server, id, { toolsListChanged: true }));
    await publishTools(gate, ...replies);
    await publishTools(gate, ...replies);
    expect(replies.map((reply) => reply.messages.map(stampOf))).toEqual(
      ids.map((id) => [id, id, id]),
    );
  });

  it('W70 V26 two clients with one id do not get each other’s copy', async () => {
    const gate = await modernServer({ identity: people(), isolation: 'shared' });
    const alice = await listening(gate.server, 1, { toolsListChanged: true }, { token: 'alice' });
    const bob = await listening(gate.server, 1, { promptsListChanged: true }, { token: 'bob' });
    await publishTools(gate, alice);
    gate.upstream.publish(PROMPTS, 'promptsListChanged');
    await bob.message(1);
    expect([methodsOf(alice), methodsOf(bob)]).toEqual([
      [ACKNOWLEDGED, TOOLS],
      [ACKNOWLEDGED, PROMPTS],
    ]);
  });

  it('W70 a wider listen loses no event of a narrower one on the way', async () => {
    const gate = await modernServer({ server: { holdsListens: true } });
    const { server, upstream } = gate;
    const replies: WireReply[] = [];
    const kinds = ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'];
    for (const [index, kind] of kinds.entries()) {
      replies.push(server.send(listenTo(index, { toolsListChanged: true, [kind]: true })));
      const listen = await upstream.listen(index);
      // Before the wider one is accepted, the one before it still counts; afterwards only the
      // wider.
      upstream.listens.at(index - 1)?.say(TOOLS, { marker: `before ${index}` });
      listen.acknowledge();
      listen.say(TOOLS, { marker: `after ${index}` });
      await replies[index]?.message(1);
    }
    await untilCovered(upstream.listens.length);
    const [first] = replies;
    const markers = first?.messages.slice(1).map(({ params }) => (params as Json)['marker']);
    expect(markers).toEqual(['after 0', 'before 1', 'after 1', 'before 2', 'after 2']);

    async function untilCovered(count: number): Promise<void> {
      const given = upstream.listens.slice(0, count - 1);
      await upstream.until(
        () => given.every(({ isCancelled }) => isCancelled),
        'one listen for all',
      );
    }
  });

  it('W70 many clients that listen at once cost the server one listen', async () => {
    const gate = await modernServer();
    await listening(gate.server, 0, EVERYTHING);
    const more = Array.from({ length: 30 }, (_, id) =>
      listening(gate.server, id, { toolsListChanged: true }),
    );
    const replies = await Promise.all(more);
    await publishTools(gate, ...replies);
    expect(gate.upstream.listens).toHaveLength(1);
    for (const reply of replies) reply.leave();
  });

  it('W66 closing a listen ends it and no other; the last one ends ours', async () => {
    const gate = await modernServer();
    const first = await listening(gate.server, 1, { toolsListChanged: true });
    const second = await listening(gate.server, 2, { toolsListChanged: true });
    first.leave();
    await publishTools(gate, second);
    second.leave();
    await untilNobodyListens(gate);
  });
});

describe('the end of a listen', () => {
  const completed = (id: unknown): Json => ({
    jsonrpc: '2.0',
    id,
    result: { resultType: 'complete', _meta: { [SUBSCRIPTION_ID]: id, [SERVER_INFO]: INFO } },
  });

  it('W71 W64 a shutdown ends it with its result, and nothing else', async () => {
    const { server } = await modernServer({ drainMs: 300 });
    const replies = [
      await listening(server, 1, EVERYTHING),
      await listening(server, 'b', EVERYTHING),
    ];
    const closing = server.endpoint.drain(300);
    for (const [index, reply] of replies.entries()) {
      await reply.whole();
      expect(reply.isBroken).toBe(false);
      expect(reply.messages.slice(1)).toEqual([completed(index === 0 ? 1 : 'b')]);
    }
    await closing;
  });

  it('W71 a shutdown lets a call finish beside it', async () => {
    const { server, upstream } = await modernServer({ drainMs: 5000 });
    const listen = await listening(server, 1, EVERYTHING);
    const reply = server.send(callLater(2));
    const call = await upstream.call(0);
    const closing = server.endpoint.drain(5000);
    await listen.whole();
    expect(listen.messages.at(-1)).toEqual(completed(1));
    const refused = await server.fetch(callNow(3));
    expect([refused.status, (await errorOf(refused)).code]).toEqual([503, -32004]);
    call.say('done');
    expect(await answerOf(reply)).toMatchObject({ id: 2, result: {} });
    await closing;
  });

  it('W71 the server’s own end is passed on as the result', async () => {
    const { server, upstream } = await modernServer();
    const reply = await listening(server, 5, { toolsListChanged: true });
    (await upstream.listen(0)).end();
    await reply.whole();
    expect(reply.messages.at(-1)).toMatchObject(completed(5));
    expect(reply.text).not.toContain('notifications/cancelled');
  });

  it('W71 an end that cannot be relayed leaves nobody deaf', async () => {
    const { server, upstream } = await modernServer();
    const reply = await listening(server, 1, { toolsListChanged: true });
    const listen = await upstream.listen(0);
    listen.connection.unreadable(listen.id);
    await reply.whole();
    expect(reply.messages.at(-1)).toMatchObject(completed(1));
    const next = await listening(server, 2, { toolsListChanged: true });
    upstream.publish(TOOLS, 'toolsListChanged');
    expect(await next.message(1)).toMatchObject({ method: TOOLS });
    next.leave();
  });

  it('W67 an end that cannot be relayed, in place of the acknowledgment, is an error', async () => {
    const { server, upstream } = await modernServer({ server: { holdsListens: true } });
    const reply = server.send(listenTo(1, { toolsListChanged: true }));
    const listen = await upstream.listen(0);
    listen.connection.unreadable(listen.id);
    expect((await errorOf(reply)).code).toBe(-32010);
  });

  it('W71 a server that died is listened to again, and its listeners are told to look', async () => {
    const gate = await modernServer();
    const { server, upstream } = gate;
    const reply = await listening(server, 1, {
      toolsListChanged: true,
      resourceSubscriptions: ['test://a'],
    });
    upstream.newest.die();
    await reply.message(2);
    expect(new Set(methodsOf(reply).slice(1))).toEqual(new Set([UPDATED, TOOLS]));
    expect(reply.messages.map(stampOf)).toEqual([1, 1, 1]);
    await upstream.until(() => upstream.listens.length === 2, 'a listen on the new server');
    await publishTools(gate, reply);
  });

  it('of a server that died names nothing to look at that policies forbid by now', async () => {
    let isNarrow = false;
    const access: Access = {
      decide: ({ message }) => {
        const isRefused = isNarrow && message.payload?.includes('test://a') === true;
        return { refusal: isRefused ? { error: 'FORBIDDEN' } : undefined, policies: [] };
      },
      filter: (_request, answer) => answer,
    };
    const { server, upstream } = await modernServer({ access });
    const wanted = { resourceSubscriptions: ['test://a', 'test://b'] };
    const reply = await listening(server, 1, wanted);
    isNarrow = true;
    upstream.newest.die();
    expect(await reply.message(1)).toMatchObject({ method: UPDATED, params: { uri: 'test://b' } });
  });

  it.each<[string, Json]>([
    ['nothing', {}],
    ['only what is false', { toolsListChanged: false, resourceSubscriptions: [] }],
    ['kinds nobody knows', { stocksChanged: true, taskIds: ['t'] }],
  ])('W72 a listen for %s is acknowledged with nothing and completed', async (_, filter) => {
    const gate = await modernServer();
    const reply = await gate.server.fetch(listenTo('n', filter));
    expect(reply.status).toBe(200);
    expect(reply.messages).toHaveLength(2);
    expect(reply.messages[0]).toEqual({
      jsonrpc: '2.0',
      method: ACKNOWLEDGED,
      params: { _meta: { [SUBSCRIPTION_ID]: 'n' }, notifications: {} },
    });
    // Nobody waits for the server here: it is named when it is known already.
    const result = { resultType: 'complete', _meta: { [SUBSCRIPTION_ID]: 'n' } };
    expect(reply.messages[1]).toMatchObject({ jsonrpc: '2.0', id: 'n', result });
    expect(gate.upstream.listens).toHaveLength(0);
  });

  it('W72 a listen of which the server honours nothing is completed, and ours with it', async () => {
    const gate = await modernServer({ server: { honours: () => ({}) } });
    const reply = await gate.server.fetch(listenTo(1, EVERYTHING));
    expect(methodsOf(reply)).toEqual([ACKNOWLEDGED, 'result']);
    await untilNobodyListens(gate);
    expect(gate.server.endpoint.status.streams).toBe(0);
  });
});

describe('bounds', () => {
  it('W73 a listen over the limit is 429 with an error and its id; others have room', async () => {
    const gate = await modernServer({
      identity: people(),
      isolation: 'shared',
      limits: { listensPerPrincipalMax: 2 },
    });
    const { server } = gate;
    const alice = { token: 'alice' };
    const first = await listening(server, 1, EVERYTHING, alice);
    await listening(server, 2, EVERYTHING, alice);
    const refused = await server.fetch(listenTo('third', EVERYTHING, alice));
    expect(refused.status).toBe(429);
    expect(Number(refused.header('retry-after'))).toBeGreaterThan(0);
    expect(await errorOf(refused)).toMatchObject({ id: 'third', code: -32003 });
    const bob = await listening(server, 1, EVERYTHING, { token: 'bob' });
    first.leave();
    await publishTools(gate, bob);
    const again = await listening(server, 4, EVERYTHING, alice);
    await publishTools(gate, again, bob);
  });

  it('W73 completed and refused listens leave their room', async () => {
    const { server } = await modernServer({ limits: { listensPerPrincipalMax: 1 } });
    for (let id = 0; id < 4; id += 1) {
      expect((await server.fetch(listenTo(id, {}))).status).toBe(200);
      const headers = { accept: 'application/json' };
      expect((await server.fetch(listenTo(id, EVERYTHING, { headers }))).status).toBe(406);
    }
    expect((await listening(server, 9, EVERYTHING)).status).toBe(200);
  });

  it.each([
    ['', { subscriptionsPerOwnerMax: 2 }],
    [' by their characters', { subscriptionCharsMax: 23 }],
  ])('W73 more resources than one listen may name%s are refused', async (_, limits) => {
    const { server } = await modernServer({ limits });
    const resourceSubscriptions = ['test://a', 'test://b', 'test://c'];
    const reply = await server.fetch(listenTo(1, { resourceSubscriptions }));
    expect([reply.status, (await errorOf(reply)).code]).toEqual([429, -32003]);
  });

  it('W74 an idle listen is kept alive by comments, never by data, and only when idle', async () => {
    const gate = await timedModernServer();
    const reply = await listening(gate.server, 1, { toolsListChanged: true });
    gate.clock.advance(14_000);
    await publishTools(gate, reply);
    gate.clock.advance(14_000);
    await publishTools(gate, reply);
    expect(reply.blocks.every(({ isComment }) => !isComment)).toBe(true);
    for (let beat = 1; beat <= 3; beat += 1) {
      gate.clock.advance(16_000);
      await reply.until(() => reply.blocks.length === 3 + beat, 'a heartbeat');
    }
    const beats = reply.blocks.slice(3);
    expect(beats.every(({ isComment, text }) => isComment && text.startsWith(':'))).toBe(true);
    expect(reply.messages).toHaveLength(3);
  });

  it('W75 a listen has the headers that keep proxies from buffering', async () => {
    const { server } = await modernServer();
    const said = { headers: { 'accept-encoding': 'gzip' } };
    const reply = await listening(server, 1, EVERYTHING, said);
    expect(reply.header('x-accel-buffering')).toBe('no');
    expect(reply.header('cache-control')).toBe('no-cache, no-transform');
    expect(reply.header('content-encoding')).toBeUndefined();
    expect(reply.blocks[0]).toMatchObject({ id: undefined, retry: undefined });
  });

  it('W66 a listener that vanished without a word is found when bytes wait for it', async () => {
    const limits = { streamQueueBytesMax: 64 * 1024, stallMsMax: 1000, listensPerPrincipalMax: 2 };
    const gate = await modernServer({ limits });
    const { server, upstream } = gate;
    const socket = connect(server.port, '127.0.0.1');
    const { headers, body } = listenTo(1, { toolsListChanged: true });
    const lines = Object.entries({ host: '127.0.0.1', ...headers })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}: ${String(value)}`);
    const text = String(body);
    socket.on('error', () => {});
    socket.pause();
    socket.write(
      `POST /mcp HTTP/1.1\r\n${lines.join('\r\n')}\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
    );
    const listen = await upstream.listen(0);
    await upstream.until(() => server.endpoint.status.streams === 1, 'the stream');
    for (let sent = 0; sent < 300 && server.endpoint.status.streams === 1; sent += 1) {
      listen.say(TOOLS, { padding: 'x'.repeat(64 * 1024) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(server.endpoint.status.streams).toBe(0);
    await untilNobodyListens(gate);
    socket.destroy();
  });
});
