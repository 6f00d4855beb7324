import { request } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ReplyReader } from './reply-reader.ts';

interface Read {
  readonly end: 'whole' | 'fault' | 'more';
  readonly isReusable: boolean;
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
  readonly announced: number;
}

/** What becomes of a reply that comes in these pieces; after them the other side ends or waits. */
function read(pieces: readonly Buffer[], isEnded: boolean): Read {
  let status: number | undefined;
  let type: string | undefined;
  let body = '';
  let announced = 0;
  let end: Read['end'] = 'more';
  let isReusable = false;
  const reader = new ReplyReader();
  reader.begin({
    onInformational: () => (announced += 1),
    onHead: (head) => {
      status = head.status;
      type = head.header('content-type');
    },
    onBytes: (data) => (body += Buffer.from(data).toString('latin1')),
    onWhole: (_, mayFollow) => {
      end = 'whole';
      isReusable = mayFollow;
    },
  });
  for (const piece of pieces) {
    if (end === 'more' && reader.push(piece) !== undefined) end = 'fault';
  }
  if (end === 'more' && isEnded && reader.end() !== undefined) end = 'fault';
  return { end, isReusable, status, type, body, announced };
}

const whole = (text: string, isEnded = false): Read => read([Buffer.from(text, 'latin1')], isEnded);

/** A source of numbers that are the same for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const LINES: readonly string[] = [
  'Content-Type: application/json',
  'content-type:text/event-stream  ',
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: 05',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length:',
  'Content-Length: 5\u00a0',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: identity',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: x, Close',
  'Keep-Alive: timeout=5',
  'Date: Sun, 29 Nov 2026 10:00:00 GMT',
  'X-Wide: \u00e4\u00ff',
  'X-Empty:',
  'X-Colon: a:b:c',
  'X Space: a',
  ': nameless',
  'no colon',
  ' folded',
  'X-Null: a\u0000b',
  'X-Return: a\rb',
  'X-Feed: a\nb',
  'X-Delete: a\u007fb',
];
const STATUS_LINES: readonly string[] = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 ',
  'HTTP/1.1 202 Accepted',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 404 Not Found',
  'HTTP/1.0 200 OK',
  'HTTP/2.0 200 OK',
  'HTTP/1.1 20 OK',
  'HTTP/1.1 2000 OK',
  'HTTP/1.1  200 OK',
  'http/1.1 200 OK',
  'ICY 200 OK',
];
const BODIES: readonly string[] = [
  'hello',
  '',
  'hell',
  '5\r\nhello\r\n0\r\n\r\n',
  '5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n',
  '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
  '5\r\nhello0\r\n\r\n',
  '5\nhello\r\n0\r\n\r\n',
  '6\r\nhello\r\n0\r\n\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '-5\r\nhello\r\n0\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\nno field\r\n\r\n',
];

function someReply(seed: number): string {
  const below = numbers(seed);
  const pick = (from: readonly string[]): string => from[below(from.length)] ?? '';
  // Most are right, so that their bodies are looked at, too.
  const first = below(3) > 0 ? 'HTTP/1.1 200 OK' : pick(STATUS_LINES);
  const right = LINES.filter((line) => /^(?:Content-(?:Type|Length: 5$)|Transfer|Date)/.test(line));
  const lines = Array.from({ length: below(4) }, () => pick(below(3) > 0 ? right : LINES));
  const announced = below(10) === 0 ? 'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n' : '';
  return `${announced}${[first, ...lines, '', ''].join('\r\n')}${pick(BODIES)}`;
}

/** How many bytes of it are the reply, where it does not last until the other side ends. */
function lengthOf(text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  let length = bytes.length;
  while (length > 0 && read([bytes.subarray(0, length - 1)], false).end === 'whole') length -= 1;
  return length;
}

/** What Node's own client makes of the same bytes, after which the other side ends. */
function readByNode(text: string): Promise<Pick<Read, 'end' | 'status' | 'body'>> {
  return new Promise((resolve) => {
    let status: number | undefined;
    let body = '';
    let isDone = false;
    const done = (end: Read['end']): void => {
      if (isDone) return;
      isDone = true;
      resolve({ end, status, body });
    };
    const socket = new Duplex({
      read() {},
      write(_chunk, _encoding, next) {
        next();
        setImmediate(() => {
          socket.push(Buffer.from(text, 'latin1'));
          socket.push(null);
        });
      },
    });
    const asking = request({ method: 'POST', createConnection: () => socket });
    asking.on('error', () => done('fault'));
    asking.on('response', (response) => {
      ({ statusCode: status } = response);
      response.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      response.on('end', () => done('whole'));
      response.on('error', () => done('fault'));
    });
    asking.end();
  });
}

describe('a reply', () => {
  it('reads the same however it is cut', () => {
    for (let seed = 1; seed <= 2000; seed += 1) {
      const text = someReply(seed);
      const bytes = Buffer.from(text, 'latin1');
      const expected = whole(text, true);
      const at = numbers(seed)(bytes.length + 1);
      const single = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
      for (const pieces of [[bytes.subarray(0, at), bytes.subarray(at)], single]) {
        const { isReusable: _, ...cut } = read(pieces, true);
        // What comes after a whole reply is seen only by whoever reads it in the same piece.
        expect(cut, `seed ${seed}`).toMatchObject({
          end: expected.end,
          ...(expected.end === 'whole' ? { status: expected.status, body: expected.body } : {}),
        });
      }
    }
  });

  it('is never whole where the parser of Node says otherwise, nor says anything else', async () => {
    let both = 0;
    for (let seed = 1; seed <= 3000; seed += 1) {
      const text = someReply(seed);
      const ours = whole(text, true);
      if (ours.end !== 'whole') continue;
      const { end, status, body } = await readByNode(text.slice(0, lengthOf(text)));
      expect({ end, status, body }, `seed ${seed}: ${JSON.stringify(text)}`).toEqual({
        end: 'whole',
        status: ours.status,
        body: ours.body,
      });
      both += 1;
    }
    expect(both).toBeGreaterThan(500);
  });

  it.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}', true],
    ['HTTP/1.1 204 No Content\r\n\r\n', true],
    ['HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n', true],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', true],
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n', false],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n.', false],
    ['HTTP/1.1 200 OK\r\nConnection: foo , CLOSE\r\nContent-Length: 2\r\n\r\n{}', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}', false],
  ])('is whole: %j; another request may follow: %s', (text, isReusable) => {
    expect(whole(text)).toMatchObject({ end: 'whole', isReusable });
  });

  it('that is announced is waited for', () => {
    const text = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';
    expect(whole(text)).toMatchObject({ end: 'whole', status: 200, body: '{}', announced: 1 });
  });

  it('says all values of a header that comes more than once', () => {
    const text =
      'HTTP/1.1 200 OK\r\nContent-Type: a\r\nContent-Length: 0\r\ncontent-type: b\r\n\r\n';
    expect(whole(text)).toMatchObject({ type: 'a, b' });
  });

  it.each([
    ['two codings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
    ['a coding nobody asked for', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['a coding and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'],
    ['two lengths that are equal', 'Content-Length: 5\r\nContent-Length: 5\r\n'],
    ['a length of none', 'Content-Length:\r\n'],
  ])('with %s is none', (_name, lines) => {
    const text = `HTTP/1.1 200 OK\r\n${lines}\r\n5\r\nhello\r\n0\r\n\r\n`;
    expect(whole(text)).toMatchObject({ end: 'fault', status: undefined });
  });

  it('in chunks of an older HTTP is none', () => {
    const text = 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(whole(text).end).toBe('fault');
  });

  it.each([
    ['a head', 'HTTP/1.1 200 OK\r\nX: '],
    ['extensions of a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a='],
    ['fields after the chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: '],
  ])('with %s of more than 16 KiB is none, and of less is one', (_name, text) => {
    const rest = text.includes('chunked')
      ? '\r\nhello\r\n0\r\n\r\n'
      : '\r\nContent-Length: 0\r\n\r\n';
    const ending = text.endsWith('0\r\nX: ') ? '\r\n\r\n' : rest;
    expect(whole(`${text}${'a'.repeat(16_000)}${ending}`).end).toBe('whole');
    expect(whole(`${text}${'a'.repeat(16_400)}${ending}`).end).toBe('fault');
    expect(whole(`${text}${'a'.repeat(16_400)}`).end).toBe('fault');
  });

  it('is read no further by whoever stops it', () => {
    const reader = new ReplyReader();
    const seen: string[] = [];
    reader.begin({
      onInformational: () => {},
      onHead: () => {
        seen.push('head');
        reader.stop();
      },
      onBytes: () => seen.push('bytes'),
      onWhole: () => seen.push('whole'),
    });
    const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n';
    expect(reader.push(Buffer.from(text))).toBeUndefined();
    expect(seen).toEqual(['head']);
  });
});
