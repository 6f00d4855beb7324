/** Requests of the stateless revision to a remote server: headers, cancellation, listens. */
import { expect, it } from 'vitest';
import { Message } from '../../../src/core/protocol/message.ts';
import { eventually } from '../../wire/signal.ts';
import { dialModern, HandServer, type Asked } from './hand-server.ts';

const META = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}';
const STAMP = 'io.modelcontextprotocol/subscriptionId';

const TOOLS = [
  {
    name: 'here',
    inputSchema: {
      type: 'object',
      properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
    },
  },
  { name: 'broken', inputSchema: { type: 'object', 'x-mcp-header': 'Nowhere' } },
];

function callOf(id: number, region: string): Message {
  const params = `{"name":"here","arguments":{"region":${JSON.stringify(region)}},${META}}`;
  return Message.request(String(id), 'tools/call', params);
}

function answerAll(asked: Asked): void {
  const isList = asked.body.method === 'tools/list';
  asked.result(isList ? { tools: TOOLS, ttlMs: 0 } : { ok: true });
}

it('V44 says in headers what the body says, encoded where it must be', async () => {
  const server = await HandServer.start(answerAll);
  const { connection, answerTo } = dialModern(server.url);
  connection.send(Message.request('1', 'resources/read', `{"uri":"test://ä\\r\\nX: y",${META}}`));
  await answerTo(1);
  const [read] = server.asked;
  expect(read?.header('mcp-protocol-version')).toBe('2026-07-28');
  expect(read?.header('mcp-method')).toBe('resources/read');
  expect(read?.header('mcp-name')).toBe(`=?base64?${btoa('test://Ã¤\r\nX: y')}?=`);
  expect(read?.header('x')).toBeUndefined();
  expect(read?.request.url).toBe('/mcp');
  connection.send(Message.request('2', 'tools\r\nX: y', `{${META}}`));
  expect(await answerTo(2)).toMatchObject({ code: -32601 });
  expect(server.asked).toHaveLength(1);
});

it('V44 repeats annotated arguments in headers, and leaves a tool out that breaks the rules', async () => {
  const server = await HandServer.start(answerAll);
  const { connection, answerTo, sight } = dialModern(server.url);
  connection.send(Message.request('1', 'tools/list', `{${META}}`));
  expect(await answerTo(1)).toEqual({ tools: [TOOLS[0]], ttlMs: 0 });
  expect(sight.logs).toContainEqual(expect.objectContaining({ event: 'upstream_tool_refused' }));
  connection.send(callOf(2, ' mid west '));
  await answerTo(2);
  expect(server.of('tools/call')[0]?.header('mcp-param-region')).toBe(
    `=?base64?${btoa(' mid west ')}?=`,
  );
  for (const { request } of server.asked) expect(request.url).toBe('/mcp');
});

it('lists the tools when headers were refused, and calls once more', async () => {
  const mismatch = { code: -32020, message: 'Header mismatch' };
  const server = await HandServer.start((asked) => {
    const isCall = asked.body.method === 'tools/call';
    if (!isCall || asked.header('mcp-param-region') === 'west') answerAll(asked);
    else asked.json({ jsonrpc: '2.0', id: asked.body.id, error: mismatch }, {}, 400);
  });
  const { connection, answerTo, recorder } = dialModern(server.url);
  connection.send(callOf(1, 'west'));
  expect(await answerTo(1)).toEqual({ ok: true });
  connection.send(callOf(2, 'east'));
  expect(await answerTo(2)).toEqual(mismatch);
  expect(server.asked.map(({ body }) => body.method)).toEqual([
    'tools/call',
    'tools/list',
    'tools/call',
    'tools/call',
    'tools/list',
    'tools/call',
  ]);
  expect(recorder.messages()).toHaveLength(2);
});

it('cancels a call by closing its connection, and sends nothing', async () => {
  const server = await HandServer.start((asked) => {
    if (asked.body.id !== 1) answerAll(asked);
  });
  const { connection, call, recorder } = dialModern(server.url);
  connection.send(callOf(1, 'west'));
  const slow = await server.until(1, 'tools/call');
  connection.send(Message.notification('notifications/cancelled', '{"requestId":1}'));
  await eventually(() => slow.isGone, 'the end of the call');
  await call(2);
  expect(server.asked).toHaveLength(2);
  expect(recorder.messages().map(({ id }) => id)).toEqual(['2']);
});

it('keeps a listen up: acknowledged once, and after a break everything is reported', async () => {
  const server = await HandServer.start((asked) => {
    const notifications = { toolsListChanged: true, resourceSubscriptions: ['test://a'] };
    const params = { _meta: { [STAMP]: asked.body.id }, notifications };
    asked.event({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params });
  });
  const { connection, recorder, answerTo } = dialModern(server.url);
  const notes = (): unknown[] => recorder.messages().map(({ method }) => method);
  connection.send(Message.request('7', 'subscriptions/listen', `{${META},"notifications":{}}`));
  const first = await server.until(1, 'subscriptions/listen');
  await recorder.until(() => notes().length === 1, 'the acknowledgment');
  first.response.destroy();
  const second = await server.until(2, 'subscriptions/listen');
  expect(second.body).toEqual(first.body);
  await recorder.until(() => notes().length === 3, 'the changes');
  expect(notes()).toEqual([
    'notifications/subscriptions/acknowledged',
    'notifications/tools/list_changed',
    'notifications/resources/updated',
  ]);
  for (const message of recorder.messages()) {
    expect(message.token(message.spans.subscriptionId)).toBe('7');
  }
  expect(recorder.messages()[2]?.value).toEqual({ _meta: { [STAMP]: 7 }, uri: 'test://a' });
  second.event({ jsonrpc: '2.0', id: 7, result: { resultType: 'complete' } });
  expect(await answerTo(7)).toEqual({ resultType: 'complete' });
});

it('tells a server that knows nothing of it from one that is not there', async () => {
  const server = await HandServer.start((asked) => asked.status(405));
  const discover = Message.request('1', 'server/discover', `{${META}}`);
  const old = dialModern(server.url);
  old.connection.send(discover);
  expect(await old.answerTo(1)).toMatchObject({ code: -32601 });
  server.answer = (asked) => asked.status(503);
  const down = dialModern(server.url);
  down.connection.send(discover);
  expect(await down.recorder.closed()).toMatchObject({ cause: 'start-failed' });
});

it('looks again where a kept connection was dead, but never calls a second time', async () => {
  const used = new Set<unknown>();
  const server = await HandServer.start((asked) => {
    const { socket } = asked.request;
    if (used.has(socket)) socket.destroy();
    else answerAll(asked);
    used.add(socket);
  });
  const { connection, call, answerTo } = dialModern(server.url);
  expect(await call(1)).toEqual({ ok: true });
  connection.send(Message.request('2', 'tools/list', `{${META}}`));
  expect(await answerTo(2)).toMatchObject({ ttlMs: 0 });
  expect(server.of('tools/list')).toHaveLength(2);
  expect(await call(3)).toEqual({ ok: true });
  expect(await call(4)).toMatchObject({ code: -32603, message: 'upstream connection lost' });
  expect(server.of('tools/call')).toHaveLength(3);
});

it('counts as gone when call after call does not reach it', async () => {
  const { call, recorder } = dialModern('http://127.0.0.1:1/mcp');
  expect(await call(1)).toMatchObject({ code: -32010 });
  expect(await call(2)).toMatchObject({ code: -32010 });
  void call(3).catch(() => {});
  expect(await recorder.closed()).toMatchObject({ cause: 'exited', detail: 'ECONNREFUSED' });
});
