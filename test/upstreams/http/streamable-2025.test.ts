/** Sessions of 2025 with a remote server: order, resume, and a session that was forgotten. */
import { expect, it } from 'vitest';
import { Message } from '../../../src/core/protocol/message.ts';
import { eventually } from '../../wire/signal.ts';
import { dial, dialSession, HandServer, server2025, type Asked } from './hand-server.ts';

const DONE = { content: [] };

function isCall(asked: Asked, name: string): boolean {
  return asked.body.method === 'tools/call' && asked.body.params?.['name'] === name;
}

function done(asked: Asked): object {
  return { jsonrpc: '2.0', id: asked.body.id, result: DONE };
}

it('sends the session and the revision with everything after initialize', async () => {
  const server = await HandServer.start(server2025(() => false));
  const { call, connection, recorder } = await dialSession(server.url);
  await call(1);
  const [first, ...rest] = server.asked;
  expect(first?.header('mcp-session-id')).toBeUndefined();
  for (const asked of rest) {
    expect(asked.header('mcp-session-id')).toBe('session-1');
    expect(asked.header('mcp-protocol-version')).toBe('2025-11-25');
  }
  expect(first?.header('accept')).toBe('application/json, text/event-stream');
  expect(first?.header('accept-encoding')).toBe('identity');
  connection.close();
  expect(await recorder.closed()).toMatchObject({ cause: 'closed' });
  expect(server.of('DELETE')).toHaveLength(1);
});

it.each(['session-ä', 'session 1', 'a\tb', 's'.repeat(1025)])(
  'V44 takes no session whose name no header may hold: %j',
  async (id) => {
    const server = await HandServer.start(
      server2025((asked) => {
        if (asked.body.method !== 'initialize') return false;
        const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {} };
        asked.result(result, { 'mcp-session-id': id });
        return true;
      }),
    );
    const { call } = await dialSession(server.url);
    expect(await call(1)).toEqual({ of: 'tools/call' });
    expect(server.asked.map((asked) => asked.header('mcp-session-id'))).not.toContain(id);
  },
);

it('V44 puts neither the session nor what is called into a URL', async () => {
  const server = await HandServer.start(server2025(() => false));
  const { call, connection, recorder, answerTo } = await dialSession(server.url);
  await call(1, '../admin?a=b#c');
  connection.send(Message.request('2', 'resources/read', '{"uri":"//evil.test/../x"}'));
  await answerTo(2);
  await server.until(1, 'GET');
  connection.close();
  await recorder.closed();
  expect(new Set(server.asked.map(({ method }) => method))).toEqual(
    new Set(['POST', 'GET', 'DELETE']),
  );
  for (const { request } of server.asked) expect(request.url).toBe('/mcp');
});

it('lets no call overtake notifications/initialized, and no message initialize', async () => {
  let initialized: Asked | undefined;
  const server = await HandServer.start(
    server2025((asked) => {
      if (asked.body.method !== 'notifications/initialized') return false;
      initialized = asked;
      return true;
    }),
  );
  const { call } = await dialSession(server.url);
  const answer = call(1);
  await eventually(() => initialized !== undefined, 'the notification');
  expect(server.of('tools/call')).toHaveLength(0);
  initialized?.status(202);
  expect(await answer).toEqual({ of: 'tools/call' });
});

it('resumes the stream of a call that broke, and reports each message once', async () => {
  let call: Asked | undefined;
  const server = await HandServer.start(
    server2025((asked) => {
      if (isCall(asked, 'tool')) {
        call = asked;
        asked.stream('id: a-1\nretry: 20\ndata:\n\n');
        asked.event({ jsonrpc: '2.0', method: 'notifications/message', params: { n: 1 } }, 'a-2');
        setImmediate(() => asked.response.destroy());
        return true;
      }
      if (asked.method !== 'GET' || asked.header('last-event-id') === undefined) return false;
      asked.event({ jsonrpc: '2.0', method: 'notifications/message', params: { n: 2 } }, 'a-3');
      asked.event(done(call as Asked), 'a-4');
      asked.response.end();
      return true;
    }),
  );
  const dialled = await dialSession(server.url);
  expect(await dialled.call(1)).toEqual(DONE);
  const resumed = server.asked.filter((asked) => asked.header('last-event-id') !== undefined);
  expect(resumed.map((asked) => asked.header('last-event-id'))).toEqual(['a-2']);
  const notified = dialled.recorder.messages().filter(({ kind }) => kind === 'notification');
  expect(notified.map(({ value }) => value)).toEqual([{ n: 1 }, { n: 2 }]);
  expect(server.of('tools/call')).toHaveLength(1);
});

it('comes back as often as the server polls, and gives up where nothing comes', async () => {
  let polls = 0;
  const server = await HandServer.start(
    server2025((asked) => {
      const cursor = asked.header('last-event-id');
      if (isCall(asked, 'tool')) asked.response.end(asked.stream('id: 0\nretry: 1\ndata:\n\n'));
      else if (cursor !== undefined && Number(cursor) < 7) {
        polls += 1;
        asked.response.end(asked.stream(`id: ${Number(cursor) + 1}\nretry: 1\ndata:\n\n`));
      } else if (cursor !== undefined) asked.status(405);
      else return false;
      return true;
    }),
  );
  const { call } = await dialSession(server.url);
  expect(await call(1)).toMatchObject({ code: -32603, message: 'upstream connection lost' });
  expect(polls).toBe(7);
});

it('opens a forgotten session anew, restores it, and repeats what was not accepted', async () => {
  let opened = 0;
  let isForgotten = false;
  const server = await HandServer.start(
    server2025((asked) => {
      if (asked.body.method === 'initialize') {
        opened += 1;
        isForgotten = false;
        const capabilities = { tools: { listChanged: true }, resources: { subscribe: true } };
        asked.result(
          { protocolVersion: '2025-06-18', capabilities },
          { 'mcp-session-id': `session-${opened}` },
        );
        return true;
      }
      if (!isForgotten || asked.method !== 'POST') return false;
      asked.status(404);
      return true;
    }),
  );
  const { call, connection, recorder, answerTo } = await dialSession(server.url);
  connection.send(Message.request('5', 'resources/subscribe', '{"uri":"test://a","junk":1}'));
  connection.send(Message.request('6', 'logging/setLevel', '{"level":"error","junk":1}'));
  connection.send(Message.request('7', 'logging/setLevel', '{"level":"none of them"}'));
  await Promise.all([answerTo(5), answerTo(6), answerTo(7)]);
  isForgotten = true;
  expect(await Promise.all([call(1), call(2)])).toEqual([
    { of: 'tools/call' },
    { of: 'tools/call' },
  ]);
  expect(opened).toBe(2);
  // As far as it has to be: a client may have sent any amount beside it.
  const subscribed = await server.until(2, 'resources/subscribe');
  expect(subscribed.body.params).toEqual({ uri: 'test://a' });
  const levelled = await server.until(3, 'logging/setLevel');
  expect(levelled.body.params).toEqual({ level: 'error' });
  expect(server.asked.at(-1)?.header('mcp-session-id')).toBe('session-2');
  expect(server.asked.at(-1)?.header('mcp-protocol-version')).toBe('2025-06-18');
  const said = recorder.messages().map(({ method, id }) => method ?? id);
  expect(said).toHaveLength(8);
  expect(new Set(said)).toEqual(
    new Set([
      '0',
      '1',
      '2',
      '5',
      '6',
      '7',
      'notifications/resources/updated',
      'notifications/tools/list_changed',
    ]),
  );
});

it('repeats a call once, and ends when the session cannot be opened again', async () => {
  let isDown = false;
  const server = await HandServer.start(
    server2025((asked) => {
      if (isDown && asked.body.method === 'initialize') asked.status(503);
      else if (isCall(asked, 'lost')) asked.status(404);
      else return false;
      return true;
    }),
  );
  const { call, recorder } = await dialSession(server.url);
  expect(await call(1, 'lost')).toMatchObject({ code: -32010 });
  expect(server.of('tools/call')).toHaveLength(2);
  isDown = true;
  void call(2, 'lost').catch(() => {});
  expect(await recorder.closed()).toMatchObject({ cause: 'exited' });
});

it('keeps the standalone stream up: where it was, or with a change of everything', async () => {
  const server = await HandServer.start(
    server2025((asked) => {
      if (asked.method !== 'GET') return false;
      asked.stream('retry: 10\n\n');
      return true;
    }),
  );
  const { recorder } = await dialSession(server.url);
  const notes = (): unknown[] =>
    recorder.messages().flatMap(({ method }) => (method === undefined ? [] : [method]));
  const first = await server.until(1, 'GET');
  first.event({ jsonrpc: '2.0', method: 'notifications/one' }, 'g-1');
  first.response.end();
  const second = await server.until(2, 'GET');
  expect(second.header('last-event-id')).toBe('g-1');
  second.event({ jsonrpc: '2.0', id: 99, result: {} }, 'g-2');
  second.event({ jsonrpc: '2.0', method: 'notifications/two' });
  await recorder.until(() => notes().length === 2, 'the second notification');
  server.answer = (asked) => (asked.method === 'GET' ? asked.status(400) : asked.status(202));
  second.response.destroy();
  await server.until(3, 'GET');
  server.answer = (asked) => asked.stream(':\n\n');
  const last = await server.until(4, 'GET');
  expect(last.header('last-event-id')).toBeUndefined();
  await recorder.until(() => notes().length === 3, 'the change of everything');
  expect(notes()).toEqual([
    'notifications/one',
    'notifications/two',
    'notifications/tools/list_changed',
  ]);
});

it('lets go of the stream of a cancelled call once the server knows', async () => {
  const server = await HandServer.start(
    server2025((asked) => {
      if (!isCall(asked, 'slow')) return false;
      asked.stream(':\n\n');
      return true;
    }),
  );
  const { call, connection } = await dialSession(server.url);
  void call(1, 'slow').catch(() => {});
  const slow = await server.until(1, 'tools/call');
  connection.send(Message.notification('notifications/cancelled', '{"requestId":1}'));
  await server.until(1, 'notifications/cancelled');
  await eventually(() => slow.isGone, 'the end of the stream');
});

it('says that it could not start where nobody listens, and what the status was', async () => {
  const server = await HandServer.start((asked) => asked.status(401));
  const refused = dial(server.url, 'legacy');
  refused.connection.send(Message.request('0', 'initialize', '{}'));
  expect(await refused.recorder.closed()).toEqual({
    kind: 'closed',
    cause: 'start-failed',
    detail: expect.stringMatching(/asks Tidegate for a credential.*HTTP status 401/) as unknown,
  });
  await server.stop();
  const url = 'http://127.0.0.1:1/mcp';
  const nobody = dial(url, 'legacy');
  nobody.connection.send(Message.request('0', 'initialize', '{}'));
  expect(await nobody.recorder.closed()).toMatchObject({ detail: 'ECONNREFUSED' });
});
