/** What a server over HTTP may do wrong with one call, and what that call is answered. */
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Asked } from './hand-server.ts';

const LOST = { code: -32603, message: 'upstream connection lost' };
const BAD = { code: -32603, message: expect.stringContaining('not of this protocol') as string };
export const UNAVAILABLE = { code: -32010 };
export const METADATA = 'http://169.254.169.254/latest/meta-data';

export type Misdeed = readonly [name: string, answer: (asked: Asked) => void, expected: object];

export const MISDEEDS: readonly Misdeed[] = [
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
    ({ response, body }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const answer = { jsonrpc: '2.0', id: body.id, result: { ...DONE, text: '\u00ff' } };
      response.end(JSON.stringify(answer), 'latin1');
    },
    BAD,
  ],
  [
    'an answer in an event of another name',
    (asked) => {
      const answer = { jsonrpc: '2.0', id: asked.body.id, result: DONE };
      asked.stream(`event: answer\ndata: ${JSON.stringify(answer)}\n\n`);
      asked.response.end();
    },
    { code: -32603 },
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
    'a content coding that nobody asked for, and its body has not',
    ({ response, body }) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'br' };
      const answer = { jsonrpc: '2.0', id: body.id, result: { of: 'tools/call' } };
      response.writeHead(200, headers).end(JSON.stringify(answer));
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
  [
    'headers without end',
    ({ response }) => {
      const socket = response.socket;
      socket?.on('error', () => {});
      socket?.write('HTTP/1.1 200 OK\r\n');
      const more = (): void => {
        if (socket?.writable !== true) return;
        socket.write(`x-more: ${'x'.repeat(4096)}\r\n`);
        setImmediate(more);
      };
      more();
    },
    LOST,
  ],
  [
    'two answers',
    (asked) => {
      for (const which of ['first', 'second']) {
        asked.event({ jsonrpc: '2.0', id: asked.body.id, result: { ...DONE, which } });
      }
      asked.response.end();
    },
    { which: 'first' },
  ],
  [
    'answers to calls that nobody made',
    (asked) => {
      for (const id of [77, 'x', 0]) asked.event({ jsonrpc: '2.0', id, result: DONE });
      asked.response.end();
    },
    LOST,
  ],
  [
    'a change of its session id',
    (asked) => asked.result({ ...DONE, which: 'first' }, { 'mcp-session-id': 'session-evil' }),
    { which: 'first' },
  ],
];

/** Nothing, and a type that every era accepts. */
const DONE = { content: [], resultType: 'complete' };

export function endless(asked: Asked, status: number, type: string, text: string): void {
  asked.response.writeHead(status, { 'content-type': type });
  const more = (): void => {
    if (asked.isGone) return;
    asked.response.write(text.repeat(65_536));
    setImmediate(more);
  };
  more();
}
