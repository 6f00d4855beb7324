import { describe, expect, it } from 'vitest';
import type { Access, AccessRequest } from '../../core/access.ts';
import { BARE_GRANT } from '../../core/grant.ts';
import type { LogFields } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import { Message } from '../../core/protocol/message.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { GuardedAccess } from './guarded-access.ts';

const REQUEST: AccessRequest = {
  principal: principalOf({ tenant: 't', issuer: 'i', subject: 'ada', clientId: '' }),
  grant: BARE_GRANT,
  server: 's',
  era: '2026',
  address: '192.0.2.1',
  message: Message.request('1', 'tools/list'),
};
const ANSWER = Message.result('7', '{"tools":[]}');
const ALLOWED = { refusal: undefined, policies: ['allowed'] };
const FORBIDDEN = { refusal: { error: 'FORBIDDEN' }, policies: [] };
const DENIED = { refusal: { error: 'INTERNAL' }, policies: [] };

function guardedOf(access: object): [GuardedAccess, unknown[]] {
  const details: unknown[] = [];
  const telemetry = {
    log: (_level: string, _event: string, fields: LogFields) => void details.push(fields['detail']),
    count() {},
  };
  const clock = new VirtualClock();
  return [GuardedAccess.of(access as Access, { telemetry, clock }), details];
}

const fail = (): never => {
  throw new Error('broken');
};
const reject = async (): Promise<never> => fail();

async function afterAll(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe.each(['decide', 'foregone'] as const)('%s of policies that somebody else wrote', (ask) => {
  it.each([ALLOWED, FORBIDDEN])('is as they say: %o', (verdict) => {
    const asked: unknown[] = [];
    const [access, details] = guardedOf({
      [ask]: (request: unknown) => {
        asked.push(request);
        return verdict;
      },
    });
    expect(access[ask](REQUEST)).toBe(verdict);
    expect([asked, details]).toEqual([[REQUEST], []]);
  });

  it.each([
    ['throw', fail, 'threw'],
    ['reject', reject, 'returned a verdict without policies'],
    ['resolve', async () => ALLOWED, 'returned a verdict without policies'],
    ['say null', () => null, 'returned a verdict without policies'],
    ['say garbage', () => ({ allowed: true }), 'returned a verdict without policies'],
    ['say no', () => ({ refusal: 'no', policies: [] }), 'returned an unknown refusal'],
    ['name one by number', () => ({ policies: [7] }), 'returned a verdict without policies'],
  ])('allows nothing where they %s', async (_, answer, how) => {
    const [access, details] = guardedOf({ [ask]: answer });
    expect(access[ask](REQUEST)).toEqual(DENIED);
    await afterAll();
    expect(details).toEqual([`${ask}() ${how}`]);
  });
});

it('allows nothing where they say nothing, but for what they need not say', () => {
  const [access] = guardedOf({ decide() {}, foregone() {} });
  expect(access.decide(REQUEST)).toEqual(DENIED);
  expect(access.foregone(REQUEST)).toBeUndefined();
  expect(guardedOf({})[0].foregone(REQUEST)).toBeUndefined();
});

describe('an answer that is filtered by policies that somebody else wrote', () => {
  it('is what they make of it', () => {
    const [access, details] = guardedOf({ filter: (_request: unknown, answer: unknown) => answer });
    expect(access.filter(REQUEST, ANSWER)).toBe(ANSWER);
    expect(details).toEqual([]);
  });

  it.each([
    ['throw', fail, 'threw'],
    ['reject', reject, 'returned no message'],
    ['say nothing', () => {}, 'returned no message'],
    ['say garbage', () => ({ kind: 'response' }), 'returned no message'],
  ])('is not shown where they %s', async (_, filter, how) => {
    const [access, details] = guardedOf({ filter });
    const shown = access.filter(REQUEST, ANSWER).toText();
    const error = { code: -32603, message: 'Internal error.' };
    expect(JSON.parse(shown)).toEqual({ jsonrpc: '2.0', id: 7, error });
    await afterAll();
    expect(details).toEqual([`filter() ${how}`]);
  });
});

describe('policies that somebody else wrote', () => {
  it('are idle only where they say so', () => {
    expect(guardedOf({ isIdle: true })[0].isIdle).toBe(true);
    for (const isIdle of [undefined, false, 'yes']) {
      expect(guardedOf({ isIdle })[0].isIdle).toBe(false);
    }
    const [failing, details] = guardedOf({
      get isIdle() {
        return fail();
      },
    });
    expect(failing.isIdle).toBe(false);
    expect(details).toEqual(['isIdle threw']);
  });

  it('learn of tools where they want to', () => {
    const told: unknown[] = [];
    const facts = new Map();
    const note =
      (name: string) =>
      (...all: unknown[]): unknown => {
        told.push([name, ...all]);
        return facts;
      };
    const names = ['learn', 'relearn', 'factsOf', 'forget'];
    const [access, details] = guardedOf(
      Object.fromEntries(names.map((each) => [each, note(each)])),
    );
    access.learn?.('s', []);
    access.relearn('s', 't', []);
    expect(access.factsOf('s', [])).toBe(facts);
    access.forget('s', undefined);
    expect(told).toEqual([
      ['learn', 's', []],
      ['relearn', 's', 't', []],
      ['factsOf', 's', []],
      ['forget', 's', undefined],
    ]);
    expect(details).toEqual([]);
  });

  it('need not learn of any', () => {
    const [access, details] = guardedOf({});
    expect(access.learn).toBeUndefined();
    expect(access.factsOf('s', [])).toBeUndefined();
    access.relearn('s', undefined, []);
    access.forget('s', undefined);
    expect(details).toEqual([]);
  });

  it.each([
    ['throws', fail],
    ['rejects', reject],
  ])('know nothing of tools where that %s', async (how, learn) => {
    const names = ['learn', 'relearn', 'factsOf', 'forget'];
    const [access, details] = guardedOf(Object.fromEntries(names.map((each) => [each, learn])));
    access.learn?.('s', []);
    access.relearn('s', 't', []);
    const facts = access.factsOf('s', []);
    access.forget('s', undefined);
    await afterAll();
    if (how === 'throws') expect(facts?.size).toBe(0);
    const verb = how === 'throws' ? 'threw' : 'rejected';
    expect(details).toEqual(names.map((each) => `${each}() ${verb}`));
    const [unreadable] = guardedOf({
      get learn() {
        return fail();
      },
    });
    expect(unreadable.learn).toBeUndefined();
  });

  it('are guarded once, however many share them', () => {
    const [access] = guardedOf({});
    const sight = { telemetry: { log() {}, count() {} }, clock: new VirtualClock() };
    expect(GuardedAccess.of(access, sight)).toBe(access);
  });
});
