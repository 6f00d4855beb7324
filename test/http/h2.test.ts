/** HTTP/2 of `tidegate/node`: who gets it, and what one connection may not do. */
import { execFile, spawnSync } from 'node:child_process';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { request } from 'node:https';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { type RunningServer, serve, type ServeOptions } from 'tidegate/node';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HttpExchange } from '../../src/core/ports.ts';
import { Authority, type Certified, Folder } from './certificates.ts';
import { echo, ScriptedApp } from './scripted-app.ts';
import { Seen } from './seen.ts';

let authority: Authority;
let certified: Certified;
let app: ScriptedApp;
let seen: Seen;
let folder: Folder;
let server: RunningServer;
let sessions: ClientHttp2Session[];
let raws: TLSSocket[];

beforeAll(async () => {
  authority = await Authority.create();
  certified = await authority.server();
});

beforeEach(() => {
  app = new ScriptedApp();
  seen = new Seen();
  folder = new Folder();
  sessions = [];
  raws = [];
});

afterEach(async () => {
  for (const session of sessions) session.destroy();
  for (const raw of raws) raw.destroy();
  await server.close();
  folder.remove();
});

async function open(limits: ServeOptions['limits'] = {}, http2 = true): Promise<void> {
  const tls = { ...folder.pair(certified), http2 };
  server = await serve(app, { port: 0, drainMs: 100, telemetry: seen, tls, limits });
}

async function session(options: Parameters<typeof connect>[1] = {}): Promise<ClientHttp2Session> {
  const url = `https://localhost:${server.port}`;
  const made = connect(url, { ca: authority.cert, ...options });
  sessions.push(made);
  made.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    made.once('remoteSettings', () => resolve());
    made.once('error', reject);
  });
  return made;
}

interface Reply {
  readonly status: number | undefined;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
  readonly code: number;
}

async function replyTo(stream: ClientHttp2Stream, body?: string): Promise<Reply> {
  let headers: OutgoingHttpHeaders = {};
  let text = '';
  stream.on('response', (found) => {
    headers = found;
  });
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  stream.on('error', () => {});
  if (body !== undefined) stream.end(body);
  await over(stream, 'the end of a reply');
  const status = headers[':status'] as number | undefined;
  return { status, headers, body: text, code: stream.rstCode };
}

async function over(
  made: ClientHttp2Session | ClientHttp2Stream | TLSSocket,
  what = 'the end of the connection',
): Promise<void> {
  let isOver = made.destroyed;
  const close = (): void => {
    isOver = true;
    app.check();
  };
  if (!isOver) made.once('close', close);
  await app.until(() => isOver, what);
}

/** The same of a connection whose client does not read: it learns of the end when it writes. */
async function overUnread(raw: TLSSocket): Promise<void> {
  const timer = setInterval(() => raw.write(frame(6, 0, 0, Buffer.alloc(8))), 10);
  await over(raw).finally(() => clearInterval(timer));
}

describe('who gets HTTP/2', () => {
  it('is who asks for it by ALPN; others get HTTP/1.1 at the same port', async () => {
    await open();
    const reply = await replyTo((await session()).request({ ':path': '/a?b=c' }));
    expect(reply).toMatchObject({ status: 200, body: '{"ok":true}' });
    expect(app.exchanges[0]?.head).toMatchObject({ method: 'GET', path: '/a', query: 'b=c' });
    const version = await new Promise((resolve, reject) => {
      const options = { port: server.port, host: 'localhost', ca: authority.cert, agent: false };
      request(options, (res) => {
        res.resume();
        resolve(res.httpVersion);
      })
        .on('error', reject)
        .end();
    });
    expect(version).toBe('1.1');
  });

  it('V53: is nobody unless it is switched on', async () => {
    await open({}, false);
    const socket = connectTls({
      port: server.port,
      ca: authority.cert,
      servername: 'localhost',
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
    await expect(session()).rejects.toThrow();
  });

  it('is curl', async ({ skip }) => {
    if (!spawnSync('curl', ['--version']).stdout?.toString().includes('HTTP2')) {
      skip('there is no curl with HTTP/2 here');
    }
    await open();
    app.script = echo(1000);
    const ca = folder.write('ca.pem', authority.cert);
    const args = ['-sS', '--http2', '--cacert', ca, '-d', '{"a":1}', '-w', ' %{http_version}'];
    const output = await new Promise((resolve) => {
      execFile('curl', [...args, `https://localhost:${server.port}/`], (_error, out) =>
        resolve(out),
      );
    });
    expect(output).toBe('{"a":1} 2');
  });
});

describe('requests', () => {
  it('show the authority as Host, and two where a Host says something else', async () => {
    await open();
    const made = await session();
    await replyTo(made.request({ ':authority': 'a.example', 'x-one': '1', cookie: 'a=b' }));
    await replyTo(made.request({ ':authority': 'a.example', host: 'b.example' }));
    const [one, two] = app.exchanges.map(({ head }) => head);
    expect(one?.header('host')).toBe('a.example');
    expect(one?.headerCount('host')).toBe(1);
    expect(one?.headerNames()).toEqual(['host', 'x-one', 'cookie']);
    expect(two?.headerCount('host')).toBe(2);
    expect(one?.remoteAddress).toMatch(/127\.0\.0\.1$/);
  });

  it('show all lines of a list, and the first of others', async () => {
    await open();
    const lists = { accept: ['a/b', 'c/d'], 'access-control-request-headers': ['e', 'f'] };
    await replyTo((await session()).request({ ...lists, 'x-one': ['1', '2'] } as never));
    const [head] = app.exchanges.map((exchange) => exchange.head);
    expect(head?.header('accept')).toMatch(/^a\/b, ?c\/d$/);
    expect(head?.header('access-control-request-headers')).toMatch(/^e, ?f$/);
    expect(head?.header('x-one')).toBe('1');
  });

  it('get no header that speaks of a connection', async () => {
    await open();
    app.script = (exchange) =>
      exchange.respond(200, ['Connection', 'close', 'Keep-Alive', 'timeout=5', 'X-A', 'b'], '');
    const reply = await replyTo((await session()).request({}));
    expect(reply.headers['x-a']).toBe('b');
    expect(Object.keys(reply.headers)).not.toContain('connection');
    expect(Object.keys(reply.headers)).not.toContain('keep-alive');
  });

  it('V53: open no tunnel', async () => {
    await open();
    const made = await session();
    const reply = await replyTo(made.request({ ':method': 'CONNECT', ':authority': 'a:1' }));
    expect(reply.status).toBe(405);
    expect(app.exchanges).toHaveLength(0);
  });

  it.each([
    ['', 60_000],
    ['garbage garbage', 50],
  ])('V53: open no tunnel, and leave nothing open behind it (%j)', async (more, probeDelayMs) => {
    await open({ keepAliveMs: 50, probeDelayMs });
    const raw = await rawSession();
    raw.resume();
    // Its client never ends it.
    raw.write(Buffer.concat([frame(1, 4, 1, CONNECT_HEAD), Buffer.from(more)]));
    await over(raw);
  });

  it('are asked for the body they hold back', async () => {
    await open();
    app.script = echo(1000);
    const headers = { ':method': 'POST', expect: '100-continue', 'content-length': 2 };
    const stream = (await session()).request(headers);
    stream.once('continue', () => stream.end('{}'));
    expect((await replyTo(stream)).body).toBe('{}');
  });

  it('end without their body where it is not wanted', async () => {
    await open();
    const stream = (await session()).request({ ':method': 'POST' });
    stream.write('x'.repeat(10_000));
    const reply = await replyTo(stream);
    expect(reply).toMatchObject({ status: 200, code: constants.NGHTTP2_NO_ERROR });
  });
});

describe('streams of events', () => {
  it('go on beside one that its reader resets, and the application is told', async () => {
    await open();
    app.script = (exchange) => {
      app.watch(exchange);
      app.open(exchange, 'data: 1\n\n', true);
    };
    const made = await session();
    const [left, kept] = [made.request({}), made.request({})];
    let received = '';
    kept.on('data', (chunk: Buffer) => (received += chunk.toString()));
    left.on('error', () => {});
    await app.until(() => app.sinks.length === 2, 'the streams');
    left.close(constants.NGHTTP2_CANCEL);
    await app.until(() => app.goneCount === 1, 'the leaving');
    app.sinks[1]?.write('data: 2\n\n');
    await expect.poll(() => received).toBe('data: 1\n\ndata: 2\n\n');
    expect(app.goneCount).toBe(1);
  });

  it('are counted and cut alone when their reader takes nothing', async () => {
    await open();
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', true);
    const made = await session();
    const [stalled, read] = [made.request({}), made.request({})];
    let received = '';
    read.on('data', (chunk: Buffer) => (received += chunk.toString()));
    const over = replyOver(stalled);
    await app.until(() => app.sinks.length === 2, 'the streams');
    // Nobody listens for its data: the window of the stream is all it takes.
    app.sinks[0]?.write(`data: ${'x'.repeat(1_000_000)}\n\n`);
    app.sinks[1]?.write('data: 2\n\n');
    await expect.poll(() => received).toContain('data: 2');
    expect(app.sinks[0]?.queuedBytes()).toBeGreaterThan(500_000);
    app.sinks[0]?.destroy();
    expect(app.sinks[0]?.queuedBytes()).toBe(0);
    expect(await over).toBe(constants.NGHTTP2_CANCEL);
    app.sinks[1]?.write('data: 3\n\n');
    await expect.poll(() => received).toContain('data: 3');
  });

  it('V53: take their connection with them when its peer reads nothing at all', async () => {
    await open({ stallMsMax: 100 });
    app.script = (exchange) => {
      app.watch(exchange);
      app.open(exchange, 'data: 1\n\n', true);
    };
    const raw = await rawSession();
    // It never reads, so no ping is ever answered. The requests are GET / twice, by the static table.
    for (const id of [1, 3]) raw.write(frame(1, 5, id, GET_HEAD));
    await app.until(() => app.sinks.length === 2, 'the streams');
    app.sinks[0]?.destroy();
    await app.until(() => app.goneCount === 1, 'the end of the other stream');
    raw.destroy();
  });

  it('leave nothing behind for a peer that begins to read when it was cut', async () => {
    await open({ stallMsMax: 100 });
    const large = 'x'.repeat(40_000_000);
    app.script = (exchange) => {
      if (app.exchanges.length === 2) app.watch(exchange);
      if (app.exchanges.length < 3) app.open(exchange, 'data: 1\n\n', true);
      else exchange.respond(200, [], large);
    };
    const raw = await rawSession();
    widen(raw);
    for (const id of [1, 3, 5]) raw.write(frame(1, 5, id, GET_HEAD));
    await app.until(() => app.exchanges.length === 3, 'the requests');
    app.sinks[0]?.destroy();
    await app.until(() => app.goneCount === 1, 'the end of the other stream');
    let received = 0;
    raw.on('data', (chunk: Buffer) => (received += chunk.length));
    await over(raw);
    expect(received).toBeLessThan(large.length);
  });

  it('V53: end with their connection when a frame on it is broken, whether its peer closes or not', async () => {
    await open({ probeDelayMs: 50 });
    app.script = (exchange) => {
      app.watch(exchange);
      if (exchange.head.path === '/') app.open(exchange, 'data: 1\n\n', true);
    };
    const raw = await rawSession();
    raw.resume();
    raw.write(frame(1, 5, 1, GET_HEAD));
    await app.until(() => app.sinks.length === 1, 'the stream');
    // The length of this frame is more than any may have.
    raw.write('garbage garbage');
    await app.until(() => app.goneCount === 1, 'the leaving');
    await over(raw);
  });

  it('outlive the pings of a peer that answers them', async () => {
    await open({ probeDelayMs: 150 });
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', true);
    const made = await session();
    const stream = made.request({});
    let received = '';
    stream.on('data', (chunk: Buffer) => (received += chunk.toString()));
    let pings = 0;
    await new Promise<void>((resolve) => {
      made.on('ping', () => {
        pings += 1;
        if (pings === 4) resolve();
      });
    });
    app.sinks[0]?.write('data: 2\n\n');
    await expect.poll(() => received).toContain('data: 2');
  });

  it('end with the server, which says goodbye', async () => {
    await open();
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', true);
    const made = await session();
    const stream = made.request({});
    stream.resume();
    stream.on('error', () => {});
    await app.until(() => app.sinks.length === 1, 'the stream');
    app.onDrain = async () => app.sinks[0]?.end('data: last\n\n');
    const goodbye = new Promise((resolve) => made.once('goaway', resolve));
    await server.close();
    expect(await goodbye).toBe(constants.NGHTTP2_NO_ERROR);
    await over(made);
  });
});

async function replyOver(stream: ClientHttp2Stream): Promise<number> {
  stream.on('error', () => {});
  return new Promise((resolve) => {
    stream.once('close', () => resolve(stream.rstCode));
  });
}

/** A connection whose client sends the frames it is told to. It does not read unless asked to. */
async function rawSession(): Promise<TLSSocket> {
  const raw = connectTls({
    port: server.port,
    ca: authority.cert,
    servername: 'localhost',
    ALPNProtocols: ['h2'],
  });
  raws.push(raw);
  raw.on('error', () => {});
  await new Promise((resolve) => raw.once('secureConnect', resolve));
  raw.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
  raw.write(frame(4, 0, 0, Buffer.alloc(0)));
  return raw;
}

/** Windows as wide as can be, so that what is written waits in the connection itself. */
function widen(raw: TLSSocket): void {
  raw.write(frame(4, 0, 0, Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff])));
  raw.write(frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0, 0])));
}

/** `GET /` of `a`, and `CONNECT a`, by the static table. */
const GET_HEAD = Buffer.from([0x82, 0x87, 0x84, 0x41, 1, 97]);
const HEAD_WITHOUT_PATH = Buffer.from([0x82, 0x87, 0x41, 1, 97]);
const CONNECT_HEAD = Buffer.concat([
  Buffer.from([0x02, 7]),
  Buffer.from('CONNECT'),
  GET_HEAD.subarray(3),
]);

/** A header line as it is written out, neither in a table. */
function line(name: string, value: string): Buffer {
  const text = (each: string): Buffer => Buffer.from([each.length, ...Buffer.from(each)]);
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

/** @see https://www.rfc-editor.org/rfc/rfc9113#section-4.1 */
function frame(type: number, flags: number, id: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

it('ends whatever a peer leaves unread', async () => {
  await open();
  app.script = (exchange) => app.open(exchange, 'x'.repeat(8_000_000), true);
  const raw = await rawSession();
  widen(raw);
  raw.write(frame(1, 5, 1, GET_HEAD));
  await app.until(() => app.sinks.length === 1, 'the stream');
  await server.close();
});

describe('V53: one connection', () => {
  it('is served when it asks after a goodbye, and ends when nothing is open', async () => {
    await open();
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', true);
    const raw = await rawSession();
    raw.resume();
    const goodbye = frame(7, 0, 0, Buffer.alloc(8));
    raw.write(Buffer.concat([frame(1, 5, 1, GET_HEAD), goodbye, frame(1, 5, 3, GET_HEAD)]));
    await app.until(() => app.sinks.length === 2, 'both streams');
    for (const sink of app.sinks) sink.end('');
    await over(raw);
  });

  it('is told how many requests and how large a head it may have', async () => {
    await open({ requestsPerConnectionMax: 7, headBytesMax: 9000 });
    const made = await session();
    expect(made.remoteSettings.maxConcurrentStreams).toBe(7);
    expect(made.remoteSettings.maxHeaderListSize).toBe(9000);
    expect(made.remoteSettings.enableConnectProtocol ?? false).toBe(false);
  });

  it('gets no answer to a head that is larger, and goes on', async () => {
    await open({ headBytesMax: 4000 });
    const made = await session();
    const large = await replyTo(made.request({ 'x-large': 'x'.repeat(8000) }));
    expect(large.status).toBeUndefined();
    expect(large.code).not.toBe(0);
    expect(app.exchanges).toHaveLength(0);
    expect((await replyTo(made.request({}))).status).toBe(200);
  });

  it('gets no answer to a head of more lines than are taken, and goes on', async () => {
    await open({ headersMax: 20 });
    const made = await session();
    const lines = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x-${i}`, '1']));
    const long = await replyTo(made.request({ ...lines, origin: 'https://evil.example' }));
    expect(long.status).toBeUndefined();
    expect(long.code).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(app.exchanges).toHaveLength(0);
    expect((await replyTo(made.request({}))).status).toBe(200);
  });

  it('is closed when it resets request after request, and others go on', async () => {
    await open({ resetsPerMinuteMax: 20 });
    app.script = (exchange) => {
      if (exchange.head.path === '/open') app.watch(exchange);
    };
    const made = await session();
    made.request({ ':path': '/open' }).on('error', () => {});
    const other = await session();
    for (let i = 0; i < 25; i += 1) {
      const stream = made.request({});
      stream.on('error', () => {});
      stream.close(constants.NGHTTP2_CANCEL);
    }
    await over(made);
    expect(seen.counted('h2_connections_cut_total', 'resets')).toBe(1);
    await app.until(() => app.goneCount === 1, 'the leaving');
    expect(app.goneWhy).toEqual(['flooding']);
    app.script = (exchange) => exchange.respond(200, [], 'here');
    expect((await replyTo(other.request({}))).body).toBe('here');
  });

  it('is closed when it has us reset request after request', async () => {
    await open({ resetsPerMinuteMax: 20 });
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', true).destroy();
    const made = await session();
    for (let i = 0; i < 25; i += 1) made.request({}).on('error', () => {});
    await over(made);
    expect(seen.counted('h2_connections_cut_total', 'resets')).toBe(1);
  });

  it('is closed when its heads are malformed again and again', async () => {
    await open();
    const raw = await rawSession();
    raw.resume();
    for (let i = 0; i < 150; i += 1) raw.write(frame(1, 5, 2 * i + 1, HEAD_WITHOUT_PATH));
    raw.write(frame(1, 5, 301, GET_HEAD));
    raw.once('close', () => app.check());
    await app.until(() => raw.destroyed || app.exchanges.length > 0, 'the end, or an answer');
    expect(app.exchanges).toHaveLength(0);
  });

  it('is closed when its faults make us reset a request', async () => {
    await open();
    app.script = () => {};
    const raw = await rawSession();
    raw.resume();
    for (let i = 0; i < 25 && !raw.destroyed; i += 1) {
      const id = 2 * i + 1;
      raw.write(frame(1, 5, id, GET_HEAD));
      // A window wider than there may be is a fault of the stream, which the server must reset.
      raw.write(frame(8, 0, id, Buffer.from([0x7f, 0xff, 0xff, 0xff])));
    }
    await over(raw);
    expect(app.exchanges.length).toBeLessThan(25);
  });

  it('is not closed for requests that end as they should', async () => {
    await open({ resetsPerMinuteMax: 5 });
    const made = await session();
    for (let i = 0; i < 20; i += 1) {
      expect((await replyTo(made.request({}))).status).toBe(200);
    }
    expect(made.destroyed).toBe(false);
  });

  it('is closed when it pings and pings', async () => {
    await open({ pingsPerMinuteMax: 10 });
    const made = await session({ maxOutstandingPings: 100 });
    const goodbye = new Promise((resolve) => made.once('goaway', resolve));
    for (let i = 0; i < 20; i += 1) made.ping(() => {});
    expect(await goodbye).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await over(made);
    expect(seen.counted('h2_connections_cut_total', 'pings')).toBe(1);
  });

  it('is closed when it sends settings and settings', async () => {
    await open({ pingsPerMinuteMax: 10 });
    const raw = await rawSession();
    raw.resume();
    for (let i = 0; i < 20 && !raw.destroyed; i += 1) raw.write(frame(4, 0, 0, Buffer.alloc(0)));
    await over(raw);
    expect(seen.counted('h2_connections_cut_total', 'pings')).toBe(1);
  });

  it('is closed when it leaves unread what it asked for, of which no more is made', async () => {
    await open({ unsentBytesMax: 20_000_000, stallMsMax: 400 });
    const large = 'x'.repeat(3_000_000);
    app.script = (exchange) => exchange.respond(200, [], large);
    const raw = await rawSession();
    widen(raw);
    for (let i = 0; i < 50; i += 1) raw.write(frame(1, 5, 2 * i + 1, GET_HEAD));
    await seen.until(() => seen.counted('h2_connections_cut_total', 'unread') === 1);
    // As much as may wait, the one that makes it too much, and what the system took.
    expect(app.exchanges.length).toBeLessThan(20);
    await overUnread(raw);
    expect(raw.bytesRead).toBeLessThan(large.length * app.exchanges.length);
  });

  it.each([
    ['replies', (exchange: HttpExchange) => exchange.respond(200, [], 'x'.repeat(60_000))],
    ['events', (exchange: HttpExchange) => void app.open(exchange, 'x'.repeat(60_000), true)],
  ])(
    'is closed when the small %s it leaves are too much with those of others',
    async (_, script) => {
      await open({ unsentTotalBytesMax: 5_000_000 });
      app.script = (exchange) => {
        app.watch(exchange);
        script(exchange);
      };
      const unread = async (): Promise<TLSSocket> => {
        const raw = await rawSession();
        const count = app.exchanges.length + 50;
        for (let i = 0; i < 50; i += 1) raw.write(frame(1, 5, 2 * i + 1, GET_HEAD));
        await app.until(() => app.exchanges.length === count, 'the requests');
        return raw;
      };
      const raw = await unread();
      const over = new Promise((resolve) => raw.once('close', resolve));
      await unread();
      await seen.until(() => seen.counted('h2_connections_cut_total', 'unread') === 1);
      raw.resume();
      await over;
      expect(seen.logged('unread_connections_cut')).toHaveLength(1);
      expect(new Set(app.goneWhy)).toEqual(new Set(['unread']));
    },
  );

  it.each(['a reply', 'an event stream'])(
    'V49 is closed when it takes nothing of %s that is over, all of which is on its way',
    async (kind) => {
      await open({ stallMsMax: 100 });
      const large = 'x'.repeat(8_000_000);
      app.script = (exchange) => {
        if (kind === 'a reply') exchange.respond(200, [], large);
        else app.open(exchange, large, false).end('');
      };
      const raw = await rawSession();
      widen(raw);
      raw.write(frame(1, 5, 1, GET_HEAD));
      await app.until(() => app.exchanges.length === 1, 'the request');
      await overUnread(raw);
    },
  );

  it.each(['replies', 'event streams'])(
    'gets all the %s it reads, large as they are',
    async (kind) => {
      await open({ unsentBytesMax: 2_000_000 });
      const large = 'x'.repeat(1_000_000);
      app.script = (exchange) => {
        if (kind === 'replies') exchange.respond(200, [], large);
        else app.open(exchange, large, false).end('');
      };
      const made = await session();
      const replies = await Promise.all(
        Array.from({ length: 50 }, () => replyTo(made.request({}))),
      );
      expect(replies.map(({ body }) => body.length)).toEqual(replies.map(() => large.length));
      expect(made.destroyed).toBe(false);
    },
  );

  it('is closed when it idles, and when it asks for nothing to begin with', async () => {
    await open({ keepAliveMs: 100, headMsMax: 100 });
    await over(await session());
    const made = await session();
    let goodbye: unknown;
    made.once('goaway', (code: number) => {
      goodbye = code;
    });
    expect((await replyTo(made.request({}))).status).toBe(200);
    await over(made);
    expect(goodbye).toBe(constants.NGHTTP2_NO_ERROR);
  });

  it('has headers named like a prototype, which are headers like any other', async () => {
    await open();
    const names = ['__proto__', 'constructor', 'prototype', 'hasownproperty'];
    const raw = await rawSession();
    raw.resume();
    raw.write(frame(1, 5, 1, Buffer.concat([GET_HEAD, ...names.map((name) => line(name, 'x'))])));
    await app.until(() => app.exchanges.length === 1, 'the request');
    const head = app.exchanges[0]?.head;
    expect(head?.headerNames()).toEqual(['host', ...names]);
    for (const name of names) expect(head?.header(name)).toBe('x');
    expect(head?.header('tostring')).toBeUndefined();
  });

  it('idles not while a stream is open', async () => {
    await open({ keepAliveMs: 50, headMsMax: 50 });
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', true);
    const made = await session();
    made.request({}).resume();
    await app.until(() => app.sinks.length === 1, 'the stream');
    await over(await session());
    await over(await session());
    expect(made.destroyed).toBe(false);
  });

  it('gets 408 for a body that trickles', async () => {
    await open({ checkMs: 50 });
    app.script = (exchange) =>
      app.read(exchange, 1000, (outcome) => {
        if (outcome.kind === 'refused') exchange.respond(408, [], outcome.refusal.error);
      });
    const stream = (await session()).request({ ':method': 'POST' });
    stream.write('{');
    const drip = setInterval(() => stream.write(' '), 20);
    const reply = await replyTo(stream);
    clearInterval(drip);
    expect(reply).toMatchObject({ status: 408, body: 'BODY_TOO_SLOW' });
  });
});
