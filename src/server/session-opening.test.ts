import { expect, it } from 'vitest';
import type { AuditTrail } from '../core/access.ts';
import type { Refusal } from '../core/errors.ts';
import { BARE_GRANT, type Grant } from '../core/grant.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { principalOf } from '../core/principal.ts';
import { Message } from '../core/protocol/message.ts';
import { LegacyPost, type PostingSession } from './legacy-post.ts';
import type { LegacyUpstream } from './legacy-upstream.ts';
import { SessionOpening } from './session-opening.ts';
import { Warrant } from './warrant.ts';

const CALL = Message.request('7', 'tools/list', '{}');
const INITIALIZE = Message.request(
  '1',
  'initialize',
  '{"protocolVersion":"2025-06-18","capabilities":{"sampling":{}}}',
);
const CHANGED = Message.notification('notifications/tools/list_changed');
const SOMEBODY: Grant = { ...BARE_GRANT };
const PRINCIPAL = principalOf({ tenant: 't', issuer: 'i', subject: 's', clientId: 'c' });
const REQUEST = { principal: PRINCIPAL, server: 'files', era: '2024', address: '::1' } as const;

interface Bench {
  readonly opening: SessionOpening;
  /** All that happened, in order. */
  readonly told: string[];
  readonly answers: ((answer: string | Refusal) => void)[];
  readonly post: (grant?: Grant) => LegacyPost;
}

/** A session that notes what its opening makes it do. */
function bench(
  isExclusive: boolean,
  era: '2024' | '2025' = '2024',
  max = 9,
  initializeParams?: string,
): Bench {
  const told: string[] = [];
  const answers: Bench['answers'] = [];
  const instance: LegacyUpstream = {
    isExclusive,
    conversation: undefined,
    join: () => {},
    leave: () => {},
    request: () => ({ answer: '{}' }),
    cancel: () => {},
    initialize: (requested, done) => {
      told.push(`asked for ${String(requested)}`);
      answers.push(done);
    },
    initialized: () => {},
    notify: ({ method }) => void told.push(`notify ${method}`),
    answer: () => {},
    changeNotices: () => [CHANGED],
  };
  const session: PostingSession = {
    principal: principalOf({ tenant: 't', issuer: 'i', subject: 's', clientId: 'c' }),
    subscribed: new Set(),
    logLevel: undefined,
    initializeParams,
    isListening: true,
    canAnswer: () => false,
    unrelated: ({ method }) => void told.push(`unrelated ${method}`),
    question: () => {},
    answered: () => {},
    lost: () => {},
    related: () => {},
    closeStream: () => {},
    decide: () => {},
  };
  const opening = new SessionOpening(
    {
      session,
      request: (_, { id, method }) => void told.push(`request ${id} ${method}`),
      refuse: (_, { error, id }) => void told.push(`refuse ${id} ${error}`),
      opened: (_, id, result) => void told.push(`opened ${id} ${result}`),
      end: (reason) => void told.push(`end ${reason}`),
    },
    { era, instance, limits: { ...DEFAULT_LIMITS, pendingPerOwnerMax: max } },
  );
  const post = (grant = SOMEBODY): LegacyPost => new LegacyPost(session, undefined, grant);
  return { opening, told, answers, post };
}

it('requests of a client that skipped the handshake wait for one of ours, in their order', () => {
  const { opening, told, post } = bench(true);
  expect([opening.isAssuming(CALL), opening.isAssuming(INITIALIZE)]).toEqual([true, false]);
  opening.assume(post(), CALL);
  opening.assume(post(), Message.request('8', 'ping'));
  expect([told, opening.isAssuming(INITIALIZE)]).toEqual([['request 0 initialize'], true]);
  told.length = 0;
  opening.release();
  expect(told).toEqual([
    'notify notifications/initialized',
    'unrelated notifications/tools/list_changed',
    'request 7 tools/list',
    'request 8 ping',
  ]);
  expect(opening.isAssuming(INITIALIZE)).toBe(false);
});

it('whoever waits for the handshake goes on behind it, once, in their order, and bounded', () => {
  const { opening, told, post } = bench(true, '2024', 2);
  const places = [1, 2, 3].map((each) => opening.whenOpen(() => told.push(`then ${each}`)));
  expect([places, told]).toEqual([[true, true, false], ['request 0 initialize']]);
  opening.assume(post(), CALL);
  told.length = 0;
  opening.release();
  opening.resume();
  expect(told).toEqual([
    'notify notifications/initialized',
    'unrelated notifications/tools/list_changed',
    'request 7 tools/list',
    'then 1',
    'then 2',
  ]);
});

it('nobody waits for a handshake that is over, and all go on with a session that ended before', () => {
  const open = bench(true);
  open.opening.release();
  expect(open.opening.whenOpen(() => open.told.push('never'))).toBe(false);
  const ended = bench(true);
  ended.opening.assume(ended.post(), CALL);
  ended.opening.whenOpen(() => ended.told.push('then'));
  ended.opening.end({ error: 'SESSION_ENDED' });
  expect(ended.told).toEqual(['request 0 initialize', 'refuse 7 SESSION_ENDED']);
  ended.opening.resume();
  expect(ended.told.at(-1)).toBe('then');
  expect([open.told, ended.opening.whenOpen(() => {})]).toEqual([[], false]);
});

it('a handshake of the client itself is no other, for those who wait for it', () => {
  const { opening, told } = bench(true, '2025', 9, '{}');
  expect([opening.whenOpen(() => told.push('then')), told]).toEqual([true, []]);
  opening.release();
  expect(told).toEqual(['then']);
});

it('only clients of 2024 may skip it, and a ping of theirs needs none', () => {
  expect(bench(true, '2024', 9, '{}').opening.isAssuming(CALL)).toBe(false);
  expect(bench(true, '2025').opening.isAssuming(CALL)).toBe(false);
  expect(bench(true).opening.isAssuming(Message.request('8', 'ping'))).toBe(false);
});

it('as many wait as may be in flight, and one that is cancelled goes nowhere', () => {
  const { opening, told, post } = bench(true, '2024', 1);
  opening.assume(post(), CALL);
  opening.assume(post(), Message.request('8', 'ping'));
  expect(told).toEqual(['request 0 initialize', 'refuse 8 TOO_MANY_REQUESTS']);
  opening.cancel('7');
  told.length = 0;
  opening.release();
  expect(told.filter((each) => each.startsWith('request'))).toEqual([]);
});

it('one that is cancelled while it waits is over on the record, and whatever else is not', () => {
  const { opening, told, post } = bench(true);
  opening.cancel('7');
  const recorded = (id: string): LegacyPost => {
    const record: AuditTrail = {
      fault: () => undefined,
      record: ({ outcome }) => void told.push(`recorded ${id} ${outcome}`),
    };
    const { member } = post();
    const warrant = Warrant.issue(
      { audit: record },
      { ...REQUEST, grant: SOMEBODY, message: CALL },
    );
    if (!(warrant instanceof Warrant)) throw new Error('It is allowed.');
    return new LegacyPost(member, undefined, SOMEBODY, warrant);
  };
  opening.assume(recorded('7'), CALL);
  opening.assume(recorded('8'), Message.request('8', 'ping'));
  told.length = 0;
  opening.cancel('7');
  opening.cancel('7');
  expect(told).toEqual(['recorded 7 cancelled']);
});

it('what the server says before is told once the session is open, and before what waited', () => {
  const { opening, told } = bench(true);
  opening.hold(CHANGED);
  opening.release();
  opening.release();
  expect(told).toEqual(['unrelated notifications/tools/list_changed']);
});

it('a handshake goes to a server of its own, and is remembered for what the client may be asked', () => {
  const { opening, told, post } = bench(true);
  expect(opening.canAnswer('sampling/createMessage')).toBe(false);
  expect([opening.initialize(post(), INITIALIZE), told]).toEqual([true, []]);
  expect(opening.canAnswer('sampling/createMessage')).toBe(true);
  expect(opening.canAnswer('elicitation/create')).toBe(false);
});

it('a client that declares nothing may be asked nothing', () => {
  const { opening, post } = bench(true);
  for (const params of [undefined, '{}']) {
    expect(opening.initialize(post(), Message.request('1', 'initialize', params))).toBe(true);
    expect(opening.canAnswer('sampling/createMessage')).toBe(false);
  }
});

it('at a common server it is answered from ours, or refused and the session ended', () => {
  const good = bench(false);
  expect(good.opening.initialize(good.post(), INITIALIZE)).toBe(false);
  good.answers[0]?.('{"capabilities":{}}');
  expect(good.told).toEqual(['asked for 2025-06-18', 'opened 1 {"capabilities":{}}']);
  const bad = bench(false);
  bad.opening.initialize(bad.post(), INITIALIZE);
  bad.answers[0]?.({ error: 'UPSTREAM_UNAVAILABLE' });
  expect(bad.told.slice(1)).toEqual(['refuse 1 UPSTREAM_UNAVAILABLE', 'end upstream-gone']);
});

it('of a session that ends meanwhile everything that waits is refused once', () => {
  const { opening, told, answers, post } = bench(false);
  opening.initialize(post(), INITIALIZE);
  opening.assume(post(), CALL);
  told.length = 0;
  opening.end({ error: 'SESSION_ENDED' });
  answers[0]?.('{}');
  expect(told).toEqual(['refuse 7 SESSION_ENDED', 'refuse 1 SESSION_ENDED']);
});

it('a handshake that was answered is answered no second time, by the end or by its server', () => {
  const { opening, told, answers, post } = bench(false);
  opening.initialize(post(), INITIALIZE);
  answers[0]?.('{}');
  answers[0]?.({ error: 'UPSTREAM_UNAVAILABLE' });
  opening.end({ error: 'SESSION_ENDED' });
  expect(told.slice(1)).toEqual(['opened 1 {}']);
});

it('where nothing waits, nothing is refused with what is revoked or over', () => {
  const { opening, told } = bench(false);
  expect(opening.revoke(() => true, { error: 'CREDENTIAL_EXPIRED' })).toBe(false);
  opening.end({ error: 'SESSION_ENDED' });
  expect(told).toEqual([]);
});

it('what waits with a credential that is revoked is refused, and nothing else', () => {
  const { opening, told, post } = bench(false);
  const revoked: Grant = { ...BARE_GRANT };
  const refusal: Refusal = { error: 'CREDENTIAL_EXPIRED' };
  const isRevoked = (grant: Grant): boolean => grant === revoked;
  opening.assume(post(revoked), CALL);
  opening.assume(post(), Message.request('8', 'ping'));
  opening.initialize(post(), INITIALIZE);
  told.length = 0;
  expect([opening.revoke(isRevoked, refusal), told]).toEqual([
    false,
    ['refuse 7 CREDENTIAL_EXPIRED'],
  ]);
  opening.initialize(post(revoked), INITIALIZE);
  expect(opening.revoke(isRevoked, refusal)).toBe(true);
});
