import { principalOf } from '../core/principal.ts';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { Message } from '../core/protocol/message.ts';
import { Pending } from '../core/sessions/pending.ts';
import type { LegacyCallOwner, LegacyMember } from './legacy-upstream.ts';
import { ResourceSubscriptions } from './resource-subscriptions.ts';
import type { CallOwner, UpstreamCall } from './upstream-call.ts';

interface Session extends LegacyMember {
  readonly told: Message[];
}

function session(): Session {
  const told: Message[] = [];
  return {
    told,
    principal: principalOf({ tenant: 't', issuer: 'i', subject: 's', clientId: 'c' }),
    subscribed: new Set(),
    logLevel: undefined,
    initializeParams: '{}',
    isListening: true,
    canAnswer: () => false,
    unrelated: (message) => void told.push(message),
    question: () => {},
  };
}

function owner(member: LegacyMember): LegacyCallOwner {
  const nothing = { answered: () => {}, lost: () => {}, related: () => {}, closeStream: () => {} };
  return { ...nothing, member, canBeAsked: true };
}

function about(method: string, uri: string): Message {
  return Message.request('1', method, JSON.stringify({ uri }));
}

/** Two sessions of one server, and all that the server was asked. */
function bench(hasRoom = true) {
  const [one, other] = [session(), session()];
  const asked: string[] = [];
  const pending = new Pending<CallOwner>(hasRoom ? 99 : 0);
  const members = new Set<LegacyMember>([one, other]);
  const note = (method: string, params: string | undefined): void => {
    asked.push(`${method} ${(JSON.parse(params ?? '{}') as { uri: string }).uri}`);
  };
  const subscriptions = new ResourceSubscriptions(
    {
      state: 'ready',
      request: (by, message) => {
        note(message.method ?? '', message.payload);
        const id = message.id ?? 'null';
        const call = pending.begin(by, id, message.method ?? '', undefined, 0);
        return call ?? { error: 'TOO_MANY_REQUESTS', id };
      },
      ask: (method, params) => {
        note(method, params);
        return undefined;
      },
      cancel: () => {},
      ports: { clock: new VirtualClock() },
    },
    members,
    { subscriptionsPerOwnerMax: 2, subscriptionCharsMax: 100, pendingPerOwnerMax: 9 },
  );
  const subscribe = (member: LegacyMember, uri: string) =>
    subscriptions.subscribe(owner(member), about('resources/subscribe', uri));
  const unsubscribe = (member: LegacyMember, uri: string) =>
    subscriptions.unsubscribe(owner(member), about('resources/unsubscribe', uri));
  return { one, other, members, subscriptions, asked, subscribe, unsubscribe };
}

it('what one session gives up is kept for another, and the last one gives it up at the server', () => {
  const { one, other, asked, subscribe, unsubscribe } = bench();
  expect(subscribe(one, 'file:///a')).toMatchObject({ state: 'waiting' });
  subscribe(other, 'file:///a');
  asked.length = 0;
  expect(unsubscribe(one, 'file:///a')).toEqual({ answer: '{}' });
  expect(asked).toEqual([]);
  unsubscribe(other, 'file:///a');
  expect(asked).toEqual(['resources/unsubscribe file:///a']);
});

it('updates are told to whoever subscribed the resource, or one that it is in, and to nobody else', () => {
  const { one, other, subscriptions, subscribe } = bench();
  subscribe(one, 'file:///a');
  subscribe(other, 'file:///b');
  const updated = about('notifications/resources/updated', 'file:///a/deep');
  subscriptions.updated(updated);
  expect([one.told, other.told]).toEqual([[updated], []]);
});

it('a session subscribes as many resources as it may, and one that was refused is none', () => {
  const { one, asked, subscribe } = bench();
  subscribe(one, 'file:///a');
  subscribe(one, 'file:///b');
  asked.length = 0;
  expect(subscribe(one, 'file:///c')).toEqual({
    error: 'TOO_MANY_REQUESTS',
    id: '1',
    detail: 'Too many subscriptions.',
  });
  expect([asked, [...one.subscribed]]).toEqual([[], ['file:///a', 'file:///b']]);
  // It has that already.
  expect(subscribe(one, 'file:///a')).toMatchObject({ state: 'waiting' });
  const full = bench(false);
  full.subscribe(full.one, 'file:///a');
  expect(full.one.subscribed.size).toBe(0);
});

it('a session subscribes resources of no more characters than it may', () => {
  const { one, subscribe } = bench();
  expect(subscribe(one, `file:///${'a'.repeat(42)}`)).toMatchObject({ state: 'waiting' });
  const refusal = { error: 'TOO_MANY_REQUESTS', detail: 'Too many subscriptions.' };
  expect(subscribe(one, `file:///${'b'.repeat(43)}`)).toMatchObject(refusal);
  expect(one.subscribed.size).toBe(1);
  expect(subscribe(one, `file:///${'b'.repeat(42)}`)).toMatchObject({ state: 'waiting' });
});

it('of a session that left, what nobody else has subscribed is given up', () => {
  const { one, other, members, subscriptions, asked, subscribe } = bench();
  subscribe(one, 'file:///a');
  subscribe(one, 'file:///b');
  subscribe(other, 'file:///b');
  asked.length = 0;
  members.delete(one);
  subscriptions.takeBack(one);
  expect(asked).toEqual(['resources/unsubscribe file:///a']);
});

it('after a restart each resource is subscribed once, however many have it', () => {
  const { one, other, subscriptions, asked, subscribe } = bench();
  subscribe(one, 'file:///a');
  subscribe(other, 'file:///a');
  subscribe(other, 'file:///b');
  asked.length = 0;
  subscriptions.restore();
  expect(asked).toEqual(['resources/subscribe file:///a', 'resources/subscribe file:///b']);
});

describe('a subscription', () => {
  const GRANTED = Message.result('1', '{}');
  const REFUSED = Message.error('1', '{"code":-32602,"message":"no"}');
  const A = 'file:///a';

  it('that the server refuses is none: it is kept by nobody, and asked for by no restart', () => {
    const { one, other, subscriptions, asked, subscribe, unsubscribe } = bench();
    const refused = subscribe(one, A) as UpstreamCall;
    const granted = subscribe(other, A) as UpstreamCall;
    subscriptions.ended(granted, GRANTED);
    subscriptions.ended(refused, REFUSED);
    subscriptions.updated(about('notifications/resources/updated', A));
    expect([one.told.length, other.told.length]).toEqual([0, 1]);
    asked.length = 0;
    unsubscribe(other, A);
    subscriptions.restore();
    expect(asked).toEqual(['resources/unsubscribe file:///a']);
  });

  it('that the server says nothing of is given up there, unless another session has it', () => {
    const { one, other, subscriptions, asked, subscribe } = bench();
    const first = subscribe(one, A) as UpstreamCall;
    const second = subscribe(other, A) as UpstreamCall;
    asked.length = 0;
    subscriptions.ended(first, undefined);
    expect([asked, one.subscribed.size]).toEqual([[], 0]);
    subscriptions.ended(second, undefined);
    expect([asked, other.subscribed.size]).toEqual([['resources/unsubscribe file:///a'], 0]);
  });

  it('is what its newest request came to, and a granted one is not lost by being asked for again', () => {
    const { one, subscriptions, subscribe, unsubscribe } = bench();
    const first = subscribe(one, A) as UpstreamCall;
    unsubscribe(one, A);
    const second = subscribe(one, A) as UpstreamCall;
    subscriptions.ended(first, REFUSED);
    expect([...one.subscribed]).toEqual([A]);
    subscriptions.ended(second, GRANTED);
    subscriptions.ended(subscribe(one, A) as UpstreamCall, REFUSED);
    expect([...one.subscribed]).toEqual([A]);
  });

  it('of nobody’s, such as one of ours, is nothing to anybody', () => {
    const { one, subscriptions, subscribe } = bench();
    subscribe(one, A);
    const ours = { owner: {} } as UpstreamCall;
    subscriptions.ended(ours, REFUSED);
    expect([...one.subscribed]).toEqual([A]);
  });
});
