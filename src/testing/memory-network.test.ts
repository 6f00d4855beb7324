import { describe, expect, it } from 'vitest';
import type { HttpExchange, StreamSink } from '../core/ports.ts';
import { utf8Length, type ReplyListener } from './memory-exchange.ts';
import { MemoryNetwork, PERFECT_NETWORK, type NetworkConditions } from './memory-network.ts';
import { SeededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

const GET = { method: 'GET', path: '/sse', headers: ['Accept', 'text/event-stream'] };

function setUp(conditions: Partial<NetworkConditions> = {}, seed = 1) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, new SeededRandom(seed), {
    ...PERFECT_NETWORK,
    ...conditions,
  });
  const heard: string[] = [];
  const listener: ReplyListener = {
    onHead: (status, headers) => heard.push(`${status} ${headers.get('content-type') ?? '-'}`),
    onText: (text) => heard.push(text),
    onEnd: () => heard.push('end'),
    onLost: () => heard.push('lost'),
  };
  return { clock, network, heard, listener };
}

function streamTo(network: MemoryNetwork, clock: VirtualClock, listener: ReplyListener) {
  let sink: StreamSink | undefined;
  let gone = 0;
  const exchange = network.send(
    {
      handle: (served) => {
        served.onClientGone(() => (gone += 1));
        sink = served.openStream(200, ['Content-Type', 'text/event-stream'], 'first', true);
      },
    },
    GET,
    listener,
  );
  clock.advance(1);
  if (sink === undefined) throw new Error('The request did not arrive.');
  return { exchange, sink, goneCount: () => gone };
}

describe('MemoryNetwork', () => {
  it('delivers status, headers and text in order, however the latency varies', () => {
    const { clock, network, heard, listener } = setUp({ latencyMs: [1, 1] });
    const { sink } = streamTo(network, clock, listener);
    network.conditions = { ...PERFECT_NETWORK, latencyMs: [1, 500] };
    for (let index = 0; index < 20; index += 1) sink.write(String(index));
    sink.end('last');
    clock.advance(1000);
    const numbers = Array.from({ length: 20 }, (_, index) => String(index));
    expect(heard).toEqual(['200 text/event-stream', 'first', ...numbers, 'last', 'end']);
    expect(network.violations).toEqual([]);
    expect(network.heldByServer()).toEqual([]);
  });

  it('opens a stream whose first bytes are empty', () => {
    const { clock, network, heard, listener } = setUp();
    const handle = (exchange: HttpExchange): void => {
      exchange.openStream(200, [], '', true).write('later');
    };
    network.send({ handle }, GET, listener);
    clock.advance(10);
    expect(heard.filter((text) => text !== '')).toEqual(['200 -', 'later']);
  });

  it('gives the server the head, the body and its bound', () => {
    const { clock, network, heard, listener } = setUp();
    const bodies: unknown[] = [];
    const handle = (exchange: HttpExchange): void => {
      expect(exchange.head.header('x-a')).toBe('1');
      expect(exchange.head.headerCount('x-a')).toBe(2);
      exchange.readBody(5, (outcome) => {
        bodies.push(outcome);
        exchange.respond(202, [], '');
      });
    };
    const request = { method: 'POST', path: '/mcp', headers: ['X-A', '1', 'x-a', '2'] };
    network.send({ handle }, { ...request, body: 'hello' }, listener);
    network.send({ handle }, { ...request, body: 'hellö' }, listener);
    clock.advance(10);
    expect(bodies).toEqual([
      { kind: 'body', text: 'hello' },
      { kind: 'refused', refusal: { error: 'BODY_TOO_LARGE' } },
    ]);
    expect(heard).toEqual(['202 -', 'end', '202 -', 'end']);
  });

  it('breaks a reply in the middle, and tells the server soon, or when its kernel finds out', () => {
    for (const halfOpenRate of [0, 1]) {
      const { clock, network, heard, listener } = setUp({
        cutRate: 1,
        cutWithinChars: 8,
        goneAfterMs: [50, 50],
        halfOpenRate,
      });
      const { sink, goneCount } = streamTo(network, clock, listener);
      sink.write('abcdefghij');
      clock.advance(10);
      expect(heard.at(-1)).toBe('lost');
      expect(heard.slice(1, -1).join('').length).toBeLessThan(9);
      expect(goneCount()).toBe(0);
      clock.advance(100);
      expect(goneCount()).toBe(1 - halfOpenRate);
      expect(network.heldByServer().length).toBe(halfOpenRate);
      clock.advance(90_000);
      expect(goneCount()).toBe(1);
    }
  });

  it('lets the queue of a reader that stopped grow, beyond what the kernel takes', () => {
    const { clock, network, heard, listener } = setUp({ kernelBytes: 10 });
    const { exchange, sink } = streamTo(network, clock, listener);
    exchange.stopReading();
    sink.write('a'.repeat(30));
    expect(sink.queuedBytes()).toBe(20);
    exchange.readSome(5);
    expect(sink.queuedBytes()).toBe(15);
    exchange.startReading();
    expect(sink.queuedBytes()).toBe(0);
    clock.advance(10);
    expect(heard.join('')).toContain('a'.repeat(30));
    exchange.stopReading();
    sink.write('b'.repeat(30));
    sink.destroy();
    clock.advance(10);
    expect([sink.queuedBytes(), heard.at(-1)]).toEqual([0, 'lost']);
  });

  it('records a write after the end, after the reader was known to be gone, and a second reply', () => {
    const { clock, network, listener } = setUp();
    const ended = streamTo(network, clock, listener);
    ended.sink.end('');
    ended.sink.write('late');
    const left = streamTo(network, clock, listener);
    left.exchange.leave();
    clock.advance(5);
    expect(left.goneCount()).toBe(1);
    left.sink.write('late');
    const twice = streamTo(network, clock, listener);
    expect(() => twice.exchange.respond(200, [], '')).toThrow('answered once');
    expect(network.violations.map((line) => line.replace(/^.*: /, ''))).toEqual([
      'write after the end of the stream',
      'write after the client was known to be gone',
      'a second reply (200)',
    ]);
  });

  it('records headers that could split a reply', () => {
    const { clock, network, listener } = setUp();
    network.send(
      { handle: (served) => served.respond(200, ['X-A', 'b\r\nX-C: d'], '') },
      GET,
      listener,
    );
    clock.advance(5);
    expect(network.violations).toHaveLength(1);
  });

  it('counts bytes as UTF-8 has them', () => {
    for (const text of ['', 'plain', 'é', '€uro', '😀', 'mixed é€😀']) {
      expect(utf8Length(text)).toBe(Buffer.byteLength(text));
    }
  });
});
