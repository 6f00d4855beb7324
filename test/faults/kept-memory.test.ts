/** What is kept of what a peer sent is what counts against its bounds, and not all that came with it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ChunkedBody } from '../../src/adapters/outbound/chunked-body.ts';
import type { Message } from '../../src/core/protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from '../../src/core/protocol/read-message.ts';
import { SseParser } from '../../src/core/protocol/sse-parser.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const MEGABYTE = 1_000_000;
/** What the machinery around may take and leave in between. */
const NOISE_BYTES = 3 * MEGABYTE;
const PADDING = 'x'.repeat(MEGABYTE);

/** Bytes of the heap that what is made holds. */
function heldBytes(make: () => unknown): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = make();
  collect();
  const after = process.memoryUsage().heapUsed;
  return kept === undefined ? 0 : after - before;
}

function messageIn(text: string): Message {
  const outcome = readMessage(text, UPSTREAM_BOUNDS);
  if (outcome.kind !== 'message') throw new Error(outcome.kind);
  return outcome.message;
}

const NAME = 'more than the few characters that are copied anyway';

describe('a message keeps nothing of what stood beside its payload', () => {
  it.each([
    ['params', `"id":1,"method":"initialize","params":{"name":"${NAME}"}`],
    ['a result', `"id":1,"result":{"name":"${NAME}"}`],
    ['an error', `"id":1,"error":{"code":1,"message":"${NAME}"}`],
    ['an id', `"id":"${NAME}","method":"ping"`],
  ])('%s', (_, members) => {
    const held = heldBytes(() =>
      Array.from({ length: 20 }, (__, i) =>
        messageIn(`{"jsonrpc":"2.0",${members},"junk":"${i}${PADDING}"}`),
      ),
    );
    expect(held).toBeLessThan(NOISE_BYTES);
  });

  it('one of a batch', () => {
    const held = heldBytes(() =>
      Array.from({ length: 20 }, (__, i) => {
        const first = `{"jsonrpc":"2.0","method":"a","params":{"name":"${NAME}"}}`;
        const second = `{"jsonrpc":"2.0","method":"b","params":{"name":"${i}${PADDING}"}}`;
        const outcome = readMessage(`[${first},${second}]`, UPSTREAM_BOUNDS);
        return outcome.kind === 'batch' ? outcome.entries[0] : undefined;
      }),
    );
    expect(held).toBeLessThan(NOISE_BYTES);
  });
});

it('a token of a message does not keep the rest of it', () => {
  const held = heldBytes(() =>
    Array.from({ length: 20 }, (_, i) => {
      const params = `{"_meta":{"progressToken":"${NAME}"},"text":"${i}${PADDING}"}`;
      const message = messageIn(
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`,
      );
      return message.token(message.spans.progressToken);
    }),
  );
  expect(held).toBeLessThan(NOISE_BYTES);
});

describe('of a stream', () => {
  it.each([
    ['one line', `data: ${NAME}\n\n`],
    ['several lines', `data: ${NAME}\ndata: ${NAME}\n\n`],
  ])('an event of %s does not keep what came with it', (_, event) => {
    const held = heldBytes(() => {
      const kept: string[] = [];
      const parser = new SseParser({ onEvent: ({ data }) => kept.push(data) });
      for (let i = 0; i < 20; i += 1) parser.push(`: ${i}${PADDING}\n\n${event}`);
      return kept;
    });
    expect(held).toBeLessThan(NOISE_BYTES);
  });

  it.each([
    ['a line in single characters', (parser: SseParser) => parser.push('x')],
    ['an event in empty lines', (parser: SseParser) => parser.push('\ndata: ')],
  ])('%s holds little more than its characters', (_, more) => {
    const held = heldBytes(() => {
      const parser = new SseParser({ onEvent() {} });
      parser.push('data: ');
      for (let i = 0; i < 500_000; i += 1) more(parser);
      return parser;
    });
    expect(held).toBeLessThan(NOISE_BYTES);
  });
});

it('the size line of a chunk in single characters holds little more than them', () => {
  const [begin, more] = [Buffer.from('1;'), Buffer.from('x')];
  const held = heldBytes(() =>
    Array.from({ length: 40 }, () => {
      const body = new ChunkedBody();
      body.read(begin, 0, () => {});
      for (let i = 0; i < 16_000; i += 1) body.read(more, 0, () => {});
      return body;
    }),
  );
  expect(held).toBeLessThan(NOISE_BYTES);
});
