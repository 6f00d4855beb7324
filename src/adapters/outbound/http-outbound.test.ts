import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { OutboundEnd } from '../../core/outbound.ts';
import { HttpOutbound } from './http-outbound.ts';
import { SsrfGuard } from './ssrf-guard.ts';

const LATE_MS = 5000;
const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** What a server does with the request it has just been sent whole, and how many came before it. */
type Answer = (socket: Socket, connection: number, request: number) => void;

async function serverThat(
  answer: Answer,
): Promise<{ url: string; requests: string[]; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  const server: Server = createServer((socket) => {
    const connection = sockets.push(socket);
    let text = '';
    let count = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      requests.push(text);
      text = '';
      answer(socket, connection, (count += 1));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    requests,
    sockets,
  };
}

interface Outcome {
  readonly status: number | undefined;
  readonly text: string;
  readonly end: OutboundEnd;
  readonly sent: number;
}

interface Options {
  readonly isRepeatable?: boolean;
  readonly headers?: readonly string[];
  readonly body?: string;
}

function outbound(): HttpOutbound {
  const http = new HttpOutbound(new SsrfGuard());
  closing.unshift(() => http.close());
  return http;
}

function post(http: HttpOutbound, url: string, options: Options = {}): Promise<Outcome> {
  const { isRepeatable = false, headers = [], body = '{"jsonrpc":"2.0"}' } = options;
  return new Promise((resolve, reject) => {
    let status: number | undefined;
    let text = '';
    let sent = 0;
    const timer = setTimeout(() => reject(new Error('no end was reported')), LATE_MS);
    http.send(
      { method: 'POST', url, headers, body, isRepeatable },
      {
        onSent: () => (sent += 1),
        onHead: (head) => (status = head.status),
        onBytes: (chunk) => (text += Buffer.from(chunk).toString()),
        onEnd: (end) => {
          clearTimeout(timer);
          resolve({ status, text, end, sent });
        },
      },
    );
  });
}

describe('an address that may not be called', () => {
  it.each(['https://[::ffff:127.0.0.1]:PORT/', 'http://u:p@127.0.0.1:PORT/'])(
    'V37: is not connected to: %s',
    async (pattern) => {
      const { url, sockets } = await serverThat((socket) => socket.end(OK));
      const { end } = await post(outbound(), pattern.replace('PORT', new URL(url).port));
      expect(end).toEqual({ kind: 'unsent', detail: expect.stringMatching(/ .*\.$/) as string });
      expect(sockets).toEqual([]);
    },
  );

  it('V37: is not connected to when a name resolves to it', async () => {
    const { url, sockets } = await serverThat((socket) => socket.end(OK));
    const asked: string[] = [];
    const resolve = ((name: string, _: object, done: (e: null, found: object[]) => void) => {
      asked.push(name);
      done(null, [{ address: '127.0.0.1', family: 4 }]);
    }) as never;
    const http = new HttpOutbound(new SsrfGuard([], resolve));
    closing.unshift(() => http.close());
    const { port } = new URL(url);
    const { end } = await post(http, `https://rebound.example:${port}/mcp`);
    expect(end).toMatchObject({ kind: 'unsent' });
    expect(JSON.stringify(end)).toContain('rebound.example is not a public address');
    expect(sockets).toEqual([]);
    // A name of this machine's own is resolved by the same, and leads where that says.
    expect((await post(http, `http://own.localhost:${port}/mcp`)).status).toBe(200);
    expect(asked).toEqual(['rebound.example', 'own.localhost']);
  });
});

describe('a connection', () => {
  it('V44 is kept for the next request, with the headers and the body that were asked for', async () => {
    const { url, requests, sockets } = await serverThat((socket) => socket.write(OK));
    const http = outbound();
    const asked = { headers: ['Mcp-Name', 'theirs', 'MCP-Name', 'ours'], body: '{"ü":1}' };
    for (let i = 0; i < 3; i += 1) {
      const { status, text, end, sent } = await post(http, url, asked);
      expect({ status, text, end, sent }).toEqual({
        status: 200,
        text: '{}',
        end: { kind: 'complete' },
        sent: 1,
      });
    }
    expect(sockets).toHaveLength(1);
    expect(requests[0]).toMatch(/^POST \/mcp HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/);
    expect(requests[0]).toMatch(/\r\nmcp-name: ours\r\n/);
    expect(requests[0]).not.toContain('theirs');
    expect(requests[0]).toContain('\r\ncontent-length: 8\r\n');
  });

  it('is kept no longer than its server says, less a second', async () => {
    const keeping = (seconds: number): string =>
      OK.replace('\r\n\r\n', `\r\nKeep-Alive: timeout=${seconds}\r\n\r\n`);
    for (const [seconds, connections] of [
      [0, 3],
      [1, 3],
      [2, 1],
      [600, 1],
    ] as const) {
      const { url, sockets } = await serverThat((socket) => socket.write(keeping(seconds)));
      const http = outbound();
      for (let i = 0; i < 3; i += 1) await post(http, url);
      expect(sockets, `${seconds} s`).toHaveLength(connections);
    }
  });

  it('that nobody uses for a while is closed, and not used before that is noticed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    closing.push(async () => vi.useRealTimers());
    const { url, sockets } = await serverThat((socket) => socket.write(OK));
    const http = outbound();
    await post(http, url);
    vi.advanceTimersByTime(3999);
    await post(http, url);
    expect(sockets).toHaveLength(1);
    const [first] = sockets as [Socket];
    const gone = once(first, 'close');
    vi.advanceTimersByTime(4001);
    await gone;
    await post(http, url);
    expect(sockets).toHaveLength(2);
  });

  it('carries one request at a time: a slow one holds up nobody', async () => {
    let slow: Socket | undefined;
    const { url, sockets } = await serverThat((socket, connection) => {
      if (connection === 1) slow = socket;
      else socket.write(OK);
    });
    const http = outbound();
    const first = post(http, url);
    const others = await Promise.all([post(http, url), post(http, url)]);
    for (const other of others) expect(other.end.kind).toBe('complete');
    expect(await post(http, url)).toMatchObject({ end: { kind: 'complete' } });
    slow?.write(OK);
    expect(await first).toMatchObject({ end: { kind: 'complete' } });
    expect(sockets).toHaveLength(3);
  });

  it('takes what UTF-8 makes longer, and large bodies, as they are', async () => {
    const { url, requests } = await serverThat((socket) => socket.write(OK));
    const http = outbound();
    const large = JSON.stringify({ text: 'ü'.repeat(100_000) });
    await post(http, url, { headers: ['X-Wide', 'ä'], body: '"€"' });
    await post(http, url, { headers: ['X-Wide', 'ä'], body: large });
    await post(http, url, { body: large });
    const [small = '', wide = '', plain = ''] = requests;
    expect(small).toContain('\r\nx-wide: ä\r\n');
    expect(small).toMatch(/content-length: 5\r\n\r\n/);
    expect(small.endsWith(Buffer.from('"€"').toString('latin1'))).toBe(true);
    for (const text of [wide, plain]) {
      const body = text.slice(text.indexOf('\r\n\r\n') + 4);
      expect(Buffer.from(body, 'latin1').toString() === large).toBe(true);
    }
  });

  it('is not kept by a server that says so, or that speaks an older HTTP', async () => {
    for (const head of ['HTTP/1.1 200 OK\r\nConnection: close', 'HTTP/1.0 200 OK']) {
      const { url, sockets } = await serverThat((socket) => {
        socket.end(`${head}\r\nContent-Length: 2\r\n\r\n{}`);
      });
      const http = outbound();
      for (let i = 0; i < 3; i += 1) {
        expect(await post(http, url)).toMatchObject({ text: '{}', end: { kind: 'complete' } });
      }
      expect(sockets).toHaveLength(3);
    }
  });

  it('ends a reply without a length by closing', async () => {
    const { url } = await serverThat((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
    expect(await post(outbound(), url)).toMatchObject({
      text: 'all of it',
      end: { kind: 'complete' },
    });
  });

  it('that was dead when it was used again is replaced once, if a repeat does no harm', async () => {
    const deadSecond: Answer = (socket, _connection, request) => {
      if (request === 1) socket.write(OK);
      else socket.destroy();
    };
    const { url, requests } = await serverThat(deadSecond);
    const http = outbound();
    await post(http, url);
    expect(await post(http, url, { isRepeatable: true })).toMatchObject({
      end: { kind: 'complete' },
      sent: 1,
    });
    expect(requests).toHaveLength(3);
    await post(http, url);
    expect(await post(http, url)).toMatchObject({ end: { kind: 'cut' } });
    expect(requests).toHaveLength(5);
  });

  it('that closed while it was not used costs no request', async () => {
    const { url, sockets } = await serverThat((socket) => socket.write(OK));
    const http = outbound();
    await post(http, url);
    const gone = once(sockets[0] as Socket, 'close');
    sockets[0]?.end();
    await gone;
    expect(await post(http, url)).toMatchObject({ end: { kind: 'complete' } });
    expect(sockets).toHaveLength(2);
  });

  it('is cut when its request is aborted, whenever that is, and reports nothing', async () => {
    const { url, sockets } = await serverThat((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
    });
    const http = outbound();
    const events: string[] = [];
    const send = (onBytes: () => void): (() => void) =>
      http.send(
        { method: 'GET', url, headers: [], isRepeatable: true },
        {
          onSent: () => {},
          onHead: () => {},
          onBytes,
          onEnd: ({ kind }) => events.push(kind),
        },
      );
    send(() => events.push('bytes'))();
    await new Promise<void>((resolve) => {
      const abort = send(() => {
        abort();
        resolve();
      });
    });
    const last = sockets.at(-1) as Socket;
    if (!last.destroyed) await once(last, 'close');
    await http.close();
    expect(events).toEqual([]);
  });
});

describe('what never reached a server', () => {
  it('is unsent: nobody listens', async () => {
    const { url } = await serverThat(() => {});
    await closing.pop()?.();
    const { end, sent } = await post(outbound(), url, { isRepeatable: true });
    expect(end).toEqual({ kind: 'unsent', detail: 'ECONNREFUSED' });
    expect(sent).toBe(0);
  });

  it('V44 is unsent: a header that is none', async () => {
    const { url, requests } = await serverThat((socket) => socket.write(OK));
    const http = outbound();
    for (const headers of [
      ['Mcp-Name', 'a\r\nb: c'],
      ['a b', 'c'],
      ['Upgrade', 'h2c'],
      ['Host', 'elsewhere'],
      ['Content-Length', '0'],
      ['Transfer-Encoding', 'chunked'],
      ['X', 'a\u0000b'],
      ['X', '\u20ac'],
    ]) {
      const { end } = await post(http, url, { headers });
      expect(end).toEqual({
        kind: 'unsent',
        detail: 'A header holds characters that no header may hold.',
      });
    }
    expect(requests).toEqual([]);
  });
});

describe('a hostile server', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
  const cases: readonly (readonly [string, string, (socket: Socket) => void])[] = [
    [
      'two lengths',
      'cut',
      (s) => s.write(`${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`),
    ],
    [
      'two equal lengths',
      'cut',
      (s) => s.write(`${head}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`),
    ],
    ['a length of two numbers', 'cut', (s) => s.write(`${head}Content-Length: 2, 2\r\n\r\n{}`)],
    ['a negative length', 'cut', (s) => s.write(`${head}Content-Length: -2\r\n\r\n{}`)],
    [
      'a length that no number holds',
      'cut',
      (s) => s.write(`${head}Content-Length: ${'9'.repeat(40)}\r\n\r\n{}`),
    ],
    [
      'a length and chunks',
      'cut',
      (s) =>
        s.write(
          `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
        ),
    ],
    ['fewer bytes than it said', 'cut', (s) => s.end(`${head}Content-Length: 9\r\n\r\n{}`)],
    [
      'a reset in the body',
      'cut',
      (s) => s.write(`${head}Content-Length: 9\r\n\r\n{}`, () => s.resetAndDestroy()),
    ],
    [
      'a chunk that is none',
      'cut',
      (s) => s.write(`${head}Transfer-Encoding: chunked\r\n\r\nxy\r\n{}\r\n`),
    ],
    [
      'a chunk that no number holds',
      'cut',
      (s) => s.write(`${head}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(30)}\r\n`),
    ],
    [
      'chunks that end early',
      'cut',
      (s) => s.end(`${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`),
    ],
    [
      'a folded header',
      'cut',
      (s) => s.write(`${head} folded: yes\r\nContent-Length: 2\r\n\r\n{}`),
    ],
    ['a space before the colon', 'cut', (s) => s.write(`${head}Content-Length : 2\r\n\r\n{}`)],
    [
      'lines without carriage returns',
      'cut',
      (s) => s.write('HTTP/1.1 200 OK\nContent-Length: 2\n\n{}'),
    ],
    ['a header with a NUL', 'cut', (s) => s.write(`${head}X: a\0b\r\nContent-Length: 2\r\n\r\n{}`)],
    ['another protocol', 'cut', (s) => s.write('SSH-2.0-OpenSSH_9.6\r\n')],
    [
      'a switch of protocols',
      'cut',
      (s) => s.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    ],
    ['a goodbye instead of a reply', 'cut', (s) => s.destroy()],
    ['one header without end', 'cut', (s) => flood(s, `${head}X: `, 'a'.repeat(4096))],
    ['headers without end', 'cut', (s) => flood(s, head, 'X-Filler: abcdefgh\r\n'.repeat(200))],
    [
      'trailers without end',
      'cut',
      (s) =>
        flood(s, `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n`, 'X: abcdefgh\r\n'.repeat(200)),
    ],
    [
      'announcements without end',
      'cut',
      (s) => flood(s, '', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50)),
    ],
  ];

  it.each(cases)('with %s harms that call alone', async (_name, kind, answer) => {
    let isTame = false;
    const { url } = await serverThat((socket, _connection, request) => {
      if (isTame || request > 1) socket.write(OK);
      else answer(socket);
    });
    const http = outbound();
    expect((await post(http, url)).end.kind).toBe(kind);
    isTame = true;
    expect(await post(http, url)).toMatchObject({ text: '{}', end: { kind: 'complete' } });
  });

  it('that sends more than one reply has no say in the next request', async () => {
    const { url, sockets } = await serverThat((socket, connection) => {
      socket.write(connection === 1 ? `${OK}${OK.replace('{}', '[]')}` : OK);
    });
    const http = outbound();
    expect(await post(http, url)).toMatchObject({ text: '{}', end: { kind: 'complete' } });
    expect(await post(http, url)).toMatchObject({ text: '{}', end: { kind: 'complete' } });
    expect(sockets).toHaveLength(2);
  });

  it('whose surplus is there when the next request is about to be written has no say in it', async () => {
    const evil = OK.replace('{}', '[]');
    const { url, sockets } = await serverThat((socket) => socket.write(OK));
    const http = outbound();
    await post(http, url);
    const second = post(http, url);
    // It is in the kernel before the turn in which the request would be written ends.
    (sockets[0] as Socket).write(evil);
    expect(await second).toMatchObject({ text: '{}', end: { kind: 'complete' } });
  });

  it('that speaks before it was asked is not listened to', async () => {
    const { url, sockets } = await serverThat((socket) => socket.write(OK));
    const http = outbound();
    await post(http, url);
    const gone = once(sockets[0] as Socket, 'close');
    sockets[0]?.write(OK.replace('{}', '[]'));
    await gone;
    expect(await post(http, url)).toMatchObject({ text: '{}', end: { kind: 'complete' } });
  });
});

describe('of a server that floods, others have their turn', () => {
  const flooded = `HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n${' '.repeat(20_000_000)}`;
  /** A few reads of 64 KB: without a rest there are up to 32 of them. */
  const BYTES_MAX = 6 * 65_536;

  /** What is read of a reply in one turn of the event loop, at most. */
  async function mostInOneTurn(http: HttpOutbound, url: string): Promise<number> {
    let bytes = 0;
    let most = 0;
    let before = 0;
    let isOver = false;
    const turn = (): void => {
      most = Math.max(most, bytes - before);
      before = bytes;
      if (!isOver) setImmediate(turn);
    };
    const request = { method: 'GET' as const, url, headers: [], isRepeatable: true };
    const end = await new Promise<OutboundEnd>((resolve) => {
      http.send(request, {
        onSent() {},
        onHead: () => setImmediate(turn),
        onBytes: (chunk) => (bytes += chunk.length),
        onEnd: resolve,
      });
    });
    isOver = true;
    expect([bytes, end.kind]).toEqual([20_000_000, 'complete']);
    return most;
  }

  it('in the clear', async () => {
    const { url } = await serverThat((socket) => socket.write(flooded));
    expect(await mostInOneTurn(outbound(), url)).toBeLessThanOrEqual(BYTES_MAX);
  });

  it('over TLS, whose reads are small and many', async () => {
    const pem = readFileSync(
      new URL('../../../test/fixtures/tls/self-signed.pem', import.meta.url),
    );
    const server = createTlsServer({ key: pem, cert: pem }, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(flooded));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(async () => {
      server.close();
      await once(server, 'close');
    });
    const resolve = ((_name: string, _: object, done: (e: null, found: object[]) => void) => {
      done(null, [{ address: '127.0.0.1', family: 4 }]);
    }) as never;
    const guard = new SsrfGuard(['mcp.example.com'], resolve);
    const http = new HttpOutbound(guard, { ca: pem.toString() });
    closing.unshift(() => http.close());
    const url = `https://mcp.example.com:${(server.address() as AddressInfo).port}/mcp`;
    expect(await mostInOneTurn(http, url)).toBeLessThanOrEqual(BYTES_MAX);
  });
});

/** Sends `more` again and again until the other side has had enough. */
function flood(socket: Socket, first: string, more: string): void {
  socket.write(first);
  const go = (): void => {
    while (!socket.destroyed && socket.write(more));
    if (!socket.destroyed) socket.once('drain', go);
  };
  go();
}
