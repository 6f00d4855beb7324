import { expect, it } from 'vitest';
import type { Outbound, OutboundEnd, OutboundRequest } from '../../core/outbound.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { AskedHeaders } from './asked-headers.ts';

const REQUEST: OutboundRequest = {
  method: 'POST',
  url: 'https://mcp.example.com/mcp',
  headers: ['Accept', 'application/json'],
  isRepeatable: false,
};

class Bench {
  readonly clock = new VirtualClock();
  readonly sent: (readonly string[])[] = [];
  readonly ends: OutboundEnd[] = [];
  aborted = 0;
  readonly asked: AskedHeaders;

  constructor(ask: ConstructorParameters<typeof AskedHeaders>[1]) {
    const inner: Outbound = {
      send: ({ headers }) => {
        this.sent.push(headers);
        return () => {
          this.aborted += 1;
        };
      },
      close: () => Promise.resolve(),
    };
    this.asked = new AskedHeaders(inner, ask, this.clock);
  }

  send(): () => void {
    return this.asked.send(REQUEST, {
      onSent: () => {},
      onHead: () => {},
      onBytes: () => {},
      onEnd: (end) => this.ends.push(end),
    });
  }
}

/** Until every promise that could be settled is. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

it('each request goes out with what the application says then', async () => {
  let count = 0;
  const bench = new Bench(async () => {
    count += 1;
    return { Authorization: `Bearer ${count}` };
  });
  bench.send();
  await settled();
  const abort = bench.send();
  await settled();
  abort();
  expect(bench.sent.map((headers) => headers.slice(0, 2))).toEqual([
    ['Authorization', 'Bearer 1'],
    ['Authorization', 'Bearer 2'],
  ]);
  expect(bench.sent[0]?.slice(2)).toEqual(REQUEST.headers);
  expect([bench.aborted, bench.clock.pending, bench.ends]).toEqual([1, 0, []]);
});

it.each([
  [() => Promise.reject(new Error('s3cret')), 'its function failed'],
  [() => ({ 'Mcp-Session-Id': 's3cret' }), 'The header Mcp-Session-Id is set by the protocol.'],
  [() => undefined as never, 'its function gave none'],
])(
  'a request whose headers cannot be had is not sent, and its caller is told: %#',
  async (ask, why) => {
    const bench = new Bench(ask);
    bench.send();
    expect(bench.ends).toEqual([]);
    await settled();
    const detail = `the headers of the application are not known: ${why}`;
    expect(bench.ends).toEqual([{ kind: 'unsent', detail, hint: detail }]);
    expect([bench.sent, bench.clock.pending]).toEqual([[], 0]);
  },
);

it('an application that never answers is waited for ten seconds, and not heard any more', async () => {
  let answer = (_headers: Record<string, string>): void => {};
  const bench = new Bench(() => new Promise((resolve) => (answer = resolve)));
  bench.send();
  bench.clock.advance(9999);
  expect(bench.ends).toEqual([]);
  bench.clock.advance(1);
  expect(bench.ends).toMatchObject([{ kind: 'unsent' }]);
  answer({});
  await settled();
  expect([bench.sent, bench.ends.length]).toEqual([[], 1]);
});

it('a request that is given up while it waits is never sent', async () => {
  const bench = new Bench(() => ({}));
  bench.send()();
  bench.send();
  await bench.asked.close();
  await settled();
  expect([bench.sent, bench.ends, bench.clock.pending]).toEqual([[], [], 0]);
});
