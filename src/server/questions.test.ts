import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Questions } from './questions.ts';

const MEMBER = fc.constantFrom('alice', 'bob', 'carol');
const STEP = fc.oneof(
  fc.record({ do: fc.constant('ask' as const), member: MEMBER }),
  fc.record({ do: fc.constant('answer' as const), member: MEMBER, id: fc.nat(30) }),
  fc.record({ do: fc.constant('withdraw' as const), upstream: fc.nat(30) }),
  fc.record({ do: fc.constant('abandon' as const), member: MEMBER }),
  fc.record({ do: fc.constant('clear' as const) }),
);

describe('questions', () => {
  it('are each answered at most once, and only by whom they were asked of', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 80, size: 'max' }), (steps) => {
        const questions = new Questions<string>(5);
        const open = new Map<string, { readonly upstreamId: string; readonly member: string }>();
        const minted = new Set<string>();
        let asked = 0;
        for (const step of steps) {
          if (step.do === 'ask') {
            const upstreamId = `"u${asked}"`;
            asked += 1;
            const id = questions.ask(upstreamId, step.member);
            expect(id === undefined).toBe(open.size >= 5);
            if (id === undefined) continue;
            expect(minted.has(id)).toBe(false);
            minted.add(id);
            open.set(id, { upstreamId, member: step.member });
          } else if (step.do === 'answer') {
            const id = [...minted][step.id] ?? String(step.id);
            const question = open.get(id);
            const isRight = question?.member === step.member;
            expect(questions.answer(id, step.member)).toBe(
              isRight ? question?.upstreamId : undefined,
            );
            if (isRight) open.delete(id);
          } else if (step.do === 'withdraw') {
            const upstreamId = `"u${step.upstream}"`;
            const found = [...open].find(([, each]) => each.upstreamId === upstreamId);
            const expected = found && { id: found[0], member: found[1].member };
            expect(questions.withdraw(upstreamId)).toEqual(expected);
            if (found !== undefined) open.delete(found[0]);
          } else if (step.do === 'abandon') {
            const gone = [...open].filter(([, { member }]) => member === step.member);
            expect(questions.abandon(step.member)).toEqual(
              gone.map(([, { upstreamId }]) => upstreamId),
            );
            for (const [id] of gone) open.delete(id);
          } else {
            questions.clear();
            open.clear();
          }
        }
      }),
    );
  });

  it('take no answer without an id, or under the id of another type', () => {
    const questions = new Questions<string>(5);
    const id = questions.ask('7', 'alice') ?? '';
    expect(questions.answer(undefined, 'alice')).toBeUndefined();
    expect(questions.answer(`"${id}"`, 'alice')).toBeUndefined();
    expect(questions.answer(id, 'alice')).toBe('7');
    expect(questions.answer(id, 'alice')).toBeUndefined();
  });

  it('of one member are bounded, so that the others can be asked', () => {
    const questions = new Questions<string>(5, 2);
    const call = { state: 'waiting' };
    expect(questions.ask('"a"', 'alice', call)).toBe('1');
    expect(questions.ask('"b"', 'alice')).toBe('2');
    expect(questions.ask('"c"', 'alice')).toBeUndefined();
    expect(questions.ask('"d"', 'bob')).toBe('3');
    expect(questions.abandonOver('alice')).toEqual([]);
    call.state = 'cancelled';
    expect(questions.abandonOver('bob')).toEqual([]);
    expect(questions.abandonOver('alice')).toEqual(['"a"']);
    expect(questions.answer('1', 'alice')).toBeUndefined();
    expect(questions.ask('"e"', 'alice')).toBe('4');
  });
});

it('questions whose calls are over stay open while nobody needs their room', () => {
  const questions = new Questions<string>(5, 2);
  const over = { state: 'answered' };
  const [anns, bobs] = ['ann', 'bob'].map((member) => questions.ask(`"${member}"`, member, over));
  expect(questions.abandonOver('ann')).toEqual([]);
  questions.ask('"b"', 'ann');
  expect(questions.abandonOver('ann')).toEqual(['"ann"']);
  expect(questions.answer(anns, 'ann')).toBeUndefined();
  expect(questions.answer(bobs, 'bob')).toBe('"bob"');
});

it('questions make room for anybody where calls are over', () => {
  const questions = new Questions<string>(4, 2);
  const call = { state: 'waiting' };
  for (const [id, member] of ['ann', 'ann', 'bob'].entries()) {
    questions.ask(String(id), member, call);
  }
  const open = questions.ask('3', 'bob', { state: 'waiting' });
  expect(questions.abandonOver('cyd')).toEqual([]);
  expect(questions.ask('4', 'cyd')).toBeUndefined();
  call.state = 'answered';
  expect(questions.abandonOver('cyd')).toEqual(['0', '1', '2']);
  expect(questions.ask('4', 'cyd')).toBeDefined();
  expect(questions.answer(open, 'bob')).toBe('3');
});
