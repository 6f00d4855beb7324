import { principalOf } from '../core/principal.ts';
import { expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { ErrorCode } from '../core/errors.ts';
import { Message } from '../core/protocol/message.ts';
import { Pending } from '../core/sessions/pending.ts';
import type { LegacyCallOwner, LegacyMember } from './legacy-upstream.ts';
import { LogLevels } from './log-levels.ts';
import type { CallOwner } from './upstream-call.ts';

function session(logLevel?: string): LegacyMember {
  return {
    logLevel,
    principal: principalOf({ tenant: 't', issuer: 'i', subject: 's', clientId: 'c' }),
    subscribed: new Set(),
    initializeParams: '{}',
    isListening: true,
    canAnswer: () => false,
    unrelated: () => {},
    question: () => {},
  };
}

function owner(member: LegacyMember): LegacyCallOwner {
  const nothing = { answered: () => {}, lost: () => {}, related: () => {}, closeStream: () => {} };
  return { ...nothing, member, canBeAsked: true };
}

/** What the server is asked is noted; a request of a client is marked with its id. */
function bench(members: readonly LegacyMember[], isExclusive = false) {
  const asked: string[] = [];
  const pending = new Pending<CallOwner>(10);
  const refusal: { error: ErrorCode | undefined } = { error: undefined };
  const note = (id: string, method: string, params = ''): undefined => {
    asked.push(`${id} ${method} ${params}`);
  };
  const levels = new LogLevels(
    {
      request: (asking, { id = '', method = '', payload }) => {
        note(id, method, payload);
        const { error = 'UPSTREAM_BUSY' } = refusal;
        const call = pending.begin(asking, id, method, undefined, 0);
        return call === undefined || refusal.error !== undefined ? { error } : call;
      },
      ask: (method, params) => note('ours', method, params),
      cancel: () => {},
      ports: { clock: new VirtualClock() },
    },
    new Set(members),
    isExclusive,
  );
  const set = (member: LegacyMember, level: unknown) =>
    levels.set(owner(member), Message.request('5', 'logging/setLevel', JSON.stringify({ level })));
  return { levels, asked, set, refusal };
}

it('a common server is asked for the lowest level of any, under the id of whoever set one', () => {
  const [one, other] = [session(), session('debug')];
  const { asked, set } = bench([one, other]);
  set(one, 'error');
  expect([asked, one.logLevel]).toEqual([['5 logging/setLevel {"level":"debug"}'], 'error']);
  set(other, 'warning');
  expect(asked.at(-1)).toBe('5 logging/setLevel {"level":"warning"}');
});

it('a session that is refused keeps the level that it had', () => {
  const [one, other] = [session('warning'), session()];
  const { set, refusal, levels, asked } = bench([one, other]);
  refusal.error = 'UPSTREAM_UNAVAILABLE';
  set(one, 'debug');
  set(other, 'debug');
  expect([one.logLevel, other.logLevel]).toEqual(['warning', undefined]);
  levels.restore();
  expect(asked.at(-1)).toBe('ours logging/setLevel {"level":"warning"}');
});

it('a server of its own is asked for what the session said, and so is any for what is no level', () => {
  const [one, other] = [session(), session('debug')];
  const own = bench([one, other], true);
  own.set(one, 'error');
  expect(own.asked).toEqual(['5 logging/setLevel {"level":"error"}']);
  const common = bench([one, other]);
  common.set(one, 'shouting');
  common.set(one, 7);
  expect(common.asked).toEqual([
    '5 logging/setLevel {"level":"shouting"}',
    '5 logging/setLevel {"level":7}',
  ]);
  expect(one.logLevel).toBe('error');
});

it('nobody who has left keeps a common server talking: without them it says what it usually does', () => {
  const left = session();
  const { asked, set } = bench([session('error')]);
  set(left, 'debug');
  const empty = bench([]);
  empty.set(left, 'debug');
  expect([asked, empty.asked]).toEqual([
    ['5 logging/setLevel {"level":"error"}'],
    ['5 logging/setLevel {"level":"info"}'],
  ]);
});

it('the level is asked for again only while somebody wants one', () => {
  const none = bench([session(), session()]);
  none.levels.restore();
  expect(none.asked).toEqual([]);
  const some = bench([session('error'), session(), session('info')]);
  some.levels.restore();
  expect(some.asked).toEqual(['ours logging/setLevel {"level":"info"}']);
});

it('of a common server each session is sent what is at its level or above', () => {
  const { levels } = bench([]);
  const said = (level: unknown): Message =>
    Message.notification('notifications/message', JSON.stringify({ level, data: 'x' }));
  const heard = ['debug', 'warning', 'error', 'shouting'].map((level) =>
    levels.isLoud(said(level), session('warning')),
  );
  expect(heard).toEqual([false, true, true, false]);
  expect(levels.isLoud(said('debug'), session())).toBe(true);
  expect(levels.isLoud(said('debug'), undefined)).toBe(true);
  expect(bench([], true).levels.isLoud(said('debug'), session('error'))).toBe(true);
});
