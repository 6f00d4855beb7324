/** What a remote server may do wrong costs one call at most: the next one is answered. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { RemoteOptions } from 'tidegate';
import { dialModern, dialSession, HandServer, server2025, type Asked } from './hand-server.ts';

const LOST = { code: -32603, message: 'upstream connection lost' };
const BAD = { code: -32603, message: expect.stringContaining('not of this protocol') as string };
const UNAVAILABLE = { code: -32010 };
const METADATA = 'http://169.254.169.254/latest/meta-data';

type Misdeed = readonly [name: string, answer: (asked: Asked) => void, expected: object];

const MISDEEDS: readonly Misdeed[] = [
  [
    'a reply that is cut',
    (asked) => {
      asked.response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":');
      setImmediate(() => asked.response.destroy());
    },
    LOST,
  ],
  [
    'a stream that ends without the answer',
    (asked) => asked.response.end(asked.stream(':\n\n')),
    LOST,
  ],
  ['an accepted request without an answer', (asked) => asked.status(202), LOST],
  ['a page', (asked) => asked.status(200, { 'content-type': 'text/html' }, '<html>'), BAD],
  [
    'JSON that is none',
    (asked) => asked.status(200, { 'content-type': 'application/json' }, '{"jsonrpc":"2.0"'),
    BAD,
  ],
  ['JSON that is no message', (asked) => asked.json({ hello: 'world' }), BAD],
  [
    'bytes that are no UTF-8',
    (asked) => {
      asked.response.writeHead(200, { 'content-type': 'application/json' });
      asked.response.end(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]));
    },
    BAD,
  ],
  ['an event that is no message', (asked) => asked.stream('data: {"jsonrpc"\n\n'), BAD],
  [
    'the answer to another call',
    (asked) => asked.json({ jsonrpc: '2.0', id: 77, result: {} }),
    LOST,
  ],
  ['a redirect', (asked) => asked.status(307, { location: METADATA }), UNAVAILABLE],
  ['a refusal without a reason', (asked) => asked.status(500), UNAVAILABLE],
  ['a refusal without an end', (asked) => endless(asked, 500, 'text/plain', 'x'), UNAVAILABLE],
  [
    'a gzip bomb',
    (asked) => {
      const bomb = gzipSync(Buffer.alloc(10_000_000));
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      asked.response.writeHead(200, headers).end(bomb);
    },
    BAD,
  ],
  [
    'content codings without end',
    (asked) =>
      asked.status(200, {
        'content-type': 'application/json',
        'content-encoding': Array(1000).fill('gzip').join(','),
      }),
    BAD,
  ],
];

function endless(asked: Asked, status: number, type: string, text: string): void {
  asked.response.writeHead(status, { 'content-type': type });
  const more = (): void => {
    if (asked.isGone) return;
    asked.response.write(text.repeat(65_536));
    setImmediate(more);
  };
  more();
}

describe.each([
  ['2025', dialSession],
  ['2026', async (url: string, options?: RemoteOptions) => dialModern(url, options)],
] as const)('a server of %s', (_era, dial) => {
  it.each(MISDEEDS)('V55: %s costs the call it answers', async (_name, misdeed, expected) => {
    const server = await HandServer.start(
      server2025((asked) => {
        if (asked.body.params?.['name'] !== 'bad') return false;
        misdeed(asked);
        return true;
      }),
    );
    const { call, recorder } = await dial(server.url);
    expect(await call(1, 'bad')).toMatchObject(expected);
    expect(await call(2, 'good')).toEqual({ of: 'tools/call' });
    expect(recorder.closes()).toEqual([]);
    expect(server.of('tools/call')).toHaveLength(2);
  });

  it.each([
    ['JSON', 'application/json', '['],
    ['an event', 'text/event-stream', 'x'],
  ])('V54: %s without end is given up at the bound', async (_name, type, text) => {
    const server = await HandServer.start(
      server2025((asked) => {
        if (asked.body.params?.['name'] !== 'bad') return false;
        endless(asked, 200, type, type === 'application/json' ? text : `data: ${text}`);
        return true;
      }),
    );
    const limits = { upstreamLineBytesMax: 1_000_000 };
    const { call, recorder, sight } = await dial(server.url, { limits });
    void call(1, 'bad').catch(() => {});
    await recorder.until(({ seen }) => seen.some(({ kind }) => kind === 'oversized'), 'the bound');
    expect(recorder.seen).toContainEqual({ kind: 'oversized', id: '1' });
    expect(sight.counts.get('upstream_lines_skipped_total too-long')).toBe(1);
    expect(await call(2, 'good')).toEqual({ of: 'tools/call' });
  });

  it('V37: a redirect to a metadata address is not followed', async () => {
    const server = await HandServer.start((asked) => {
      asked.status(307, { location: METADATA });
    });
    const { call } = dialModern(server.url);
    expect(await call(1)).toMatchObject(UNAVAILABLE);
    expect(server.asked).toHaveLength(1);
  });

  it('V41: sends our own headers, and never logs or tells their values', async () => {
    const server = await HandServer.start(server2025(() => false));
    const headers = { Authorization: 'Bearer our-canary' };
    const { call, sight, recorder } = await dial(server.url, { headers });
    await call(1);
    expect(
      server.asked.every((asked) => asked.header('authorization') === 'Bearer our-canary'),
    ).toBe(true);
    const seen = [sight.logs, [...sight.counts], recorder.seen];
    expect(JSON.stringify(seen)).not.toContain('canary');
  });
});
