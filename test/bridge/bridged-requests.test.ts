/**
 * Requests of 2026 clients in the words of a server of the handshake revisions, and its answers in
 * theirs.
 */
import { describe, expect, it } from 'vitest';
import { answerOf, callNow, errorOf, modern, textOf } from '../wire/client-2026.ts';
import { Session2025 } from '../wire/conversation.ts';
import { people } from '../wire/people.ts';
import { timedServer, wireServer, type WireOptions, type WireServer } from '../wire/wire-server.ts';
import type { HandCall } from '../wire/hand-upstream.ts';
import type { Json, WireReply } from '../wire/wire-reply.ts';
import { CAN_ALL, call } from './asking.ts';

const INFO = 'io.modelcontextprotocol/serverInfo';
const OPTIONS: WireOptions = { hand: { kind: 'stdio', capabilities: { logging: {} } } };

/** What the server was sent, of one conversation, by method. */
function sent(server: WireServer, method: string): readonly Json[] {
  return server.upstream.newest.sent
    .filter((message) => message.method === method)
    .map((message) => message.value as Json);
}

describe('a 2026 request at a server of the handshake revisions', () => {
  it('opens a session with exactly what the client declared and that can be carried', async () => {
    const server = await wireServer(OPTIONS);
    const clientCapabilities = {
      roots: { listChanged: true },
      elicitation: {},
      extensions: { x: {} },
      experimental: { y: {} },
    };
    await server.fetch(callNow(1, { meta: { clientCapabilities } }));
    expect(sent(server, 'initialize')).toEqual([
      {
        protocolVersion: '2025-11-25',
        capabilities: { roots: {}, elicitation: {} },
        clientInfo: { name: 'wire', version: '1.0.0' },
      },
    ]);
    await server.fetch(
      callNow(2, { meta: { clientCapabilities: { elicitation: {}, roots: {} } } }),
    );
    expect(sent(server, 'initialize')).toHaveLength(1);
  });

  it('carries what is the client’s and nothing that only its revision has', async () => {
    const server = await wireServer(OPTIONS);
    const params = { name: 'later', arguments: { big: 1, nested: { a: [] } } };
    const meta = { 'acme/x': 1, progressToken: 'mine', logLevel: 'info' };
    const request = modern(1, 'tools/call', params, { meta });
    const body = (request.body as string).replace('"big":1', '"big":12345678901234567890');
    server.send({ ...request, body });
    const { connection, id } = await server.upstream.call(0, 'tools/call');
    const [message] = connection.sent.filter(({ method }) => method === 'tools/call');
    expect(message?.payload).toBe(
      `{"name":"later","arguments":{"big":12345678901234567890,"nested":{"a":[]}},` +
        `"_meta":{"progressToken":${id},"acme/x":1}}`,
    );
  });

  it('waits over HTTP until the server knows what is to be logged, for no request may overtake', async () => {
    const server = await wireServer({ hand: { kind: 'http', capabilities: { logging: {} } } });
    const asked = [1, 2].map((id) =>
      server.send(modern(id, 'tools/call', { name: 'later' }, { meta: { logLevel: 'info' } })),
    );
    const level = await server.upstream.call(0, 'logging/setLevel');
    expect(sent(server, 'tools/call')).toEqual([]);
    level.answer({});
    for (const index of [0, 1]) {
      (await server.upstream.call(index, 'tools/call')).answer({ content: [] });
    }
    for (const reply of asked) expect(await answerOf(reply)).toHaveProperty('result');
    expect(sent(server, 'logging/setLevel')).toEqual([{ level: 'info' }]);
  });

  it('does not wait long for a server that does not say whether it knows', async () => {
    const hand = { kind: 'http', capabilities: { logging: {} } } as const;
    const { server, pass } = await timedServer({ hand });
    const logged = (id: number): WireReply =>
      server.send(modern(id, 'tools/call', { name: 'later' }, { meta: { logLevel: 'info' } }));
    const first = logged(1);
    await server.upstream.call(0, 'logging/setLevel');
    await pass(2500);
    expect(sent(server, 'tools/call')).toEqual([]);
    await pass(500);
    (await server.upstream.call(0, 'tools/call')).answer({ content: [] });
    expect(await answerOf(first)).toHaveProperty('result');
    const second = logged(2);
    (await server.upstream.call(1, 'tools/call')).answer({ content: [] });
    expect(await answerOf(second)).toHaveProperty('result');
    expect(server.endpoint.status.pending).toBe(1);
    await pass(57_000);
    expect(server.endpoint.status.pending).toBe(0);
  });

  it.each([
    ['tools/list', { tools: [] }, true],
    ['prompts/list', { prompts: [] }, true],
    ['resources/list', { resources: [] }, true],
    ['resources/templates/list', { resourceTemplates: [] }, true],
    ['completion/complete', { completion: { values: [] } }, false],
  ])('%s is answered with its kind, its server and how long it may be kept', async (...row) => {
    const [method, result, isCacheable] = row;
    const server = await wireServer(OPTIONS);
    const reply = server.send(modern('x', method));
    (await server.upstream.call(0, method)).answer({ ...result, _meta: { 'acme/own': true } });
    expect(await answerOf(reply)).toEqual({
      jsonrpc: '2.0',
      id: 'x',
      result: {
        ...result,
        resultType: 'complete',
        ...(isCacheable ? { ttlMs: 0, cacheScope: 'private' } : {}),
        _meta: { 'acme/own': true, [INFO]: { name: 'hand', version: '1.0.0' } },
      },
    });
  });

  it('is told every version the endpoint serves, and of a server that cannot tell', async () => {
    const server = await wireServer(OPTIONS);
    const { result } = (await answerOf(await server.fetch(modern(1, 'server/discover')))) as {
      result: Json;
    };
    expect(result).toEqual({
      resultType: 'complete',
      supportedVersions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
      capabilities: { logging: {} },
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { [INFO]: { name: 'hand', version: '1.0.0' } },
    });
    expect((await Session2025.open(server)).initializeReply.status).toBe(200);
  });

  it.each([
    [
      { code: -32002, message: 'gone' },
      { code: -32602, message: 'gone', data: { uri: 'a:b' } },
      200,
    ],
    [{ code: -32602, message: 'bad' }, { code: -32602, message: 'bad', data: { uri: 'a:b' } }, 200],
    [{ code: -32601, message: 'none' }, { code: -32601, message: 'none' }, 404],
    [{ code: -32603, message: 'oh' }, { code: -32603, message: 'oh' }, 200],
    [{ code: 17, message: 'own' }, { code: 17, message: 'own' }, 200],
    [
      { code: -32021, message: 'ours now' },
      { code: -32603, message: 'ours now', data: { code: -32021, message: 'ours now' } },
      200,
    ],
    [
      { code: -32000, message: 'closed' },
      { code: -32603, message: 'closed', data: { code: -32000, message: 'closed' } },
      200,
    ],
  ])('a read that fails with %o', async (error, told, status) => {
    const server = await wireServer(OPTIONS);
    const reply = server.send(modern(1, 'resources/read', { uri: 'a:b' }));
    (await server.upstream.call(0)).fail(error.code, error.message);
    await reply.whole();
    expect(reply.status).toBe(status);
    expect(await answerOf(reply)).toEqual({ jsonrpc: '2.0', id: 1, error: told });
  });

  it.each(['ping', 'resources/subscribe', 'tasks/get', 'acme/custom'])(
    '%s does not exist and is not sent',
    async (method) => {
      const server = await wireServer(OPTIONS);
      await server.fetch(callNow(1));
      const { length } = server.upstream.newest.sent;
      const reply = await server.fetch(
        modern(2, method, { taskId: 'x' }, { headers: { 'mcp-name': 'x' } }),
      );
      expect([reply.status, (await errorOf(reply)).code]).toEqual([404, -32601]);
      expect(server.upstream.newest.sent).toHaveLength(length);
    },
  );

  it('has its Mcp-Param headers compared with what the tool declares, read anew when it changes', async () => {
    const server = await wireServer({ hand: { kind: 'stdio' } });
    const list = async (index: number, header: string): Promise<void> => {
      const region = { type: 'string', 'x-mcp-header': header };
      const inputSchema = { type: 'object', properties: { region } };
      (await server.upstream.call(index, 'tools/list')).answer({
        tools: [{ name: 'now', inputSchema }],
      });
    };
    const said = (headers: Record<string, string>): ReturnType<typeof modern> =>
      modern(1, 'tools/call', { name: 'now', arguments: { region: 'eu' } }, { headers });
    const wrong = server.send(said({}));
    await list(0, 'Region');
    expect(await errorOf(wrong)).toMatchObject({ id: 1, code: -32020 });
    expect(await textOf(await server.fetch(said({ 'mcp-param-region': 'eu' })))).toBe('now');
    server.upstream.newest.say('notifications/tools/list_changed');
    const old = server.send(said({ 'mcp-param-region': 'eu' }));
    await list(1, 'Area');
    expect(await errorOf(old)).toMatchObject({ code: -32020 });
  });
});

describe('what a server of the handshake revisions says of a call', () => {
  it('is logged at the level the request asks for, and not at all without one', async () => {
    const server = await wireServer(OPTIONS);
    const loud = server.send(call(1, {}, { meta: { logLevel: 'warning' } }));
    const one = await server.upstream.call(0, 'tools/call');
    expect(sent(server, 'logging/setLevel')).toEqual([{ level: 'warning' }]);
    one.log('too low');
    one.notify('notifications/message', { level: 'error', data: 'loud' });
    one.say('one');
    await loud.whole();
    expect(loud.messages.map(({ params }) => (params as Json | undefined)?.['data'])).toEqual([
      'loud',
      undefined,
    ]);
    const quiet = server.send(call(2));
    const two = await server.upstream.call(1, 'tools/call');
    two.notify('notifications/message', { level: 'error', data: 'unwanted' });
    two.say('two');
    expect((await quiet.whole()).text).not.toContain('unwanted');
  });

  it('is not logged at the level of a call that is not let in', async () => {
    const server = await wireServer({ hand: { capabilities: { logging: {}, tools: {} } } });
    const meta = { logLevel: 'debug' };
    const params = { name: 'now', arguments: { region: 'eu' } };
    const refused = server.send(modern(1, 'tools/call', params, { meta }));
    const list = await server.upstream.call(0, 'tools/list');
    const said = { meta: { logLevel: 'error' } };
    const other = server.send(modern(2, 'prompts/get', { name: 'p' }, said));
    (await server.upstream.call(0, 'prompts/get')).answer({ messages: [] });
    await answerOf(other);
    const region = { type: 'string', 'x-mcp-header': 'Region' };
    const inputSchema = { type: 'object', properties: { region } };
    list.answer({ tools: [{ name: 'now', inputSchema }] });
    expect(await errorOf(refused)).toMatchObject({ code: -32020 });
    expect(sent(server, 'logging/setLevel')).toEqual([{ level: 'error' }]);
  });

  it('is not logged at the level of a call for which there is no place, nor takes a place of one', async () => {
    const server = await wireServer({ ...OPTIONS, limits: { pendingPerUpstreamMax: 2 } });
    const said = { meta: { logLevel: 'debug', clientCapabilities: {} } };
    const replies = [server.send(call(1, {}, { meta: { clientCapabilities: {} } }))];
    const calls = [await server.upstream.call(0, 'tools/call')];
    replies.push(server.send(call(2, {}, said)));
    calls.push(await server.upstream.call(1, 'tools/call'));
    expect(await errorOf(await server.fetch(call(3, {}, said)))).toMatchObject({ code: -32003 });
    for (const each of calls) each.say('done');
    for (const reply of replies) expect(await textOf(reply)).toBe('done');
    expect(sent(server, 'logging/setLevel')).toEqual([]);
    const logged = server.send(call(4, {}, said));
    (await server.upstream.call(2, 'tools/call')).say('done');
    expect(await textOf(logged)).toBe('done');
    expect(sent(server, 'logging/setLevel')).toEqual([{ level: 'debug' }]);
  });

  it('reaches no client when several calls could have caused it', async () => {
    const server = await wireServer(OPTIONS);
    const said = { meta: { logLevel: 'debug', clientCapabilities: {} } };
    const replies = [server.send(call(1, {}, said)), server.send(call(2, {}, said))];
    const calls = [
      await server.upstream.call(0, 'tools/call'),
      await server.upstream.call(1, 'tools/call'),
    ];
    calls[0]?.log('whose?');
    for (const each of calls) each.say('done');
    for (const reply of replies) expect((await reply.whole()).text).not.toContain('whose?');
  });

  it('goes to the call it names, however many there are', async () => {
    const hand = { kind: 'in-process', capabilities: { logging: {} } } as const;
    const server = await wireServer({ hand });
    const said = { meta: { logLevel: 'debug', progressToken: 't', clientCapabilities: CAN_ALL } };
    const replies = [server.send(call(1, {}, said)), server.send(call(2, {}, said))];
    const named = new Map<string, HandCall>();
    for (const index of [0, 1]) {
      const each = await server.upstream.call(index, 'tools/call');
      named.set(each.id, each);
    }
    for (const [id, each] of named) {
      each.progress(1);
      each.log(`of ${id}`);
      each.progress(1);
      each.progress(2);
      each.say(id);
    }
    for (const reply of replies) {
      const id = await textOf(reply);
      const told = reply.messages.map(({ params }) => params as Json | undefined);
      expect(told).toMatchObject([
        { progress: 1 },
        { data: `of ${id}` },
        { progress: 2 },
        undefined,
      ] as never);
    }
  });

  it('stays with its principal', async () => {
    const server = await wireServer({ ...OPTIONS, identity: people() });
    await server.fetch(callNow(1, { token: 'alice' }));
    const { newest } = server.upstream;
    await server.fetch(callNow(2, { token: 'bob' }));
    expect(server.upstream.newest).not.toBe(newest);
  });
});
