import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../core/errors.ts';
import type { Gate, Visitor } from '../../core/gate.ts';
import type { LogFields } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { GuardedGate } from './guarded-gate.ts';

const ADA = principalOf({ tenant: 't', issuer: 'i', subject: 'ada', clientId: '' });
const VISITOR: Visitor = { address: '192.0.2.1', principal: ADA, server: 's' };
const FAILED: Refusal = { error: 'INTERNAL' };
const FULL: Refusal = { error: 'TOO_MANY_SESSIONS', headers: ['Retry-After', '3'] };

type Done = (refusal?: unknown) => void;

interface Guarded {
  readonly gate: GuardedGate;
  readonly clock: VirtualClock;
  readonly details: unknown[];
}

function guardedOf(gate: object): Guarded {
  const details: unknown[] = [];
  const telemetry = {
    log: (_level: string, _event: string, fields: LogFields) => void details.push(fields['detail']),
    count() {},
  };
  const clock = new VirtualClock();
  return { gate: GuardedGate.of(gate as Gate, { telemetry, clock }), clock, details };
}

const fail = (): never => {
  throw new Error('broken');
};
const reject = async (): Promise<never> => fail();

async function afterAll(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const QUESTIONS = ['arrive', 'enter', 'open'] as const;

/** What came of the question, once everything that was left behind has run. */
async function asked(
  method: (typeof QUESTIONS)[number],
  answer: (...given: readonly unknown[]) => unknown,
): Promise<{ answers: unknown[]; details: unknown[] }> {
  const { gate, details } = guardedOf({ [method]: answer });
  const answers: unknown[] = [];
  const done = (refusal: Refusal | undefined): void => void answers.push(refusal);
  if (method === 'arrive') gate.arrive('192.0.2.1', done);
  else gate[method](VISITOR, done);
  await afterAll();
  return { answers, details };
}

const saying =
  (refusal: unknown) =>
  (_whom: unknown, done: unknown): void =>
    (done as Done)(refusal);

describe.each(QUESTIONS)('%s of a gate that somebody else wrote', (method) => {
  it('is answered as it says', async () => {
    expect(await asked(method, saying(undefined))).toEqual({ answers: [undefined], details: [] });
    expect(await asked(method, saying(FULL))).toEqual({ answers: [FULL], details: [] });
    const later = (_whom: unknown, done: unknown): void => {
      queueMicrotask(() => (done as Done)(FULL));
    };
    expect(await asked(method, later)).toEqual({ answers: [FULL], details: [] });
  });

  it.each([
    ['throws', fail, 'threw'],
    ['rejects', reject, 'rejected'],
    ['says null', saying(null), 'said an unknown refusal'],
    ['says garbage', saying({ nonsense: 1 }), 'said an unknown refusal'],
    ['returns its refusal', () => FULL, 'returned its answer; give it to done()'],
    ['resolves to it', async () => FULL, 'returned its answer; give it to done()'],
    [
      'says what cannot be read',
      saying({
        get error() {
          return fail();
        },
      }),
      'said what cannot be read',
    ],
  ])('lets nobody in where it %s', async (_, answer, how) => {
    expect(await asked(method, answer)).toEqual({
      answers: [FAILED],
      details: [`${method}() ${how}`],
    });
  });

  it('is heard once, whatever it does then', async () => {
    const throwing = (whom: unknown, done: unknown): never => {
      saying(undefined)(whom, done);
      return fail();
    };
    const threw = { answers: [undefined], details: [`${method}() threw`] };
    expect(await asked(method, throwing)).toEqual(threw);
    const twice = (whom: unknown, done: unknown): void => {
      saying(undefined)(whom, done);
      saying(FULL)(whom, done);
    };
    expect(await asked(method, twice)).toEqual({ answers: [undefined], details: [] });
  });

  it('is answered for where it says nothing in time', () => {
    const { gate, clock, details } = guardedOf({ [method]: () => {} });
    const answers: unknown[] = [];
    const done = (refusal: Refusal | undefined): void => void answers.push(refusal);
    if (method === 'arrive') gate.arrive('192.0.2.1', done);
    else gate[method](VISITOR, done);
    clock.advance(29_999);
    expect(answers).toEqual([]);
    clock.advance(1);
    expect([answers, details]).toEqual([[FAILED], [`${method}() did not answer in time`]]);
  });
});

describe.each(['take', 'full'] as const)('%s of a gate that somebody else wrote', (method) => {
  it.each([undefined, FULL])('is what it says: %o', (said) => {
    const { gate, details } = guardedOf({ [method]: () => said });
    expect(gate[method](VISITOR, 'session')).toBe(said);
    expect(details).toEqual([]);
  });

  it.each([
    ['throws', fail, 'threw'],
    ['returns null', () => null, 'returned an unknown refusal'],
    ['returns garbage', () => true, 'returned an unknown refusal'],
  ])('refuses where it %s', (_, take, how) => {
    const { gate, details } = guardedOf({ [method]: take });
    expect(gate[method](VISITOR, 'session')).toEqual(FAILED);
    expect(details).toEqual([`${method}() ${how}`]);
  });

  it('refuses where it has no answer yet', async () => {
    const { gate, details } = guardedOf({ [method]: reject });
    expect(gate[method](VISITOR, 'session')).toEqual(FAILED);
    await afterAll();
    expect(details).toEqual([`${method}() returned an unknown refusal`, `${method}() rejected`]);
  });
});

describe('places of a gate that somebody else wrote', () => {
  it.each([true, false])('are there as it says: %s', (has) => {
    const { gate, details } = guardedOf({ hasPlace: () => has });
    expect(gate.hasPlace(VISITOR, 'instance')).toBe(has);
    expect(details).toEqual([]);
  });

  it.each([
    ['throws', fail, 'threw'],
    ['rejects', reject, 'returned neither true nor false'],
    ['says nothing', () => {}, 'returned neither true nor false'],
  ])('are not there where it %s', async (_, hasPlace, how) => {
    const { gate, details } = guardedOf({ hasPlace });
    expect(gate.hasPlace(VISITOR, 'instance')).toBe(false);
    expect(details).toEqual([`hasPlace() ${how}`]);
    await afterAll();
  });

  it('are taken and given back for the accounts that are named', () => {
    const told: unknown[] = [];
    const note = (...all: unknown[]): undefined => void told.push(all);
    const { gate } = guardedOf({ take: note, giveBack: note, hasPlace: note, spend: note });
    gate.take(VISITOR, 'instance', ['server']);
    gate.giveBack(VISITOR, 'instance', ['server']);
    gate.hasPlace(VISITOR, 'instance', ['server']);
    gate.spend(VISITOR, 7);
    const place = [VISITOR, 'instance', ['server']];
    expect(told).toEqual([place, place, place, [VISITOR, 7]]);
  });
});

it.each(['spend', 'giveBack'] as const)('%s of it fails for nobody', async (method) => {
  const told: unknown[] = [];
  for (const failing of [fail, reject]) {
    const { gate, details } = guardedOf({ [method]: failing });
    if (method === 'spend') gate.spend(VISITOR, 7);
    else gate.giveBack(VISITOR, 'call');
    await afterAll();
    told.push(...details);
  }
  expect(told).toEqual([`${method}() threw`, `${method}() rejected`]);
});

it('is guarded once, however many share it', () => {
  const { gate } = guardedOf({});
  const sight = { telemetry: { log() {}, count() {} }, clock: new VirtualClock() };
  expect(GuardedGate.of(gate, sight)).toBe(gate);
});
