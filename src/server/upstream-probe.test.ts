import { expect, it } from 'vitest';
import type { Upstream, UpstreamEvents } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { UpstreamProbe } from './upstream-probe.ts';

interface Bench {
  readonly clock: VirtualClock;
  readonly conversations: UpstreamEvents[];
  readonly silences: number[];
  readonly failures: (string | undefined)[];
  readonly probe: UpstreamProbe;
}

/** A server that starts, and says what the test makes it say. */
function bench(): Bench {
  const clock = new VirtualClock();
  const conversations: UpstreamEvents[] = [];
  const silences: number[] = [];
  const failures: (string | undefined)[] = [];
  const upstream: Upstream = {
    kind: 'stdio',
    name: 'quiet',
    connect: (_era, events) => {
      conversations.push(events);
      return { send: () => 'sent', close: () => {} };
    },
    close: () => Promise.resolve(),
  };
  const probe = new UpstreamProbe(
    upstream,
    clock,
    60_000,
    ({ failure }) => failures.push(failure),
    undefined,
    (ms) => silences.push(ms),
  );
  return { clock, conversations, silences, failures, probe };
}

it('a server that says nothing is told of once, long before it is given up', () => {
  const { clock, silences, failures } = bench();
  clock.advance(9999);
  expect(silences).toEqual([]);
  clock.advance(1);
  expect([silences, failures]).toEqual([[10_000], []]);
  clock.advance(50_000);
  expect([silences, failures]).toEqual([[10_000], ['it did not answer']]);
  expect(clock.pending).toBe(0);
});

it('a server that answered one handshake is not silent, nor one that is not asked any more', () => {
  const answering = bench();
  answering.conversations[0]?.onMessage(Message.error('1', '{"code":-32601,"message":"no"}'));
  answering.clock.advance(20_000);
  expect(answering.silences).toEqual([]);
  answering.probe.stop();
  const stopped = bench();
  stopped.probe.stop();
  stopped.clock.advance(20_000);
  expect([stopped.silences, stopped.clock.pending]).toEqual([[], 0]);
});

it('what an error is said to mean is told, and never the words of the server', () => {
  const { clock, conversations, failures } = bench();
  const error = (id: string): Message =>
    Message.error(id, '{"code":-32600,"message":"Bearer canary is no good"}');
  conversations[0]?.onMessage(error('1'));
  conversations[1]?.onMessage(error('1').because('it asks for a credential'));
  const other = bench();
  for (const at of [0, 1]) other.conversations[at]?.onMessage(error('1'));
  expect([failures, other.failures]).toEqual([
    ['it asks for a credential'],
    ['it answered initialize with error -32600'],
  ]);
  expect(clock.pending).toBe(0);
});
