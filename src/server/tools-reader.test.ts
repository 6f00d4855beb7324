import { expect, it } from 'vitest';
import type { UpstreamConnection, UpstreamEra } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import { ToolsReader } from './tools-reader.ts';

interface Bench {
  readonly sent: Message[];
  readonly found: (readonly unknown[])[];
  readonly reader: ToolsReader;
  readonly answer: (id: number, result: object) => void;
}

/** A conversation whose handshake was answered. */
function bench(era: UpstreamEra = 'legacy'): Bench {
  const sent: Message[] = [];
  const found: (readonly unknown[])[] = [];
  const connection = { send: (message: Message) => (sent.push(message), 'sent') };
  const reader = new ToolsReader(era, connection as unknown as UpstreamConnection, (tools) =>
    found.push(tools),
  );
  reader.start(Message.result('1', '{"capabilities":{"tools":{}}}'));
  const answer = (id: number, result: object): void =>
    reader.received(Message.result(`${id}`, JSON.stringify(result)));
  return { sent, found, reader, answer };
}

it('a hundred pages are read, each under an id of its own', () => {
  const { sent, found, answer } = bench();
  for (let page = 1; page <= 100; page += 1) {
    answer(page, { tools: ['stray'] });
    answer(page + 1, { tools: [page], nextCursor: 'n' });
  }
  expect(sent.map(({ id }) => id)).toEqual([
    undefined,
    ...Array.from(Array(100), (_, i) => `${i + 2}`),
  ]);
  expect(found).toEqual([Array.from(Array(100), (_, i) => i + 1)]);
});

it('a page that is refused ends it with what was found', () => {
  const { found, reader, answer } = bench('modern');
  answer(2, { tools: ['a'], nextCursor: 'n' });
  reader.received(Message.error('3', '{"code":-32603,"message":"m"}'));
  answer(3, { tools: ['b'] });
  expect(found).toEqual([['a']]);
});

it('a page may hold as many as a message does', () => {
  const { found, answer } = bench();
  answer(2, { tools: Array.from({ length: 300_000 }, () => 7) });
  expect(found[0]).toHaveLength(300_000);
});
