/** HTTP with SSE of 2024 to a remote server: where to POST, and a stream that broke. */
import { expect, it } from 'vitest';
import { Message } from '../../../src/core/protocol/message.ts';
import { eventually } from '../../wire/signal.ts';
import { dial, dialSession, HandServer, type Asked, type Dialled } from './hand-server.ts';

/** A server of 2024 whose streams are the test's to cut. */
class Server2024 {
  readonly streams: Asked[] = [];
  #endpoint: () => string;

  constructor(endpoint: () => string) {
    this.#endpoint = endpoint;
  }

  async start(): Promise<HandServer> {
    return HandServer.start((asked) => {
      if (asked.request.url === '/mcp' && asked.method === 'GET') {
        this.streams.push(asked);
        asked.stream(`event: endpoint\ndata: ${this.#endpoint()}\n\nretry: 5\n\n`);
      } else if (asked.request.url === '/mcp') {
        asked.status(405);
      } else {
        asked.status(202);
        this.#answer(asked);
      }
    });
  }

  #answer(asked: Asked): void {
    const { id, method } = asked.body;
    if (id === undefined || asked.body.params?.['name'] === 'slow') return;
    const capabilities = { tools: { listChanged: true } };
    const result =
      method === 'initialize' ? { protocolVersion: '2024-11-05', capabilities } : { of: method };
    this.streams.at(-1)?.event({ jsonrpc: '2.0', id, result }, `e-${JSON.stringify(id)}`);
  }
}

function notesOf({ recorder }: Dialled): unknown[] {
  return recorder.messages().flatMap(({ method }) => (method === undefined ? [] : [method]));
}

it.each(['messages?id=1', '/messages?id=1', './messages?id=1'])(
  'W2: resolves %s against the URL of the stream',
  async (endpoint) => {
    const server = await new Server2024(() => endpoint).start();
    const { call } = await dialSession(server.url);
    expect(await call(1)).toEqual({ of: 'tools/call' });
    expect(server.of('tools/call')[0]?.request.url).toBe('/messages?id=1');
  },
);

it.each(['http://127.0.0.1:1/messages', '//evil.example/m', 'javascript:alert(1)'])(
  'V37: does not POST to %s, which is another origin',
  async (endpoint) => {
    const server = await new Server2024(() => endpoint).start();
    const { connection, recorder } = dial(server.url, 'legacy');
    connection.send(Message.request('0', 'initialize', '{}'));
    expect(await recorder.closed()).toMatchObject({ cause: 'start-failed' });
    expect(server.asked).toHaveLength(2);
  },
);

it('W7: goes on where it was with a server that takes the same session back', async () => {
  const hand = new Server2024(() => 'messages?id=1');
  const server = await hand.start();
  const dialled = await dialSession(server.url);
  expect(await dialled.call(1)).toEqual({ of: 'tools/call' });
  const slow = dialled.call(2, 'slow');
  await server.until(2, 'tools/call');
  hand.streams[0]?.response.destroy();
  const second = await server.until(2, 'GET');
  expect(second.header('last-event-id')).toBe('e-1');
  second.event({ jsonrpc: '2.0', id: 2, result: { late: true } });
  expect(await slow).toEqual({ late: true });
  expect(server.of('initialize')).toHaveLength(2);
  expect(notesOf(dialled)).toEqual([]);
});

it('begins anew with any other, answers what was asked, and says to look again', async () => {
  let sessions = 0;
  const hand = new Server2024(() => `messages?id=${(sessions += 1)}`);
  const server = await hand.start();
  const dialled = await dialSession(server.url);
  const slow = dialled.call(2, 'slow');
  await server.until(1, 'tools/call');
  hand.streams[0]?.response.end();
  expect(await slow).toMatchObject({ code: -32603, message: 'upstream connection lost' });
  expect(await dialled.call(3)).toEqual({ of: 'tools/call' });
  await server.until(2, 'notifications/initialized');
  await dialled.recorder.until(() => notesOf(dialled).length > 0, 'the change');
  expect(notesOf(dialled)).toEqual(['notifications/tools/list_changed']);
  expect(dialled.recorder.messages().filter(({ id }) => id === '0')).toHaveLength(1);
});

it('begins anew again where the stream broke while it began anew', async () => {
  let sessions = 0;
  const hand = new Server2024(() => `messages?id=${Math.min((sessions += 1), 2)}`);
  const server = await hand.start();
  const dialled = await dialSession(server.url);
  const { answer } = server;
  server.answer = (asked) => {
    if (asked.body.method !== 'initialize') return answer(asked);
    // The answer is lost with the stream.
    server.answer = answer;
    asked.status(202);
    hand.streams[1]?.response.destroy();
  };
  hand.streams[0]?.response.destroy();
  await server.until(3, 'GET');
  expect(await dialled.call(1)).toEqual({ of: 'tools/call' });
  expect(server.of('notifications/initialized')).toHaveLength(2);
});

it('sends nothing astray where the stream broke before the handshake was confirmed', async () => {
  let sessions = 0;
  const hand = new Server2024(() => `messages?id=${Math.min((sessions += 1), 2)}`);
  const server = await hand.start();
  const dialled = await dialSession(server.url);
  const { answer } = server;
  let confirm = (): void => {};
  server.answer = (asked) => {
    if (asked.method === 'GET' && hand.streams.length === 2) {
      // The new stream says nothing until the old handshake is confirmed.
      confirm();
      setTimeout(() => answer(asked), 50);
    } else if (asked.body.method === 'notifications/initialized' && hand.streams.length === 2) {
      confirm = () => asked.status(202);
      hand.streams[1]?.response.destroy();
    } else answer(asked);
  };
  hand.streams[0]?.response.destroy();
  await server.until(2, 'GET');
  expect(await dialled.call(1)).toEqual({ of: 'tools/call' });
  const urls = server.of('POST').map(({ body, request }) => [body.method, request.url]);
  expect(urls).not.toContainEqual(['tools/call', '/mcp']);
  expect(server.of('notifications/initialized')).toHaveLength(3);
});

it('V26 begins anew with no answer to what the server asked before', async () => {
  let sessions = 0;
  const hand = new Server2024(() => `messages?id=${(sessions += 1)}`);
  const server = await hand.start();
  const { connection, recorder } = await dialSession(server.url);
  const questions = (): Message[] => recorder.messages().filter(({ kind }) => kind === 'request');
  const question = { jsonrpc: '2.0', id: 0, method: 'roots/list' };
  hand.streams[0]?.event(question);
  await recorder.until(() => questions().length === 1, 'the first question');
  hand.streams[0]?.response.destroy();
  await server.until(2, 'notifications/initialized');
  hand.streams[1]?.event(question);
  await recorder.until(() => questions().length === 2, 'the second question');
  const [first, second] = questions();
  const taken = recorder.messages().filter(({ method }) => method === 'notifications/cancelled');
  expect(taken.map(({ value }) => value)).toMatchObject([{ requestId: Number(first?.id) }]);
  connection.send(Message.result(first?.id ?? '', '{"of":"the first"}'));
  connection.send(Message.result(second?.id ?? '', '{"of":"the second"}'));
  const answers = (): Asked[] =>
    server.of('POST').filter(({ body }) => body.method === undefined && body.id !== undefined);
  await eventually(() => answers().length > 0, 'an answer');
  expect(answers().map(({ body }) => body)).toMatchObject([
    { id: 0, result: { of: 'the second' } },
  ]);
});

it('V54: gives up an event without end, and with it the one call it can belong to', async () => {
  const hand = new Server2024(() => 'messages?id=1');
  const server = await hand.start();
  const limits = { upstreamLineBytesMax: 100_000 };
  const { call, recorder } = await dialSession(server.url, { limits });
  void call(1, 'slow').catch(() => {});
  await server.until(1, 'tools/call');
  hand.streams[0]?.stream(`data: ${'x'.repeat(200_000)}\n\n`);
  await recorder.until(({ seen }) => seen.some(({ kind }) => kind === 'oversized'), 'the bound');
  expect(recorder.seen).toContainEqual({ kind: 'oversized', id: '1' });
  expect(await call(2)).toEqual({ of: 'tools/call' });
});

it('gives the answer of the POST where there is no stream either', async () => {
  const server = await HandServer.start((asked) => {
    const error = { code: -32600, message: 'Not like this.' };
    if (asked.method === 'GET') asked.status(405);
    else asked.json({ jsonrpc: '2.0', id: null, error }, {}, 400);
  });
  const { connection, recorder, answerTo } = dial(server.url, 'legacy');
  connection.send(Message.request('0', 'initialize', '{}'));
  expect(await answerTo(0)).toMatchObject({ message: 'Not like this.' });
  expect(await recorder.closed()).toMatchObject({ cause: 'start-failed' });
});

it('says that the stream wants a credential, where the POST only says that it is none', async () => {
  const server = await HandServer.start((asked) =>
    asked.status(asked.method === 'GET' ? 401 : 405),
  );
  const { connection, recorder, answerTo } = dial(server.url, 'legacy');
  connection.send(Message.request('0', 'initialize', '{}'));
  const message = expect.stringMatching(/asks Tidegate for a credential.*401/) as unknown;
  expect(await answerTo(0)).toMatchObject({ code: -32010, message });
  expect(await recorder.closed()).toMatchObject({ cause: 'start-failed' });
});

it('asks a server once which transport it has', async () => {
  const server = await new Server2024(() => 'messages').start();
  const { remote } = await import('tidegate');
  const { Recorder } = await import('../recorder.ts');
  const upstream = remote(server.url);
  for (const recorder of [new Recorder(), new Recorder()]) {
    const connection = upstream.connect('legacy', recorder);
    connection.send(Message.request('0', 'initialize', '{}'));
    await recorder.until(({ seen }) => seen.length > 0, 'the answer');
  }
  await upstream.close();
  const posts = server.of('POST').map(({ request }) => request.url);
  expect(posts).toEqual(['/mcp', '/messages', '/messages']);
});
