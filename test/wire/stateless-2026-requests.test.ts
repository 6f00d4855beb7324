/**
 * What a request of the stateless revision must carry, and how it is refused when it does not.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#request-metadata
 */
import { describe, expect, it } from 'vitest';
import {
  answerOf,
  callLater,
  callNow,
  errorOf,
  metaOf,
  modern,
  modernText,
  textOf,
  VERSION,
} from './client-2026.ts';
import { callNow as callNow2025, postOf, rpc, Session2025 } from './conversation.ts';
import { modernServer, timedModernServer, type ModernServer } from './modern-server.ts';
import type { Json, WireRequest } from './wire-reply.ts';

const EVERY_VERSION = [VERSION, '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
const HEADER_MISMATCH = -32020;

async function refusal(
  { server }: ModernServer,
  request: WireRequest,
): Promise<{ status: number; id: unknown; code: number; message: string; data: Json }> {
  const reply = await server.fetch(request);
  expect(reply.header('content-type')).toBe('application/json');
  return { status: reply.status, ...(await errorOf(reply)) };
}

describe('one route, no sessions', () => {
  it('W50 ignores session and event ids, and mints none', async () => {
    const { server, upstream } = await modernServer();
    const headers = { 'mcp-session-id': 'stale', 'last-event-id': '0.1-7.abc' };
    const reply = server.send(callLater(1, { headers, meta: { progressToken: 'p' } }));
    const call = await upstream.call(0);
    call.progress(1);
    call.say('done');
    await reply.whole();
    expect(reply.status).toBe(200);
    expect(reply.header('mcp-session-id')).toBeUndefined();
    expect(reply.messageBlocks).toHaveLength(2);
    expect(reply.blocks.map(({ id, retry }) => [id, retry])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it('W51 W80 decides the era for each request, by its body, on one URL', async () => {
    const { server, upstream } = await modernServer();
    const session = await Session2025.open(server);
    const modernReply = await server.fetch(
      callNow(1, { headers: { 'mcp-session-id': session.id } }),
    );
    expect(await answerOf(modernReply)).toMatchObject({
      id: 1,
      result: { resultType: 'complete' },
    });
    const legacyReply = await session.post(callNow2025(1)).whole();
    expect(JSON.parse(legacyReply.text)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: { content: [{ type: 'text', text: 'now' }] },
    });
    expect(upstream.newest.sent.some(({ method }) => method === 'tools/call')).toBe(true);
  });

  it('W80 headers that mirror a body decide nothing for a request of an older revision', async () => {
    const { server } = await modernServer();
    const session = await Session2025.open(server);
    const headers = { 'mcp-method': 'tools/list', 'mcp-name': 'other', 'mcp-param-region': 'eu' };
    const reply = await session.post(callNow2025(1), headers).whole();
    expect(reply.text).toContain('"text":"now"');
    const unversioned = { ...headers, 'mcp-protocol-version': undefined };
    expect((await session.post(callNow2025(2), unversioned).whole()).text).toContain('now');
  });

  it('W80 a modern body whose version header is absent or older is refused', async () => {
    const gate = await modernServer();
    for (const version of [undefined, '2025-11-25', '2024-11-05']) {
      const request = callNow(1, { headers: { 'mcp-protocol-version': version } });
      expect(await refusal(gate, request)).toMatchObject({ status: 400, code: HEADER_MISMATCH });
    }
  });
});

describe('standard headers', () => {
  const named: readonly [method: string, params: Json][] = [
    ['tools/call', { name: 'now' }],
    ['prompts/get', { name: 'p' }],
    ['resources/read', { uri: 'test://r' }],
    ['tasks/get', { taskId: 't' }],
    ['tasks/update', { taskId: 't' }],
    ['tasks/cancel', { taskId: 't' }],
  ];

  it.each(['mcp-protocol-version', 'mcp-method', 'mcp-name'])(
    'W52 refuses a call without %s',
    async (name) => {
      const gate = await modernServer();
      const request = callNow('c', { headers: { [name]: undefined } });
      const refused = { status: 400, id: 'c', code: HEADER_MISMATCH };
      expect(await refusal(gate, request)).toMatchObject(refused);
      expect(gate.upstream.newest.sent.some(({ method }) => method === 'tools/call')).toBe(false);
    },
  );

  it.each(named)('W52 asks for Mcp-Name with %s', async (method, params) => {
    const gate = await modernServer();
    const [name = ''] = Object.values(params) as string[];
    const without = modern(1, method, params, { headers: { 'mcp-name': undefined } });
    expect(await refusal(gate, without)).toMatchObject({ status: 400, code: HEADER_MISMATCH });
    const reply = gate.server.send(modern(2, method, params, { headers: { 'mcp-name': name } }));
    if (params['name'] !== 'now') (await gate.upstream.call(0, method)).answer({});
    expect(await answerOf(reply)).toMatchObject({ id: 2, result: {} });
  });

  it('W52 asks for no Mcp-Name where there is nothing to name', async () => {
    const { server, upstream } = await modernServer();
    const reply = server.send(modern(1, 'prompts/list'));
    (await upstream.call(0)).answer({ prompts: [] });
    expect((await answerOf(reply))['id']).toBe(1);
  });

  it.each([
    ['mcp-protocol-version', '2025-11-25'],
    ['mcp-method', 'tools/list'],
    ['mcp-method', 'TOOLS/CALL'],
    ['mcp-name', 'Now'],
    ['mcp-name', 'now '.repeat(2).trim()],
    ['mcp-name', ''],
  ])(
    'W53 a header that differs from the body is refused with its id: %s %j',
    async (name, value) => {
      const gate = await modernServer();
      const refused = await refusal(gate, callNow('7', { headers: { [name]: value } }));
      expect(refused).toMatchObject({ status: 400, id: '7', code: HEADER_MISMATCH });
      expect(refused.message).toMatch(/header/);
    },
  );

  it('W53 names of headers may be in any case, and outer whitespace does not count', async () => {
    const { server } = await modernServer();
    const { body, headers } = callNow(1);
    const loud: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers ?? {})) {
      if (value !== undefined) loud[name.toUpperCase()] = `${String(value)} \t`;
    }
    const reply = await server.fetch({
      method: 'POST',
      path: '/mcp',
      headers: loud,
      body: body ?? '',
    });
    expect(await textOf(reply)).toBe('now');
  });

  it.each(['mcp-protocol-version', 'mcp-method', 'mcp-name'])(
    'W53 two lines of %s are refused, even equal ones',
    async (name) => {
      const gate = await modernServer();
      const value = String(callNow(1).headers?.[name]);
      const request = callNow(1, { headers: { [name]: [value, value] } });
      expect(await refusal(gate, request)).toMatchObject({
        status: 400,
        id: 1,
        code: HEADER_MISMATCH,
      });
    },
  );
});

describe('encoded header values', () => {
  const encoded = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;

  it.each(['naïve ☕', ' outer ', 'line\nbreak', '=?base64?bm93?=', 'plain'])(
    'W54 an encoded name is decoded and compared: %j',
    async (name) => {
      const { server, upstream } = await modernServer();
      const said = { headers: { 'mcp-name': encoded(name) } };
      const reply = server.send(modern(1, 'tools/call', { name, arguments: {} }, said));
      (await upstream.call(0)).say(name);
      expect(await textOf(reply)).toBe(name);
    },
  );

  it.each([
    ['not base64', 'now', '=?base64?!!!?='],
    ['base64 without its padding', 'a', '=?base64?YQ?='],
    ['base64 that is not canonical', 'a', '=?base64?YR==?='],
    ['base64url', '>>>?', '=?base64?Pj4-Pw==?='],
    ['not UTF-8', 'now', '=?base64?/w==?='],
    ['another name', 'now', '=?base64?bmV2ZXI=?='],
    ['a marker in upper case is no marker', 'now', '=?BASE64?bm93?='],
    ['a literal that looks encoded', '=?base64?bm93?=', '=?base64?bm93?='],
  ])('W54 V43 refuses %s', async (_, name, value) => {
    const gate = await modernServer();
    const said = { headers: { 'mcp-name': value } };
    const request = modern(3, 'tools/call', { name, arguments: {} }, said);
    expect(await refusal(gate, request)).toMatchObject({
      status: 400,
      id: 3,
      code: HEADER_MISMATCH,
    });
  });
});

describe('headers from tool parameters', () => {
  const tool = {
    name: 'placed',
    inputSchema: {
      type: 'object',
      properties: {
        region: { type: 'string', 'x-mcp-header': 'Region' },
        level: { type: 'integer', 'x-mcp-header': 'Level' },
        isDry: { type: 'boolean', 'x-mcp-header': 'Dry' },
        where: {
          type: 'object',
          properties: { zone: { type: 'string', 'x-mcp-header': 'Zone' } },
        },
      },
    },
  };
  const placed = (args: Json, headers: Readonly<Record<string, string | string[]>>): WireRequest =>
    modern(4, 'tools/call', { name: 'placed', arguments: args }, { headers });

  it.each<[string, Json, Readonly<Record<string, string>>]>([
    ['a string', { region: 'eu' }, { 'mcp-param-region': 'eu' }],
    ['an encoded string', { region: 'é' }, { 'mcp-param-region': '=?base64?w6k=?=' }],
    ['an integer', { level: 42 }, { 'mcp-param-level': '42' }],
    ['an integer by its value', { level: 42 }, { 'mcp-param-level': '42.0' }],
    ['a boolean', { isDry: false }, { 'mcp-param-dry': 'false' }],
    ['a nested value', { where: { zone: 'z' } }, { 'mcp-param-zone': 'z' }],
    ['null without a header', { region: null }, {}],
    ['nothing without a header', {}, {}],
    ['a name nobody asked for', {}, { 'mcp-param-other': 'x' }],
  ])('W55 takes %s', async (_, args, headers) => {
    const { server, upstream } = await modernServer({ server: { tools: [tool] } });
    const reply = server.send(placed(args, headers));
    (await upstream.call(0)).say('placed');
    expect(await textOf(reply)).toBe('placed');
  });

  it('W55 are read again once they are old', async () => {
    const tools: Json[] = [{ name: 'now', inputSchema: { type: 'object' } }];
    const limits = { toolFactsMsMax: 60_000 };
    const { server, clock } = await timedModernServer({ server: { tools }, limits });
    const statusOf = async (): Promise<number> => {
      const params = { name: 'now', arguments: { region: 'eu' } };
      return (await server.fetch(modern(4, 'tools/call', params))).status;
    };
    expect(await statusOf()).toBe(200);
    tools[0] = { ...tool, name: 'now' };
    clock.advance(59_999);
    expect([await statusOf(), await statusOf()]).toEqual([200, 200]);
    clock.advance(1);
    expect([await statusOf(), await statusOf()]).toEqual([200, 400]);
  });

  it.each<[string, Json, Readonly<Record<string, string | string[]>>]>([
    ['a header that is missing', { region: 'eu' }, {}],
    ['another value', { region: 'eu' }, { 'mcp-param-region': 'us' }],
    ['another case', { region: 'eu' }, { 'mcp-param-region': 'EU' }],
    ['a header without its argument', {}, { 'mcp-param-region': 'eu' }],
    ['a header for null', { region: null }, { 'mcp-param-region': 'null' }],
    ['two lines', { region: 'eu' }, { 'mcp-param-region': ['eu', 'eu'] }],
    ['another integer', { level: 42 }, { 'mcp-param-level': '43' }],
    ['an integer in words', { level: 42 }, { 'mcp-param-level': '4.2e1' }],
    ['an unsafe integer', { level: 2 ** 53 }, { 'mcp-param-level': '9007199254740993' }],
    ['a boolean in another case', { isDry: true }, { 'mcp-param-dry': 'True' }],
    ['a nested header that is missing', { where: { zone: 'z' } }, {}],
    ['broken base64', { region: 'eu' }, { 'mcp-param-region': '=?base64?*?=' }],
  ])('W55 refuses %s', async (_, args, headers) => {
    const gate = await modernServer({ server: { tools: [tool] } });
    const request = placed(args, headers);
    expect(await refusal(gate, request)).toMatchObject({
      status: 400,
      id: 4,
      code: HEADER_MISMATCH,
    });
    expect(gate.upstream.calls).toHaveLength(0);
  });

  it('are read again when tools changed, though not without pause of a server that says so always', async () => {
    const tools = [{ name: 'now', inputSchema: { type: 'object' } }];
    const { server, upstream, clock } = await timedModernServer({ server: { tools } });
    expect(await textOf(await server.fetch(callNow(1)))).toBe('now');
    const { newest } = upstream;
    const lists = (): number => newest.sent.filter(({ method }) => method === 'tools/list').length;
    const before = lists();
    const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
    for (let i = 0; i < 3; i += 1) newest.raw(changed);
    expect(lists()).toBe(before + 1);
    await server.fetch(callNow(2));
    for (const more of [2, 2]) {
      clock.advance(1000);
      await server.fetch(callNow(3));
      expect(lists()).toBe(before + more);
    }
  });
});

describe('request metadata', () => {
  it.each<[string, Json | undefined]>([
    ['_meta', undefined],
    ['protocolVersion', metaOf({ protocolVersion: undefined })],
    ['a version that is a string', metaOf({ protocolVersion: 7 })],
    ['clientCapabilities', metaOf({ clientCapabilities: undefined })],
    ['capabilities that are an object', metaOf({ clientCapabilities: [] })],
  ])('W56 a request without %s has invalid params', async (_, meta) => {
    const gate = await modernServer();
    const params = { name: 'now', arguments: {}, ...(meta === undefined ? {} : { _meta: meta }) };
    const text = JSON.stringify(rpc(5, 'tools/call', params));
    const refused = await refusal(gate, modernText('tools/call', params, text));
    expect(refused).toMatchObject({ status: 400, id: 5, code: -32602 });
  });

  it('W56 a request without clientInfo is fine', async () => {
    const { server } = await modernServer();
    const reply = await server.fetch(callNow(1, { meta: { clientInfo: undefined } }));
    expect(await textOf(reply)).toBe('now');
  });

  it.each(['2027-01-01', '2025-11-25', 'DRAFT', ''])(
    'W57 a version that is not served, %j, is told every version that is',
    async (version) => {
      const gate = await modernServer();
      const said = {
        headers: { 'mcp-protocol-version': version },
        meta: { protocolVersion: version },
      };
      const refused = await refusal(gate, callNow(6, said));
      expect(refused).toMatchObject({ status: 400, id: 6, code: -32022 });
      expect(refused.data).toEqual({ supported: EVERY_VERSION, requested: version });
    },
  );

  it('W57 discovery lists every version of the endpoint, the handshake ones included', async () => {
    const { server } = await modernServer();
    const reply = await server.fetch(modern('d', 'server/discover'));
    expect(await answerOf(reply)).toMatchObject({
      id: 'd',
      result: { resultType: 'complete', supportedVersions: EVERY_VERSION },
    });
  });
});

describe('errors', () => {
  const removed = [
    'initialize',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'resources/unsubscribe',
    'tasks/list',
    'tasks/result',
    'sampling/createMessage',
    'elicitation/create',
    'roots/list',
  ];

  it.each(removed)('W58 the method %s is not of this revision: 404', async (method) => {
    const gate = await modernServer();
    const refused = { status: 404, id: 8, code: -32601 };
    expect(await refusal(gate, modern(8, method))).toMatchObject(refused);
    expect(gate.upstream.newest.sent.some((sent) => sent.method === method)).toBe(false);
  });

  it('W58 a method the server does not know is 404 with the id', async () => {
    const gate = await modernServer();
    const refused = refusal(gate, modern('u', 'widgets/spin'));
    (await gate.upstream.call(0)).fail(-32601, 'Method not found');
    expect(await refused).toMatchObject({ status: 404, id: 'u', code: -32601 });
  });

  it.each([-32602, -32603, -32000, 1234])(
    'W58 an error of a handler, %i, stays on 200 and is relayed as it is',
    async (code) => {
      const { server, upstream } = await modernServer();
      const reply = server.send(callLater(9));
      (await upstream.call(0)).fail(code, 'as it was', { uri: 'test://x' });
      const error = { code, message: 'as it was', data: { uri: 'test://x' } };
      expect(await answerOf(reply)).toEqual({ jsonrpc: '2.0', id: 9, error });
      expect(reply.status).toBe(200);
    },
  );

  it('W60 a capability that was not declared is 400 while the reply is undecided', async () => {
    const gate = await modernServer();
    const refused = refusal(gate, callLater(10));
    const data = { requiredCapabilities: { sampling: {} } };
    (await gate.upstream.call(0)).fail(-32021, 'Missing capability', data);
    expect(await refused).toMatchObject({ status: 400, id: 10, code: -32021, data });
  });

  it('W60 the same is an error on the stream once that has begun', async () => {
    const { server, upstream } = await modernServer();
    const reply = server.send(callLater(11, { meta: { progressToken: 1 } }));
    const call = await upstream.call(0);
    call.progress(1);
    await reply.message(0);
    call.fail(-32021, 'Missing capability', { requiredCapabilities: { sampling: {} } });
    expect(await errorOf(reply)).toMatchObject({ id: 11, code: -32021 });
    expect(reply.status).toBe(200);
  });

  it.each<[string, unknown]>([
    ['a batch', [rpc(1, 'tools/list', { _meta: metaOf() })]],
    ['an empty batch', []],
    ['a response', { jsonrpc: '2.0', id: 1, result: {} }],
    ['an error response', { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'no' } }],
  ])('W61 %s is refused', async (_, body) => {
    const gate = await modernServer();
    const request = postOf('/mcp', body, { 'mcp-protocol-version': VERSION });
    expect(await refusal(gate, request)).toMatchObject({ status: 400, code: -32600 });
  });

  it('W62 a notification gets 202, nothing else, and needs no headers', async () => {
    const { server } = await modernServer();
    const body = { jsonrpc: '2.0', method: 'notifications/x', params: { _meta: metaOf() } };
    for (const headers of [
      {},
      { 'mcp-protocol-version': VERSION, 'mcp-method': 'notifications/x' },
    ]) {
      const reply = await server.fetch(postOf('/mcp', body, headers));
      expect(reply.status).toBe(202);
      expect(reply.text).toBe('');
      expect(reply.header('content-type')).toBeUndefined();
    }
  });

  it('W62 a notification that is no JSON-RPC is 400', async () => {
    const gate = await modernServer();
    const body = { jsonrpc: '2.0', method: 'notifications/x', params: [metaOf()] };
    const request = postOf('/mcp', body, { 'mcp-protocol-version': VERSION });
    expect(await refusal(gate, request)).toMatchObject({ status: 400, code: -32600 });
  });

  it('W62 a request that lacks its id is no notification: 400', async () => {
    const gate = await modernServer();
    const params = { name: 'now', arguments: {}, _meta: metaOf() };
    const body = { jsonrpc: '2.0', method: 'tools/call', params };
    const request = postOf('/mcp', body, { 'mcp-protocol-version': VERSION });
    expect(await refusal(gate, request)).toMatchObject({ status: 400, code: -32600 });
  });

  it('W78 an id comes back with its type in refusals and answers alike', async () => {
    const gate = await modernServer();
    for (const id of ['1', 1, '', 'ünïcode', Number.MAX_SAFE_INTEGER]) {
      const answered = await gate.server.fetch(callNow(id));
      expect((await answerOf(answered))['id']).toBe(id);
      expect((await refusal(gate, modern(id, 'ping'))).id).toBe(id);
    }
    const large = JSON.stringify(rpc(0, 'ping', { _meta: metaOf() }));
    const request = modernText('ping', {}, large.replace('"id":0', '"id":9007199254740993'));
    expect((await gate.server.fetch(request)).text).toContain('"id":9007199254740993,');
  });
});
