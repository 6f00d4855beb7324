import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Message } from '../../protocol/message.ts';
import { NO_ANSWERS, Rounds, type Answers, type RoundsDecision } from './rounds.ts';

const LIMITS = { bridgedRoundsMax: 3, parkedMsMax: 1000, parkedNoticesMax: 4, askWindowMs: 20 };
const YES = { action: 'accept' };
const RESULT = Message.result('1', '{}');

function progress(value: number): Message {
  return Message.notification('notifications/progress', `{"progress":${value}}`);
}

function log(text: string): Message {
  return Message.notification('notifications/message', `{"data":"${text}"}`);
}

function askedOf(outbox: RoundsDecision[]): Extract<RoundsDecision, { do: 'ask' }> {
  const decision = outbox.find((each) => each.do === 'ask');
  if (decision === undefined) throw new Error('Nothing was asked.');
  return decision;
}

function keysOf(outbox: RoundsDecision[]): readonly string[] {
  return Object.keys(JSON.parse(askedOf(outbox).inputRequests) as object);
}

/** A call whose client was just asked one thing, at time 20. */
function parked(): { rounds: Rounds; key: string } {
  const [rounds, outbox] = [new Rounds(LIMITS, NO_ANSWERS), [] as RoundsDecision[]];
  rounds.asked('"q"', 'elicitation/create', {}, 0, outbox);
  rounds.tick(20, true, outbox);
  return { rounds, key: keysOf(outbox)[0] ?? '' };
}

describe('the rounds of one call', () => {
  it('waits for further questions a moment, counted from the first', () => {
    const [rounds, outbox] = [new Rounds(LIMITS, NO_ANSWERS), [] as RoundsDecision[]];
    rounds.asked('1', 'roots/list', {}, 100, outbox);
    rounds.asked('2', 'elicitation/create', {}, 119, outbox);
    expect(rounds.nextDeadline).toBe(120);
    rounds.tick(119, true, outbox);
    expect(outbox).toEqual([]);
    rounds.tick(120, true, outbox);
    expect(keysOf(outbox)).toEqual(['roots-1', 'elicitation-2']);
    expect(askedOf(outbox)).toMatchObject({ round: 1, expiresAt: 1120 });
  });

  it('takes a retry of the round it waits for, and of no other', () => {
    const { rounds, key } = parked();
    const outbox: RoundsDecision[] = [];
    expect(rounds.joined(0, NO_ANSWERS, 30, outbox)).toBe(false);
    expect(rounds.joined(2, NO_ANSWERS, 30, outbox)).toBe(false);
    expect(rounds.joined(1, new Map([[key, YES]]), 30, outbox)).toBe(true);
    expect(outbox).toEqual([{ do: 'answer', upstreamId: '"q"', result: JSON.stringify(YES) }]);
    expect(rounds.joined(1, NO_ANSWERS, 31, outbox)).toBe(false);
  });

  it('drops the oldest progress first of what comes while nobody is there', () => {
    const { rounds } = parked();
    const told: RoundsDecision[] = [];
    const all = [log('a'), progress(1), log('b'), progress(2), log('c'), log('d')];
    for (const message of all) rounds.noticed(message, told);
    expect(told).toEqual([]);
    rounds.settled(RESULT, told);
    const outbox: RoundsDecision[] = [];
    rounds.joined(1, NO_ANSWERS, 30, outbox);
    const kept = outbox.map((each) => (each.do === 'deliver' ? each.message.payload : each.do));
    expect(kept).toEqual([
      '{"data":"a"}',
      '{"data":"b"}',
      '{"data":"c"}',
      '{"data":"d"}',
      'finish',
    ]);
  });

  it('refuses what it cannot park, and goes on', () => {
    const [rounds, outbox] = [new Rounds(LIMITS, NO_ANSWERS), [] as RoundsDecision[]];
    rounds.asked('1', 'roots/list', {}, 0, outbox);
    rounds.tick(20, false, outbox);
    expect(outbox).toEqual([{ do: 'refuse', upstreamId: '1', error: 'TOO_MANY_REQUESTS' }]);
    expect(rounds.state).toBe('running');
    expect(rounds.nextDeadline).toBe(Infinity);
  });

  it('gives a call up that nobody comes back for', () => {
    const { rounds } = parked();
    const outbox: RoundsDecision[] = [];
    rounds.tick(rounds.nextDeadline, true, outbox);
    expect(outbox).toEqual([
      { do: 'refuse', upstreamId: '"q"', error: 'CLIENT_GONE' },
      { do: 'abandon' },
    ]);
  });

  it('has nothing to stop when the call was over before its client was waited for in vain', () => {
    const { rounds } = parked();
    rounds.settled(RESULT, []);
    const outbox: RoundsDecision[] = [];
    rounds.tick(rounds.nextDeadline, true, outbox);
    expect([outbox, rounds.state]).toEqual([[], 'ended']);
  });
});

type Step = 'ask' | 'withdraw' | 'notice' | 'settle' | 'join' | 'leave' | 'wait';
const STEPS: readonly Step[] = ['ask', 'withdraw', 'notice', 'settle', 'join', 'leave', 'wait'];
const step = fc.record({
  kind: fc.constantFrom(...STEPS),
  which: fc.nat(5),
  ms: fc.nat(600),
  isAnswered: fc.boolean(),
  hasRoom: fc.boolean(),
});

/** What a walk knows of the outside: the questions upstream waits for, and who is joined. */
class World {
  readonly rounds: Rounds = new Rounds(LIMITS, NO_ANSWERS);
  readonly open = new Set<string>();
  readonly told: number[] = [];
  isJoined = true;
  isOver = false;
  keys: readonly string[] = [];
  round = 0;
  now = 0;
  asked = 0;
  noticed = 0;

  walk({
    kind,
    which,
    ms,
    isAnswered,
    hasRoom,
  }: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
    const outbox: RoundsDecision[] = [];
    const { rounds } = this;
    this.now += ms;
    rounds.tick(this.now, hasRoom, outbox);
    this.carryOut(outbox);
    if (kind === 'ask') {
      this.asked += 1;
      const id = String(this.asked);
      this.open.add(id);
      rounds.asked(id, 'elicitation/create', {}, this.now, outbox);
    } else if (kind === 'withdraw') {
      const id = [...this.open][which];
      if (id !== undefined) rounds.withdrawn(id);
      if (id !== undefined) this.open.delete(id);
    } else if (kind === 'notice') {
      this.noticed += 1;
      rounds.noticed(progress(this.noticed), outbox);
    } else if (kind === 'settle' && !this.isOver) rounds.settled(RESULT, outbox);
    else if (kind === 'join') {
      const answers: Answers = new Map(this.keys.map((key) => [key, isAnswered ? YES : {}]));
      const wasJoined = this.isJoined;
      if (rounds.joined(this.round, answers, this.now, outbox)) {
        expect(wasJoined).toBe(false);
        this.isJoined = true;
      }
    } else if (kind === 'leave' && this.isJoined) {
      this.isJoined = false;
      rounds.left(outbox);
    }
    this.carryOut(outbox);
  }

  carryOut(outbox: RoundsDecision[]): void {
    for (const decision of outbox.splice(0)) {
      if (decision.do === 'answer' || decision.do === 'refuse') {
        // Each question is answered once.
        expect(this.open.delete(decision.upstreamId)).toBe(true);
      } else if (decision.do === 'deliver') {
        expect(this.isJoined).toBe(true);
        this.told.push((decision.message.value as { progress: number }).progress);
      } else if (decision.do === 'ask') {
        expect(this.isJoined).toBe(true);
        this.isJoined = false;
        this.keys = Object.keys(JSON.parse(decision.inputRequests) as object);
        expect(this.keys.length).toBeGreaterThan(0);
        expect(decision.round).toBe(this.round + 1);
        this.round = decision.round;
      } else {
        expect(this.isOver).toBe(false);
        this.isOver = true;
        if (decision.do === 'finish') expect(this.isJoined).toBe(true);
        this.isJoined = false;
      }
    }
  }
}

describe('every walk of the rounds', () => {
  it('answers each question once, leaves none open, asks in bounded rounds and tells in order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        for (const each of steps) world.walk(each);
        expect(world.round).toBeLessThanOrEqual(LIMITS.bridgedRoundsMax);
        expect(world.told).toEqual(world.told.toSorted((one, other) => one - other));
        expect(new Set(world.told).size).toBe(world.told.length);
        if (world.rounds.state === 'ended') expect(world.open.size).toBe(0);
        // Whatever happened, time alone brings a parked call to its end.
        world.walk({ kind: 'wait', which: 0, ms: 5000, isAnswered: false, hasRoom: true });
        world.walk({ kind: 'wait', which: 0, ms: 5000, isAnswered: false, hasRoom: true });
        expect(['running', 'ended']).toContain(world.rounds.state);
        expect(world.open.size).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });
});
