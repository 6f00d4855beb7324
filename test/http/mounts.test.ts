/** The handlers inside the frameworks they are mounted in. */
import express from 'express';
import { Hono } from 'hono';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect as connectH2, createServer as createH2Server } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fetchHandler } from 'tidegate/fetch';
import { nodeHandler, serve } from 'tidegate/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listening } from './hosts.ts';
import type { Host } from './hosts.ts';
import { get, post, RawClient } from './raw-client.ts';
import { echo, JSON_HEADERS, ScriptedApp } from './scripted-app.ts';

type H2Listener = (req: Http2ServerRequest, res: Http2ServerResponse) => void;

let app: ScriptedApp;
let host: Host | undefined;
let clients: RawClient[];

beforeEach(() => {
  app = new ScriptedApp();
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await host?.close();
  host = undefined;
});

async function connected(listener: RequestListener, text: string | Buffer): Promise<RawClient> {
  host ??= await listening(createServer(listener));
  const client = await RawClient.open(host.port);
  clients.push(client);
  client.send(text);
  return client;
}

it('knows whose a request is, though its connection is gone when its turn comes', async () => {
  const handler = nodeHandler(app);
  await connected((req, res) => {
    handler(req, res);
    req.socket.destroy();
  }, get('/'));
  await app.until(() => app.exchanges.length === 1, 'the request');
  expect(app.exchanges[0]?.head.remoteAddress).toMatch(/127\.0\.0\.1$/);
});

it.each([undefined, null, {}, () => {}, Promise.resolve()])('mounts no %o', async (none) => {
  const fault = new TypeError('Give what createEndpoint(…) or createGateway(…) returns.');
  expect(() => nodeHandler(none as never)).toThrow(fault);
  expect(() => fetchHandler(none as never)).toThrow(fault);
  await expect(serve(none as never, { port: 0 })).rejects.toThrow(fault);
});

it('takes no limit that bounds nothing', () => {
  const limits = { stallMsMax: Number.NaN };
  expect(() => nodeHandler(app, { limits })).toThrow('The limit stallMsMax must be');
});

describe('in Express', () => {
  it('sees the path below its mount point', async () => {
    const router = express().use('/api/v1', nodeHandler(app));
    const client = await connected(router, get('/api/v1/mcp?a=b'));
    await client.untilReceived('{"ok":true}');
    expect(app.exchanges[0]?.head).toMatchObject({ path: '/mcp', query: 'a=b' });
  });

  it('takes an object that a JSON parser has made of the body', async () => {
    app.script = echo(1000);
    const router = express().use(express.json(), nodeHandler(app));
    const client = await connected(router, post('/', '{ "a": [1, "ž"] }'));
    await client.untilReceived('\r\n\r\n{');
    expect(app.outcomes).toEqual([{ kind: 'body', text: '{"a":[1,"ž"]}' }]);
  });

  it.each([
    ['text', express.text({ type: '*/*' })],
    ['bytes', express.raw({ type: '*/*' })],
  ])('takes %s that a parser has made of the body as it was sent', async (_name, parser) => {
    app.script = echo(1000);
    const client = await connected(
      express().use(parser, nodeHandler(app)),
      post('/', '{ "a" : 1.0 }'),
    );
    await client.untilReceived('1.0');
    expect(app.outcomes).toEqual([{ kind: 'body', text: '{ "a" : 1.0 }' }]);
  });

  it('bounds a body that was parsed already', async () => {
    app.script = echo(10);
    const router = express().use(express.json(), nodeHandler(app));
    const client = await connected(router, post('/', '{"aaaaaaaaaaaaa":1}'));
    await client.untilReceived('BODY_TOO_LARGE');
  });

  it('refuses a parsed body that is nested deeper than can be written again', async () => {
    app.script = echo(10_000_000);
    const router = express().use(express.json({ limit: '10mb' }), nodeHandler(app));
    const body = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const client = await connected(router, post('/', body));
    await client.untilReceived('JSON_TOO_COMPLEX');
  });

  it('reads the body itself where the parser left it', async () => {
    app.script = echo(1000);
    const router = express().use(express.json({ type: 'text/none' }), nodeHandler(app));
    const client = await connected(router, post('/', '{ "a": 1 }'));
    await client.untilReceived('{ "a": 1 }');
  });

  it.each([true, false])('keeps headers that others set (long stream: %s)', async (isLong) => {
    app.script = (exchange) => {
      exchange.openStream(200, ['Vary', 'A', 'Vary', 'B', 'X-Ours', '1'], 'data: 1\n\n', isLong);
    };
    const router = express().use((_req, res, next) => {
      res.setHeader('X-Theirs', '2');
      res.setHeader('X-Ours', '3');
      res.setHeader('Set-Cookie', ['c=1', 'd=2']);
      next();
    }, nodeHandler(app));
    const client = await connected(router, get('/'));
    await client.untilReceived('data: 1\n\n');
    const lines = client.received.toLowerCase().split('\r\n');
    expect(lines).toContain('x-theirs: 2');
    expect(lines).toContain('x-ours: 1');
    expect(lines).not.toContain('x-ours: 3');
    expect(lines).toContain('set-cookie: c=1');
    expect(lines).toContain('set-cookie: d=2');
    expect(lines.filter((line) => line.startsWith('vary: '))).toHaveLength(2);
  });
});

describe('in a server of your own', () => {
  it('lets go of the response and the request of a long stream', async () => {
    const refs: WeakRef<object>[] = [];
    const handler = nodeHandler(app);
    app.script = (exchange) => {
      app.watch(exchange);
      app.open(exchange, 'data: 1\n\n', true);
    };
    const client = await connected((req, res) => {
      refs.push(new WeakRef(req), new WeakRef(res));
      handler(req, res);
    }, get('/'));
    await client.untilReceived('data: 1\n\n');
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    await expect
      .poll(() => {
        collectGarbage();
        // What is compared here is kept while the comparison fails.
        return refs.filter((ref) => ref.deref() !== undefined).length;
      })
      .toBe(0);
    app.sinks[0]?.write('data: 2\n\n');
    await client.untilReceived('data: 2\n\n');
  });

  it('leaves the listeners of others on the socket of a long stream', async () => {
    const closes: string[] = [];
    const handler = nodeHandler(app);
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', true);
    const server = createServer(handler);
    server.on('connection', (socket) => {
      socket.on('close', () => {
        closes.push('theirs');
        app.check();
      });
    });
    host = await listening(server);
    const client = await connected(handler, get('/'));
    await client.untilReceived('data: 1\n\n');
    app.sinks[0]?.write('data: 2\n\n');
    await client.untilReceived('data: 2\n\n');
    expect(closes).toEqual([]);
    client.destroy();
    await app.until(() => closes.length === 1, 'their listener');
  });
});

describe('where something else answers, too', () => {
  /** Gives the responses of two requests on one connection, the second behind the first. */
  async function pipelined(script: ScriptedApp['script']): Promise<ServerResponse[]> {
    const responses: ServerResponse[] = [];
    const handler = nodeHandler(app);
    app.script = script;
    await connected(
      (req, res) => {
        responses.push(res);
        if (responses.length === 2) handler(req, res);
      },
      get('/first') + get('/second'),
    );
    await app.until(() => app.exchanges.length === 1, 'the request');
    return responses;
  }

  it.each<[string, (res: ServerResponse) => void]>([
    ['ended', (res) => res.end('theirs')],
    ['begun', (res) => res.write('theirs')],
  ])('hands on nothing whose reply is %s', async (_, answer) => {
    const handler = nodeHandler(app);
    const client = await connected((req, res) => {
      answer(res);
      handler(req, res);
    }, get('/'));
    await client.untilReceived('theirs');
    expect(app.exchanges).toEqual([]);
  });

  it('drops a reply that comes after theirs', async () => {
    const [first, second] = await pipelined(() => {});
    second?.end('theirs');
    app.exchanges[0]?.respond(200, JSON_HEADERS, '{"ours":true}');
    first?.end('the first');
    await clients[0]?.untilReceived('theirs');
    expect(clients[0]?.received).not.toContain('ours');
  });

  it.each([true, false])('writes no stream into their reply (long: %s)', async (isLong) => {
    const [first, second] = await pipelined((exchange) => app.watch(exchange));
    second?.setHeader('X-Theirs', '1');
    second?.write('theirs, ');
    const [exchange] = app.exchanges;
    if (exchange !== undefined) app.open(exchange, 'data: ours\n\n', isLong);
    const [sink] = app.sinks;
    sink?.write('data: ours\n\n');
    sink?.end('data: ours\n\n');
    sink?.destroy();
    expect(sink?.queuedBytes()).toBe(0);
    await app.until(() => app.goneCount === 1, 'the leaving');
    second?.end('to the end');
    first?.end('the first');
    await clients[0]?.untilReceived('to the end');
    expect(clients[0]?.received).not.toContain('ours');
    expect(app.goneCount).toBe(1);
  });

  it('tells that nobody waits any more for what was answered in its place', async () => {
    const [first, second] = await pipelined((exchange) => app.watch(exchange));
    second?.end('theirs');
    first?.end('the first');
    await app.until(() => app.goneCount === 1, 'the leaving');
  });

  it('refuses a body that was read and put elsewhere', async () => {
    app.script = (exchange) => app.read(exchange, 1000);
    const handler = nodeHandler(app);
    await connected(
      (req, res) => {
        req.resume().once('end', () => handler(req, res));
      },
      post('/', '{"a":1}'),
    );
    await app.until(() => app.outcomes.length === 1, 'the body');
    expect(app.outcomes).toEqual([{ kind: 'refused', refusal: { error: 'BODY_READ_BEFORE' } }]);
  });
});

describe('in a server of HTTP/2', () => {
  const HEADERS = { ':authority': 'mcp.example.com:8443', 'content-type': 'application/json' };

  /** One request over HTTP/2 in the clear; `body` undefined ends it with its head. */
  async function asked(body: string | undefined): Promise<string> {
    const server = createH2Server(nodeHandler(app) as unknown as H2Listener);
    host = await listening(server);
    const session = connectH2(`http://127.0.0.1:${host.port}`);
    const stream = session.request(
      { ...HEADERS, ':method': body === undefined ? 'GET' : 'POST' },
      { endStream: body === undefined },
    );
    let received = '';
    stream.setEncoding('utf8').on('data', (some: string) => (received += some));
    if (body !== undefined) stream.end(body);
    await once(stream, 'end');
    session.destroy();
    return received;
  }

  it('knows the host by its authority, and a body that tells no length', async () => {
    app.script = echo(1000);
    expect(await asked('{ "a" : 1 }')).toContain('{ "a" : 1 }');
    const head = app.exchanges[0]?.head;
    expect(head?.header('host')).toBe('mcp.example.com:8443');
    expect(head?.headerCount('host')).toBe(1);
  });

  it('streams', async () => {
    app.script = (exchange) => {
      app.open(exchange, 'data: 1\n\n', true).write('data: 2\n\n');
      app.sinks[0]?.end('data: 3\n\n');
    };
    expect(await asked(undefined)).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
  });
});

describe('in Hono', () => {
  it('is mounted with its prefix taken off', async () => {
    const router = new Hono().mount('/api', fetchHandler(app));
    const response = await router.request('/api/mcp?a=b');
    expect(await response.text()).toBe('{"ok":true}');
    expect(app.exchanges[0]?.head).toMatchObject({ path: '/mcp', query: 'a=b' });
  });

  it('streams what is written, in order', async () => {
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', true);
    const router = new Hono().mount('/api', fetchHandler(app));
    const response = await router.request('/api/sse');
    app.sinks[0]?.write('data: 2\n\n');
    app.sinks[0]?.end('data: 3\n\n');
    expect(await response.text()).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
  });
});

describe('on Web requests alone', () => {
  it('knows the host by the URL where no header says it', async () => {
    await fetchHandler(app)(new Request('https://mcp.example.com:8443/mcp'));
    const head = app.exchanges[0]?.head;
    expect(head?.header('host')).toBe('mcp.example.com:8443');
    expect(head?.headerCount('host')).toBe(1);
    expect(head?.headerCount('origin')).toBe(0);
  });

  it('tells once that the reader of a stream left, by its body or by its signal', async () => {
    app.script = (exchange) => {
      app.watch(exchange);
      app.open(exchange, 'data: 1\n\n', true);
    };
    const abort = new AbortController();
    const request = new Request('http://x/', { signal: abort.signal });
    const response = await fetchHandler(app)(request);
    await response.body?.cancel();
    expect(app.goneCount).toBe(1);
    abort.abort();
    expect(app.goneCount).toBe(1);
    expect(app.sinks[0]?.queuedBytes()).toBe(0);
    app.sinks[0]?.write('data: 2\n\n');
    app.sinks[0]?.end('data: 3\n\n');
  });

  it('ends the body of a stream whose request was aborted, for whoever reads it', async () => {
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', true);
    const abort = new AbortController();
    const response = await fetchHandler(app)(new Request('http://x/', { signal: abort.signal }));
    const reader = response.body?.getReader();
    await reader?.read();
    const next = reader?.read();
    abort.abort();
    expect(await next).toMatchObject({ done: true });
  });

  it('counts the bytes that wait for the reader', async () => {
    app.script = (exchange) => app.open(exchange, '', true);
    const response = await fetchHandler(app)(new Request('http://x/'));
    app.sinks[0]?.write('é'.repeat(10));
    app.sinks[0]?.write('x');
    expect(app.sinks[0]?.queuedBytes()).toBe(21);
    await response.body?.getReader().read();
    expect(app.sinks[0]?.queuedBytes()).toBe(1);
    app.sinks[0]?.destroy();
    expect(app.sinks[0]?.queuedBytes()).toBe(0);
  });

  it.each([
    ['read', async (request: Request) => void (await request.json())],
    ['locked', async (request: Request) => void request.body?.getReader()],
  ])('refuses a request whose body was %s by something else', async (_, take) => {
    app.script = echo(1000);
    const request = new Request('http://localhost/', { method: 'POST', body: '{"a":1}' });
    await take(request);
    await (await fetchHandler(app)(request)).text();
    const refusal = { error: 'BODY_READ_BEFORE' };
    expect(app.outcomes).toEqual([{ kind: 'refused', refusal }]);
  });

  it('says that a request aborted before it came has no client', async () => {
    app.script = (exchange) => app.watch(exchange);
    void fetchHandler(app)(new Request('http://x/', { signal: AbortSignal.abort() }));
    await app.until(() => app.goneCount === 1, 'the leaving');
  });

  it('tells the address the host knows', async () => {
    const handler = fetchHandler(app, { remoteAddress: () => '192.0.2.1' });
    await handler(new Request('http://x'));
    expect(app.exchanges[0]?.head).toMatchObject({ remoteAddress: '192.0.2.1', path: '/' });
  });
});
