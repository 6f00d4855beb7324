import { expect, it } from 'vitest';
import type { LogFields, Upstream, UpstreamEvents } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import { Message } from '../../core/protocol/message.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { guardedUpstream } from './guarded-upstream.ts';

const ADA = principalOf({ tenant: 't', issuer: 'i', subject: 'ada', clientId: '' });
const PING = Message.request('1', 'ping');

interface Guarded {
  readonly upstream: Upstream;
  readonly clock: VirtualClock;
  readonly details: unknown[];
  readonly closed: unknown[];
  readonly events: UpstreamEvents;
}

function guardedOf(upstream: object): Guarded {
  const details: unknown[] = [];
  const closed: unknown[] = [];
  const telemetry = {
    log: (_level: string, _event: string, fields: LogFields) => void details.push(fields['detail']),
    count() {},
  };
  const clock = new VirtualClock();
  const given = { kind: 'stdio', name: 'theirs', ...upstream } as Upstream;
  const events: UpstreamEvents = {
    onMessage() {},
    onOversized() {},
    onCloseStream() {},
    onClosed: (...all) => void closed.push(all),
  };
  return { upstream: guardedUpstream(given, { telemetry, clock }), clock, details, closed, events };
}

const fail = (): never => {
  throw new Error('broken');
};

it('is asked as it is, and what it connects is used as it is', async () => {
  const told: unknown[] = [];
  const { upstream, events, details } = guardedOf({
    connect: (...all: unknown[]) => {
      told.push(all);
      const send = (message: unknown): string => (told.push(message), 'full');
      return { send, close: () => void told.push('end'), canTell: false };
    },
    close: async () => void told.push('close'),
  });
  expect([upstream.kind, upstream.name]).toEqual(['stdio', 'theirs']);
  const connection = upstream.connect('legacy', events, ADA, 't');
  expect([connection.send(PING), connection.canTell]).toEqual(['full', false]);
  connection.close();
  await upstream.close();
  expect(told).toEqual([['legacy', events, ADA, 't'], PING, 'end', 'close']);
  expect(details).toEqual([]);
});

it.each([
  ['throws', fail, 'connect() threw'],
  ['rejects', async () => fail(), 'connect() returned no connection'],
  ['says nothing', () => {}, 'connect() returned no connection'],
  ['cannot be sent anything', () => ({ close() {} }), 'connect() returned no connection'],
  ['cannot be closed', () => ({ send() {} }), 'connect() returned no connection'],
])('cannot be started where connecting %s', (_, connect, detail) => {
  const { upstream, events, clock, closed, details } = guardedOf({ connect });
  const connection = upstream.connect('modern', events);
  expect([connection.send(PING), closed]).toEqual(['closed', []]);
  connection.close();
  clock.advance(0);
  expect(closed).toEqual([['start-failed', 'connect() failed']]);
  expect(details).toEqual([detail]);
});

it('fails for nobody where a conversation or its end does', async () => {
  const { upstream, events, details } = guardedOf({
    connect: () => ({ send: fail, close: fail }),
    close: async () => fail(),
  });
  const connection = upstream.connect('legacy', events);
  expect(connection.send(PING)).toBe('closed');
  connection.close();
  await upstream.close();
  expect(details).toEqual(['send() threw', 'close() threw', 'close() failed']);
});

it('is not waited for longer than a minute where its end never comes, and says so', async () => {
  const { upstream, clock, details } = guardedOf({ close: () => new Promise(() => {}) });
  const closing = upstream.close();
  clock.advance(59_999);
  expect(details).toEqual([]);
  clock.advance(1);
  await closing;
  expect(details).toEqual(['close() did not end in time']);
  expect(clock.pending).toBe(0);
});

it.each([
  ['at once', async () => {}],
  ['with what is no promise', () => 'closed'],
  ['with a failure', async () => fail()],
])('leaves no timer where it ends %s', async (_, close) => {
  const { upstream, clock } = guardedOf({ close });
  await upstream.close();
  expect(clock.pending).toBe(0);
});
