/** The server of `tidegate/node` against peers that are slow, malformed, greedy or gone. */
import { Server as NetServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { serve } from 'tidegate/node';
import type { ConnectionLimits, RunningServer } from 'tidegate/node';
import { BodyPace } from '../../src/adapters/http/body-pace.ts';
import type { HttpExchange } from '../../src/core/ports.ts';
import { eventually } from '../wire/signal.ts';
import { get, post, RawClient, statusOf } from './raw-client.ts';
import { echo, JSON_HEADERS, respondOk, ScriptedApp } from './scripted-app.ts';
import { Seen } from './seen.ts';

let app: ScriptedApp;
let server: RunningServer;
let clients: RawClient[];

async function open(limits: Partial<ConnectionLimits> = {}, drainMs = 100): Promise<void> {
  server = await serve(app, { port: 0, limits, drainMs });
}

async function connect(): Promise<RawClient> {
  const client = await RawClient.open(server.port);
  clients.push(client);
  return client;
}

async function connected(text: string): Promise<RawClient> {
  const client = await connect();
  client.send(text);
  return client;
}

/** Seen by the same timers as every connection of the server, twice. */
async function slowOnesAreCut(): Promise<void> {
  for (let i = 0; i < 2; i += 1) {
    const slow = await connected('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{');
    await slow.untilOver();
  }
}

function jsonOf(text: string): { readonly id: unknown; readonly error: { code: number } } {
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as never;
}

beforeEach(() => {
  app = new ScriptedApp();
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await server.close();
});

describe('slow peers', () => {
  it('cuts a head that does not come to its end, with 408 in JSON', async () => {
    await open({ headMsMax: 100, checkMs: 20 });
    const client = await connected('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const drip = setInterval(() => client.send('x'), 20);
    await client.untilOver();
    clearInterval(drip);
    expect(statusOf(client.received)).toBe(408);
    expect(jsonOf(client.received).id).toBeNull();
    expect(app.exchanges).toHaveLength(0);
  });

  it('V46 cuts a body that does not come to its end, and tells the application once', async () => {
    await open({ headMsMax: 100, requestMsMax: 100, checkMs: 20, bodyBytesPerSecondMin: 0 });
    app.script = (exchange) => {
      app.watch(exchange);
      app.read(exchange, 1000);
    };
    const client = await connected('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{');
    const drip = setInterval(() => client.send('x'), 20);
    await client.untilOver();
    clearInterval(drip);
    await app.until(() => app.goneCount === 1, 'the leaving');
    expect(app.outcomes).toEqual([{ kind: 'aborted' }]);
  });

  it('answers 408 to a body that trickles, long before its time is up', async () => {
    await open({ checkMs: 50 });
    app.script = (exchange) =>
      app.read(exchange, 1000, (outcome) => {
        if (outcome.kind === 'refused') exchange.respond(408, [], outcome.refusal.error);
      });
    const client = await connected('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{');
    const drip = setInterval(() => client.send('x'), 20);
    await client.untilReceived('BODY_TOO_SLOW');
    clearInterval(drip);
    expect(statusOf(client.received)).toBe(408);
  });

  it('waits for a body that comes slowly, and fast enough', async () => {
    // Each look is made once the part before it was received, however long that takes here.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const add = vi.spyOn(BodyPace.prototype, 'add');
    onTestFinished(() => void vi.useRealTimers().restoreAllMocks());
    await open({ checkMs: 50, bodyBytesPerSecondMin: 10_000 });
    app.script = echo(10_000);
    const others = vi.getTimerCount();
    const client = await connected('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n');
    await eventually(() => vi.getTimerCount() > others, 'the watch of the body');
    for (let bytes = 500; bytes <= 4000; bytes += 500) {
      client.send('x'.repeat(500));
      const received = (): number => add.mock.calls.reduce((sum, [each]) => sum + each, 0);
      await eventually(() => received() === bytes, `${bytes} bytes of the body`);
      vi.advanceTimersByTime(50);
    }
    await client.untilReceived('x'.repeat(4000));
  });

  it('leaves a reply that takes longer than a request may take', async () => {
    await open({ headMsMax: 40, requestMsMax: 40, checkMs: 10, keepAliveMs: 40 });
    for (const isLong of [true, false]) {
      app.script = (exchange) => app.open(exchange, 'data: 1\n\n', isLong);
      const client = await connected(get('/'));
      await client.untilReceived('data: 1\n\n');
      // Many times the bounds, seen by the same timers that enforce them on another connection.
      for (let i = 0; i < 3; i += 1) await (await connected('GET / HTTP/1.1\r\n')).untilOver();
      app.sinks.at(-1)?.write('data: 2\n\n');
      await client.untilReceived('data: 2\n\n');
      expect(client.isEnded).toBe(false);
    }
  });

  it('V49 cuts a whole reply that its reader does not take', async () => {
    await open({ stallMsMax: 50 });
    app.script = (exchange) => {
      app.watch(exchange);
      exchange.respond(200, JSON_HEADERS, 'x'.repeat(50_000_000));
    };
    const client = await connect();
    client.socket.pause();
    client.send(get('/'));
    await app.until(() => app.goneCount === 1, 'the cut');
  });

  it.each([true, false])(
    'V49 cuts an ended stream whose reader takes nothing (long: %s)',
    async (l) => {
      await open({ stallMsMax: 50 });
      app.script = (exchange) => {
        app.watch(exchange);
        app.open(exchange, 'data: 1\n\n', l).end('x'.repeat(50_000_000));
      };
      const client = await connect();
      client.socket.pause();
      client.send(get('/'));
      await app.until(() => app.goneCount === 1, 'the cut');
      expect(app.sinks[0]?.queuedBytes()).toBe(0);
    },
  );

  it('V49 cuts a reply that had to wait for its turn when its reader does not take it', async () => {
    await open({ stallMsMax: 50 });
    app.script = (exchange) => {
      app.watch(exchange);
      if (exchange.head.path === '/1') return;
      exchange.respond(200, JSON_HEADERS, 'x'.repeat(50_000_000));
    };
    const client = await connect();
    client.socket.pause();
    client.send(get('/1') + get('/2'));
    await app.until(() => app.exchanges.length === 2, 'both requests');
    const [first] = app.exchanges;
    if (first !== undefined) respondOk(first);
    await app.until(() => app.goneCount === 1, 'the cut');
  });

  it('waits for the body of a request behind others, which it does not read itself', async () => {
    await open({ pipelinedHandledMax: 1, requestMsMax: 100, headMsMax: 50, checkMs: 20 });
    app.script = (exchange) => {
      if (exchange.head.path === '/body') echo(1_000_000)(exchange, app);
    };
    const body = JSON.stringify('x'.repeat(500_000));
    const client = await connected(get('/1') + get('/2') + get('/3') + post('/body', body));
    await app.until(() => app.exchanges.length === 2, 'the first two');
    await slowOnesAreCut();
    expect(client.isClosed).toBe(false);
    app.exchanges.filter(({ head }) => /\d/.test(head.path)).forEach(respondOk);
    await app.until(() => app.exchanges.some(({ head }) => head.path === '/3'), 'the third');
    app.exchanges.filter(({ head }) => head.path === '/3').forEach(respondOk);
    await client.untilReceived(body.slice(-1000));
    await client.until(() => client.bytesReceived > body.length, 'all of it');
  });

  it('waits for a body behind another reply that is asked for in its turn', async () => {
    await open({ requestMsMax: 100, headMsMax: 50, checkMs: 20 });
    app.script = (exchange) => {
      if (exchange.head.path === '/body') echo(1000)(exchange, app);
    };
    const body = '"held back"';
    const held = post('/body', body, ['Expect: 100-continue']).slice(0, -body.length);
    const client = await connected(get('/1') + held);
    await app.until(() => app.exchanges.length === 2, 'both requests');
    await slowOnesAreCut();
    expect(client.received).toBe('');
    app.exchanges.filter(({ head }) => head.path === '/1').forEach(respondOk);
    await client.untilReceived('100 Continue');
    client.send(body);
    await client.untilReceived(body);
    expect(client.received.match(/HTTP\/1\.1 \d+/g)?.map((line) => line.slice(9))).toEqual([
      '200',
      '100',
      '200',
    ]);
  });

  it('leaves a call whose client never sends the body of what was refused behind it', async () => {
    await open({ requestMsMax: 100, headMsMax: 50, checkMs: 20, discardMsMax: 20 });
    app.script = (exchange) => {
      if (exchange.head.path === '/refused') exchange.respond(401, [], 'no');
    };
    const refused = post('/refused', 'x', ['Expect: 100-continue']).slice(0, -1);
    const client = await connected(get('/call') + refused);
    await app.until(() => app.exchanges.length === 2, 'both requests');
    await slowOnesAreCut();
    expect(client.isClosed).toBe(false);
    app.exchanges.filter(({ head }) => head.path === '/call').forEach(respondOk);
    await client.untilOver();
    expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401']);
  });

  it('cuts a body behind another reply that does not come when it is asked for', async () => {
    await open({ requestMsMax: 100, headMsMax: 50, checkMs: 20 });
    app.script = (exchange) => {
      if (exchange.head.path === '/body') echo(1000)(exchange, app);
    };
    const client = await connected(
      get('/1') + post('/body', 'x', ['Expect: 100-continue']).slice(0, -1),
    );
    await app.until(() => app.exchanges.length === 2, 'both requests');
    await slowOnesAreCut();
    app.exchanges.filter(({ head }) => head.path === '/1').forEach(respondOk);
    await client.untilReceived('BODY_TOO_SLOW');
  });

  it('takes a body behind another reply that does not wait to be asked for', async () => {
    await open();
    app.script = (exchange) => {
      if (exchange.head.path !== '/body') return;
      app.read(exchange, 1000, () => {
        app.exchanges.forEach(respondOk);
      });
    };
    const client = await connected(get('/1') + post('/body', '"{}"', ['Expect: 100-continue']));
    await client.until(() => client.received.match(/200 OK/g)?.length === 2, 'both replies');
  });

  it('tells of a stream behind another reply that nobody can take it yet', async () => {
    await open();
    app.script = (exchange) => {
      if (exchange.head.path === '/2') app.open(exchange, 'data: 2\n\n', false);
    };
    const client = await connected(get('/1') + get('/2'));
    await app.until(() => app.sinks.length === 1, 'the stream');
    const [first] = app.exchanges;
    const [sink] = app.sinks;
    expect(sink?.isBehind?.()).toBe(true);
    if (first !== undefined) respondOk(first);
    await client.untilReceived('data: 2\n\n');
    expect(sink?.isBehind?.()).toBe(false);
    sink?.end('data: 3\n\n');
    await client.untilReceived('data: 3\n\n');
    expect(sink?.isBehind?.()).toBe(false);
  });

  it('gives the request behind a large reply all the time that it takes', async () => {
    await open({ stallMsMax: 300 });
    const large = 'x'.repeat(50_000_000);
    app.script = (exchange) => {
      if (exchange.head.path !== '/2') exchange.respond(200, JSON_HEADERS, large);
    };
    const client = await connected(get('/1') + get('/2'));
    await client.until(() => client.bytesReceived > large.length, 'the large reply');
    // Others are cut meanwhile by the same bound, one after another.
    for (let i = 0; i < 3; i += 1) {
      app.script = (exchange) => {
        app.watch(exchange);
        exchange.respond(200, JSON_HEADERS, large);
      };
      const stalled = await connect();
      stalled.socket.pause();
      stalled.send(get('/stalled'));
      await app.until(() => app.goneCount === i + 1, 'the cut');
    }
    const second = app.exchanges.find(({ head }) => head.path === '/2');
    client.take();
    if (second !== undefined) respondOk(second);
    await client.untilReceived('{"ok":true}');
  });

  it('closes a connection that idles longer than it may', async () => {
    await open({ keepAliveMs: 50 });
    const client = await connected(get('/'));
    await client.untilReceived('{"ok":true}');
    await client.untilOver();
  });
});

describe('bodies nobody wants', () => {
  it('answers at once, drops a bounded part of the body, and closes', async () => {
    await open({ discardBytesMax: 300_000, discardMsMax: 60_000 });
    const client = await connected(
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n',
    );
    await client.untilReceived('{"ok":true}');
    expect(client.received).toContain('Connection: close');
    const pump = (): void => {
      while (!client.socket.destroyed && client.socket.write('x'.repeat(10_000)));
    };
    client.socket.on('drain', pump);
    pump();
    await client.untilOver();
  });

  it('closes when the rest of the body does not come', async () => {
    await open({ discardMsMax: 50 });
    const client = await connected(
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n',
    );
    await client.untilReceived('{"ok":true}');
    await client.untilOver();
  });

  it('keeps the connection when the body is small', async () => {
    await open();
    const client = await connect();
    for (let i = 0; i < 3; i += 1) {
      client.send(post('/', 'x'.repeat(5000)));
      await client.untilReceived('{"ok":true}');
      expect(client.take()).toContain('Connection: keep-alive');
    }
  });

  it('asks for the body of a client that waits to be asked', async () => {
    await open();
    app.script = echo(1000);
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n';
    const client = await connected(head);
    await client.untilReceived('HTTP/1.1 100 Continue\r\n\r\n');
    client.take();
    client.send('"ok"');
    await client.untilReceived('"ok"');
    expect(statusOf(client.received)).toBe(200);
  });

  it('does not ask for a body that it refuses', async () => {
    await open({ discardMsMax: 50 });
    const head =
      'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999\r\n\r\n';
    app.script = echo(1000);
    const tooLarge = await connected(head);
    app.script = respondOk;
    const unread = await connected(head);
    for (const client of [tooLarge, unread]) {
      await client.untilOver();
      expect(client.received).not.toContain('100 Continue');
      expect([200, 413]).toContain(statusOf(client.received));
    }
  });
});

describe('V46 malformed requests', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n', 405],
    ['a bad version', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n', 400],
    ['a bad header', 'GET / HTTP/1.1\r\nHost: x\r\nB ad: x\r\n\r\n', 400],
    ['a bare line feed in a header', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\nC: d\r\n\r\n', 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    [
      'a length and an encoding',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'another coding',
      post('/', '', ['Transfer-Encoding: gzip, chunked']).replace('Content-Length: 0\r\n', ''),
      501,
    ],
    ['another expectation', post('/', '{}', ['Expect: 200-ok']), 417],
    ['another HTTP', 'GET / HTTP/2.0\r\nHost: x\r\n\r\n', 505],
    ['a bad length', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 400],
    ['a head of too many lines', get('/', Array<string>(257).fill('A: b')), 431],
    ['an endless head', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('W37: refuses %s in JSON and closes', async (_name, text, status) => {
    await open();
    const client = await connected(text);
    await client.untilOver();
    expect(statusOf(client.received)).toBe(status);
    expect(client.received).toContain('Content-Type: application/json');
    expect(client.received).toContain('Connection: close');
    expect(client.received.includes('Allow: ')).toBe(status === 405);
    expect(jsonOf(client.received).error.code).toBe(-32600);
    expect(app.exchanges).toHaveLength(0);
  });

  it.each([
    ['another coding', 'Transfer-Encoding: gzip, chunked', 501],
    ['another expectation', 'Transfer-Encoding: chunked\r\nExpect: 200-ok', 417],
    ['too many lines', `Transfer-Encoding: chunked${'\r\nA: b'.repeat(256)}`, 431],
  ])(
    'answers a request with %s once, whatever is wrong with its body',
    async (_, lines, status) => {
      await open();
      const client = await connected(`POST / HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\nzz\r\n`);
      await client.untilOver();
      expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`]);
    },
  );

  it('carries out nothing that came behind a refused request, which can have no reply', async () => {
    await open();
    const tooLong = get('/', Array<string>(257).fill('A: b'));
    const client = await connected(get('/first') + tooLong + get('/behind'));
    await client.untilOver();
    expect(client.received).toContain('HTTP/1.1 431');
    expect(app.exchanges.map(({ head }) => head.path)).toEqual(['/first']);
  });

  it('takes a head of as many lines as there may be, and shows all of them', async () => {
    await open();
    const client = await connected(get('/', [...Array<string>(254).fill('A: b'), 'Origin: o']));
    await client.untilReceived('{"ok":true}');
    expect(app.exchanges[0]?.head.headerNames()).toHaveLength(256);
    expect(app.exchanges[0]?.head.header('origin')).toBe('o');
  });

  it('aborts a body whose chunks are malformed', async () => {
    await open();
    app.script = echo(1000);
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    const client = await connected(`${head}zz\r\n`);
    await client.untilOver();
    await app.until(() => app.outcomes.length === 1, 'the outcome');
    expect(app.outcomes).toEqual([{ kind: 'aborted' }]);
    expect(statusOf(client.received)).toBe(400);
  });

  it('never writes a refusal into a stream', async () => {
    await open();
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', false);
    const client = await connected(get('/'));
    await client.untilReceived('data: 1\n\n');
    client.send('garbage\r\n\r\n');
    await client.untilOver();
    expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it.each([true, false])('nor behind one that is over (long: %s)', async (isLong) => {
    await open();
    const client = await connected(get('/'));
    await client.untilReceived('{"ok":true}');
    client.take();
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', isLong).end('data: 2\n\n');
    client.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
    await client.untilOver();
    expect(client.received).toContain('data: 2\n\n');
    expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it.each(['garbage\r\n\r\n', 'CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n'])(
    'never answers a request that waits with the refusal of %j behind it',
    async (text) => {
      await open();
      app.script = (exchange) => app.watch(exchange);
      const client = await connected(post('/', '{}') + text);
      await client.untilOver();
      expect(client.received).toBe('');
      await app.until(() => app.goneCount === app.exchanges.length, 'the leaving');
    },
  );

  it('serves a request that offers an upgrade as if it did not', async () => {
    await open();
    const client = await connected(get('/', ['Connection: Upgrade', 'Upgrade: h2c']));
    await client.untilReceived('{"ok":true}');
  });

  it('shows how often a header came, and the first of its lines, or all of a list', async () => {
    await open();
    const lines = ['Authorization: A', 'authorization: B', 'Origin: o1', 'Origin: o2', 'X-L: 1, 2'];
    lines.push('Accept: application/json', 'accept: text/event-stream');
    const client = await connected(get('/', [...lines, '__proto__: a', '__proto__: b', 'Host: h']));
    await client.untilReceived('{"ok":true}');
    const head = app.exchanges[0]?.head;
    expect(head?.headerCount('authorization')).toBe(2);
    expect(head?.header('authorization')).toBe('A');
    expect(head?.headerCount('origin')).toBe(2);
    expect(head?.header('origin')).toBe('o1');
    expect(head?.header('x-l')).toBe('1, 2');
    expect(head?.header('accept')).toBe('application/json, text/event-stream');
    expect(head?.headerCount('host')).toBe(2);
    expect(head?.headerCount('__proto__')).toBe(2);
    expect(head?.headerNames().filter((name) => name === 'origin')).toHaveLength(2);
    expect(head?.remoteAddress).toBe('127.0.0.1');
  });

  it.each([
    ['http://other.example/a/b?c', '/a/b', 'c'],
    ['http://other.example', '/', ''],
    ['http://other.example?c', '/', 'c'],
    ['/a//b/../c?d?e', '/a//b/../c', 'd?e'],
    ['*', '*', ''],
  ])('takes path and query of the target %s', async (target, path, query) => {
    await open();
    const client = await connected(`OPTIONS ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await client.untilReceived('{"ok":true}');
    expect(app.exchanges[0]?.head).toMatchObject({ path, query });
  });

  it('serves clients of HTTP/1.0', async () => {
    await open();
    const json = await connected('GET / HTTP/1.0\r\n\r\n');
    await json.untilOver();
    expect(json.received).toContain('{"ok":true}');
    for (const isLong of [true, false]) {
      app.script = (exchange) => app.open(exchange, 'data: 1\n\n', isLong).end('data: 2\n\n');
      const stream = await connected('GET / HTTP/1.0\r\n\r\n');
      await stream.untilOver();
      expect(stream.received.endsWith('\r\n\r\ndata: 1\n\ndata: 2\n\n')).toBe(true);
    }
  });
});

describe('connections', () => {
  it('answers pipelined requests in order', async () => {
    await open();
    const pending: (() => void)[] = [];
    app.script = (exchange) => {
      const { path } = exchange.head;
      pending.push(() => exchange.respond(200, JSON_HEADERS, `"${path}"`));
    };
    const client = await connected(get('/1') + get('/2') + get('/3'));
    await app.until(() => pending.length === 3, 'three requests');
    for (const respond of pending.toReversed()) respond();
    await client.untilReceived('"/3"');
    expect(client.received.match(/"\/\d"/g)).toEqual(['"/1"', '"/2"', '"/3"']);
  });

  it('handles few pipelined requests before their turn, and the others as turns come', async () => {
    await open({ pipelinedHandledMax: 2 });
    const pending: (() => void)[] = [];
    app.script = (exchange) => {
      const { path } = exchange.head;
      if (path === '/other') return respondOk(exchange);
      pending.push(() => exchange.respond(200, JSON_HEADERS, `"${path}"`));
    };
    const client = await connected([1, 2, 3, 4, 5, 6].map((i) => get(`/${i}`)).join(''));
    await app.until(() => pending.length === 3, 'the first and two behind it');
    expect(await isServed(await connect(), '/other')).toBe(true);
    expect(pending).toHaveLength(3);
    // What is answered before its turn keeps its place: its reply is kept, too.
    for (const respond of pending.slice(1)) respond();
    expect(await isServed(await connect(), '/other')).toBe(true);
    expect(pending).toHaveLength(3);
    pending[0]?.();
    await app.until(() => pending.length === 6, 'the others');
    for (const respond of pending.slice(3)) respond();
    await client.untilReceived('"/6"');
    const replies = ['"/1"', '"/2"', '"/3"', '"/4"', '"/5"', '"/6"'];
    expect(client.received.match(/"\/\d"/g)).toEqual(replies);
  });

  it('handles what a call waits for, though it came behind the call', async () => {
    await open();
    let call: HttpExchange | undefined;
    app.script = (exchange) => {
      if (exchange.head.path === '/call') call = exchange;
      else exchange.respond(202, [], '');
      if (exchange.head.path === '/answer') call?.respond(200, JSON_HEADERS, '"answered"');
    };
    const client = await connected(get('/call') + get('/progress') + get('/answer'));
    await client.untilReceived('"answered"');
  });

  it('cuts a connection on which more requests wait than may, and counts it', async () => {
    const telemetry = new Seen();
    const limits = { pipelinedHandledMax: 1, pipelinedWaitingMax: 3 };
    server = await serve(app, { port: 0, limits, drainMs: 100, telemetry });
    app.script = (exchange) => (exchange.head.path === '/' ? respondOk : watch)(exchange);
    const client = await connected([1, 2, 3, 4, 5, 6, 7].map((i) => get(`/${i}`)).join(''));
    await client.untilOver();
    expect(client.received).toBe('');
    expect(telemetry.counted('http1_connections_cut_total', 'pipelined')).toBe(1);
    expect(new Set(app.goneWhy)).toEqual(new Set(['flooding']));
    expect(await isServed(await connect())).toBe(true);
    expect(app.exchanges.filter(({ head }) => head.path > '/2')).toEqual([]);
  });

  it('handles nothing of what waited on a connection that ended', async () => {
    await open({ pipelinedHandledMax: 2 });
    app.script = (exchange) => (exchange.head.path === '/' ? respondOk : watch)(exchange);
    const client = await connected([1, 2, 3, 4, 5].map((i) => get(`/${i}`)).join(''));
    await app.until(() => app.exchanges.length === 3, 'the first and two behind it');
    client.destroy();
    await app.until(() => app.goneCount === 3, 'the leaving');
    expect(await isServed(await connect())).toBe(true);
    expect(app.exchanges.map(({ head }) => head.path)).toEqual(['/1', '/2', '/3', '/']);
  });

  it('tells of each pipelined request that its client left', async () => {
    await open({ pipelinedHandledMax: 20 });
    app.script = (exchange) => app.watch(exchange);
    const client = await connected(Array.from({ length: 20 }, (_, i) => get(`/${i}`)).join(''));
    await app.until(() => app.exchanges.length === 20, 'the requests');
    client.destroy();
    await app.until(() => app.goneCount === 20, 'the leaving');
  });

  it('tells of a call that its client left, though the body behind it was refused', async () => {
    await open();
    app.script = (exchange) => {
      if (exchange.head.path === '/call') app.watch(exchange);
      else exchange.respond(401, [], '');
    };
    const unread = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{';
    const client = await connected(get('/call') + unread);
    await app.until(() => app.exchanges.length === 2, 'both requests');
    client.socket.end();
    await app.until(() => app.goneCount === 1, 'the leaving');
  });

  it('tells nobody that a client left who has the replies to all it pipelined', async () => {
    await open();
    app.script = (exchange) => app.watch(exchange);
    const client = await connected(get('/1') + get('/2') + get('/3'));
    await app.until(() => app.exchanges.length === 3, 'the requests');
    for (const exchange of app.exchanges) exchange.respond(200, [], exchange.head.path);
    await client.untilReceived('/3');
    client.destroy();
    app.script = respondOk;
    await (await connected(get('/'))).untilReceived('{"ok":true}');
    expect(app.goneCount).toBe(0);
  });

  it('ends a long stream behind which a client pipelined another request', async () => {
    await open();
    app.script = (exchange) => {
      app.watch(exchange);
      if (exchange.head.path === '/stream') app.open(exchange, 'data: 1\n\n', true);
      else respondOk(exchange);
    };
    const client = await connected(get('/stream') + get('/2'));
    await client.untilOver();
    expect(client.received).not.toContain('{"ok":true}');
    await app.until(() => app.goneCount > 0, 'the leaving');
  });

  it('keeps replies in order when the stream before them began late', async () => {
    await open();
    const pending: (() => void)[] = [];
    app.script = (exchange) => {
      pending.push(() => {
        if (exchange.head.path === '/2') respondOk(exchange);
        else app.open(exchange, 'data: 1\n\n', true);
      });
    };
    const client = await connected(get('/stream') + get('/2'));
    await app.until(() => pending.length === 2, 'two requests');
    for (const act of pending) act();
    await client.untilReceived('data: 1\n\n');
    app.sinks[0]?.end('data: 2\n\n');
    await client.untilOver();
    expect(client.received).toContain('data: 2\n\n');
    expect(client.received).not.toContain('{"ok":true}');
  });

  it('cuts a long stream whose client sends anything more', async () => {
    await open();
    app.script = (exchange) => {
      app.watch(exchange);
      app.open(exchange, 'data: 1\n\n', true);
    };
    const client = await connected(get('/'));
    await client.untilReceived('data: 1\n\n');
    await app.until(() => app.sinks.length === 1, 'the stream');
    client.send(get('/2'));
    await client.untilOver();
    await app.until(() => app.goneCount === 1, 'the leaving');
    expect(app.exchanges).toHaveLength(1);
  });

  it('takes a half-closed connection for one whose client is gone', async () => {
    await open();
    app.script = (exchange) => {
      app.watch(exchange);
      app.open(exchange, 'data: 1\n\n', true);
    };
    const client = await connected(get('/'));
    await client.untilReceived('data: 1\n\n');
    client.socket.end();
    await app.until(() => app.goneCount === 1, 'the leaving');
    await client.untilOver();
  });

  it('notices a client that leaves with its request, whatever of it is read first', async () => {
    await open();
    app.script = (exchange) => {
      app.watch(exchange);
      app.open(exchange, 'data: 1\n\n', true);
    };
    const leaving = await Promise.all(Array.from({ length: 20 }, () => connect()));
    for (const client of leaving) client.socket.end(get('/'));
    await app.until(() => app.goneCount === leaving.length, 'the leaving');
    for (const client of leaving) await client.untilOver();
  });

  it('V46 survives a reset of a long stream', async () => {
    await open();
    app.script = (exchange) => {
      app.watch(exchange);
      app.open(exchange, 'data: 1\n\n', true);
    };
    const client = await connected(get('/'));
    await client.untilReceived('data: 1\n\n');
    client.socket.resetAndDestroy();
    await app.until(() => app.goneCount === 1, 'the leaving');
    app.script = respondOk;
    await (await connected(get('/'))).untilReceived('{"ok":true}');
  });

  it('ends a long stream with the connection, without framing', async () => {
    await open();
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', true).end('data: 2\n\n');
    const client = await connected(get('/'));
    await client.untilOver();
    expect(client.received).toContain('Connection: close');
    expect(client.received).toMatch(/\r\nDate: [A-Z][a-z]{2}, /);
    expect(client.received.endsWith('\r\n\r\ndata: 1\n\ndata: 2\n\n')).toBe(true);
  });

  it('refuses connections beyond their number', async () => {
    await open({ connectionsMax: 2 });
    const first = await connected(get('/'));
    await first.untilReceived('{"ok":true}');
    const second = await connected(get('/'));
    await second.untilReceived('{"ok":true}');
    const third = await connect();
    await third.untilOver();
    first.destroy();
    await first.until(() => first.isClosed, 'the close');
    await expect.poll(async () => isServed(await connect())).toBe(true);
  });
});

describe('closing', () => {
  it('drains the application before it ends what is left', async () => {
    await open();
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', exchange.head.path === '/long');
    const streams = [await connected(get('/long')), await connected(get('/reply'))];
    for (const client of streams) await client.untilReceived('data: 1\n\n');
    const idle = await connect();
    app.script = respondOk;
    idle.send(get('/'));
    await idle.untilReceived('{"ok":true}');
    idle.take();
    app.onDrain = async () => {
      // Streams live, and requests on open connections are still answered, with a request to leave.
      for (const client of streams) expect(client.isEnded).toBe(false);
      idle.send(get('/'));
      await idle.untilReceived('{"ok":true}');
      expect(idle.received).toContain('Connection: close');
      for (const sink of app.sinks) sink.end('data: bye\n\n');
    };
    await Promise.all([server.close(), server.close()]);
    expect(app.drainedMs).toBe(100);
    for (const client of [...streams, idle]) await client.untilOver();
    for (const client of streams) expect(client.received).toContain('data: bye\n\n');
    await expect(RawClient.open(server.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('ends what neither the application nor a client ends', async () => {
    await open({}, 10);
    app.script = (exchange) => {
      if (exchange.head.path === '/silent') return;
      app.open(exchange, 'data: 1\n\n', exchange.head.path === '/long');
    };
    app.onDrain = async () => new Promise(() => {});
    const long = await connected(get('/long'));
    const reply = await connected(get('/reply'));
    const silent = await connected(get('/silent'));
    const half = await connected('GET / HTTP/1.1\r\n');
    await long.untilReceived('data: 1\n\n');
    await reply.untilReceived('data: 1\n\n');
    await server.close();
    for (const client of [long, reply, silent, half]) await client.untilOver();
  });
});

describe('listening', () => {
  it('says where it listens', async () => {
    await open();
    expect(server).toMatchObject({ host: '127.0.0.1', url: `http://127.0.0.1:${server.port}` });
    expect(server.port).toBeGreaterThan(0);
  });

  it('fails with one clear line when the port is in use', async () => {
    await open();
    await expect(serve(app, { port: server.port })).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${server.port}: the port is in use; choose another, or 0`,
    );
  });

  it('fails with one clear line when the host is not ours', async () => {
    await open();
    await expect(serve(app, { host: '203.0.113.7', port: 0 })).rejects.toThrow(
      'Cannot listen on 203.0.113.7:0: no interface of this machine has that address.',
    );
  });
});

function watch(exchange: HttpExchange): void {
  app.watch(exchange);
}

async function isServed(client: RawClient, path = '/'): Promise<boolean> {
  client.send(get(path));
  await client.until((it) => it.isEnded || it.isClosed || it.received.includes('ok'), 'either');
  return client.received.includes('ok');
}

describe('a door that is open', () => {
  const open = { isOpen: true, handle: () => {}, drain: () => Promise.resolve() };

  it('V11 V13 does not serve where other machines can reach it, unless told to', async () => {
    await expect(serve(open, { host: '0.0.0.0', port: 0 })).rejects.toThrow('insecure: true');
    const running = await serve(open, { host: '0.0.0.0', port: 0, insecure: true });
    await running.close();
  });

  it('serves on loopback, where only this machine calls', async () => {
    const running = await serve(open, { host: '127.0.0.1', port: 0 });
    await running.close();
  });
});

it.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new RangeError('a secret');
    },
  ],
  ['rejects', async () => Promise.reject(new RangeError('a secret'))],
])('goes on where whoever is told of its errors %s', async (_, fail) => {
  const listen = vi.spyOn(NetServer.prototype, 'listen');
  onTestFinished(() => listen.mockRestore());
  const told: unknown[] = [];
  const log = (...line: unknown[]): void => void told.push(line);
  const onError = vi.fn(fail);
  server = await serve(app, { port: 0, telemetry: { log, count() {} }, onError });
  const error = new Error('no descriptors');
  (listen.mock.contexts[0] as NetServer).emit('error', error);
  const reply = await fetch(server.url, { headers: { connection: 'close' } });
  expect(reply.status).toBe(200);
  expect(onError.mock.calls).toEqual([[error]]);
  expect(told).toEqual([['error', 'on_error_failed', { kind: 'RangeError' }]]);
});
