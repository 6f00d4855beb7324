/**
 * Bad input over real sockets: its own status, a JSON-RPC error in one sentence, and nobody else
 * disturbed.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server
 */
import { describe, expect, it } from 'vitest';
import { callNow, note, postOf, rpc, Session2025 } from './conversation.ts';
import type { WireReply } from './wire-reply.ts';
import { wireServer } from './wire-server.ts';

const DEEP = '['.repeat(100) + ']'.repeat(100);

/** What every refusal has, whatever it refuses. */
function expectCleanRefusal(reply: WireReply, status: number, code: number): void {
  expect(reply.status).toBe(status);
  expect(reply.header('content-type')).toBe('application/json');
  expect(reply.text).not.toMatch(/<|\bat \S+:\d+|node_modules|\.ts\b/);
  const { jsonrpc, error } = JSON.parse(reply.text) as {
    jsonrpc: string;
    error: { code: number; message: string };
  };
  expect(jsonrpc).toBe('2.0');
  expect(error.code).toBe(code);
  expect(error.message).toMatch(/^[^\n]{1,120}$/);
}

describe('bodies', () => {
  it.each([
    ['nothing', '', 400, -32700],
    ['half an object', '{"jsonrpc":"2.0","id":1', 400, -32700],
    ['a trailing comma', '{"jsonrpc":"2.0","id":1,"method":"ping",}', 400, -32700],
    ['two messages', '{}{}', 400, -32700],
    ['a scalar', '"ping"', 400, -32600],
    ['an object that is no message', '{"hello":"world"}', 400, -32600],
    ['another JSON-RPC', '{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600],
    ['no jsonrpc', '{"id":1,"method":"ping"}', 400, -32600],
    ['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":7}', 400, -32600],
    ['params in an array', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 400, -32600],
    ['a result and an error', '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', 400, -32600],
    ['a name twice', '{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}', 400, -32600],
    [
      'too many levels',
      `{"jsonrpc":"2.0","id":1,"method":"a","params":{"a":${DEEP}}}`,
      400,
      -32600,
    ],
    ['a call without an id', '{"jsonrpc":"2.0","method":"tools/call"}', 400, -32600],
    ['initialize without an id', '{"jsonrpc":"2.0","method":"initialize"}', 400, -32600],
    ['HTML', '<script>alert(1)</script>', 400, -32700],
  ])('W37 that are %s are refused', async (_what, body, status, code) => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const before = server.upstream.newest.sent.length;
    expectCleanRefusal(await session.post(body).whole(), status, code);
    expect(server.upstream.newest.sent.length).toBe(before);
    expect((await session.post(rpc(2, 'ping')).whole()).status).toBe(200);
  });

  it('W37 that are not UTF-8 are refused', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const headers = { 'content-type': 'application/json', ...session.headers() };
    const text = Buffer.from('{"jsonrpc":"2.0","id":"\xff","method":"ping"}', 'latin1');
    const reply = await server.fetch({ method: 'POST', path: '/mcp', headers, body: text });
    expectCleanRefusal(reply, 400, -32700);
  });

  it('V19 that are notifications of a vendor go on, by their name', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = await session.post(note('notifications/vendor.example/x')).whole();
    expect(reply.status).toBe(202);
    await session.post(rpc(1, 'ping')).whole();
    expect(server.upstream.newest.methods()).toContain('notifications/vendor.example/x');
  });

  it('W37 V42 with a member in another case do not smuggle it', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = await session
      .post('{"jsonrpc":"2.0","id":1,"method":"ping","Method":"b"}')
      .whole();
    expectCleanRefusal(reply, 400, -32600);
  });

  it.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['application/json; charset=latin1'],
    ['application/jsonp'],
    [undefined],
  ])('W37 V07 of the type %s are 415 and do nothing', async (type) => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = await session.post(callNow(1), { 'content-type': type }).whole();
    expectCleanRefusal(reply, 415, -32600);
    expect(server.upstream.newest.methods()).not.toContain('tools/call');
  });

  it('W37 of JSON in any case and with its charset are taken', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const type = { 'content-type': 'Application/JSON; charset="UTF-8"' };
    expect((await session.post(callNow(1), type).whole()).status).toBe(200);
  });

  it('W37 over the bound are 413, whether they say so before or only while they stream', async () => {
    const server = await wireServer({ limits: { bodyBytesMax: 1000 } });
    const session = await Session2025.open(server);
    const body = JSON.stringify(rpc(1, 'tools/call', { name: 'now', text: 'x'.repeat(1000) }));
    expectCleanRefusal(await session.post(body).whole(), 413, -32600);
    const chunked = { 'transfer-encoding': 'chunked' };
    expectCleanRefusal(await session.post(body, chunked).whole(), 413, -32600);
    const fits = rpc(1, 'tools/call', { name: 'now', text: 'x'.repeat(800) });
    expect((await session.post(fits).whole()).status).toBe(200);
  });
});

describe('requests', () => {
  it.each(['PUT', 'PATCH', 'TRACE', 'PROPFIND'])(
    'W37 with %s are 405 with Allow',
    async (method) => {
      const server = await wireServer();
      const reply = await server.fetch({ method, path: '/mcp' });
      expectCleanRefusal(reply, 405, -32600);
      expect(reply.header('allow')).toBe('GET, POST, DELETE');
    },
  );

  it('W37 to a path that is not served are 404', async () => {
    const server = await wireServer();
    for (const path of ['/', '/mcp2', '/mcp/x', '/MCP', '//mcp', '/%6dcp', '/mcp//']) {
      expectCleanRefusal(await server.fetch(postOf(path, rpc(1, 'ping'))), 404, -32600);
    }
  });

  it('W37 that were refused leave a neighbour whole, and no secret in the refusal', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const neighbour = await Session2025.open(server);
    const stream = await neighbour.listen().head();
    await stream.block(0);
    const secret = 'canary-3f9a';
    for (const body of ['{', '[]', `{"jsonrpc":"2.0","id":{"${secret}":1},"method":"${secret}"}`]) {
      const headers = { authorization: `Bearer ${secret}`, 'x-secret': secret };
      const reply = await session.post(body, headers).whole();
      expect(reply.status).toBe(400);
      expect(reply.bytes).not.toContain(secret);
    }
    server.upstream.newest.say('notifications/tools/list_changed');
    expect(await stream.message(0)).toMatchObject({ method: 'notifications/tools/list_changed' });
  });
});
