import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Questions, type Question } from './questions.ts';

function idsOf(questions: readonly Question<string>[]): readonly string[] {
  return questions.map(({ upstreamId }) => upstreamId);
}

const MEMBER = fc.constantFrom('alice', 'bob', 'carol');
const STEP = fc.oneof(
  fc.record({ do: fc.constant('ask' as const), member: MEMBER }),
  fc.record({ do: fc.constant('answer' as const), member: MEMBER, id: fc.nat(30) }),
  fc.record({ do: fc.constant('withdraw' as const), upstream: fc.nat(30) }),
  fc.record({ do: fc.constant('abandon' as const), member: MEMBER }),
  fc.record({ do: fc.constant('clear' as const) }),
);

describe('questions', () => {
  it('V26 are each answered at most once, and only by whom they were asked of', () => {
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
            const withdrawn = questions.withdraw(upstreamId);
            expect(withdrawn?.id).toBe(found?.[0]);
            expect(withdrawn?.member).toBe(found?.[1].member);
            if (found !== undefined) open.delete(found[0]);
          } else if (step.do === 'abandon') {
            const gone = [...open].filter(([, { member }]) => member === step.member);
            expect(idsOf(questions.abandon(step.member))).toEqual(
              gone.map(([, { upstreamId }]) => upstreamId),
            );
            for (const [id] of gone) open.delete(id);
          } else {
            expect(idsOf(questions.clear())).toEqual(
              [...open.values()].map(({ upstreamId }) => upstreamId),
            );
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
    expect(idsOf(questions.abandonOver('alice'))).toEqual(['"a"']);
    expect(questions.answer('1', 'alice')).toBeUndefined();
    expect(questions.ask('"e"', 'alice')).toBe('4');
  });
});

const CALL = fc.constantFrom('waiting', 'over');
const BOUNDED_STEP = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('ask' as const), member: MEMBER, call: CALL }),
  },
  fc.record({ do: fc.constant('answer' as const), member: MEMBER, nth: fc.nat(5) }),
  fc.record({ do: fc.constant('withdraw' as const), nth: fc.nat(5) }),
  fc.record({ do: fc.constant('abandon' as const), member: MEMBER }),
  fc.record({ do: fc.constant('room' as const), member: MEMBER }),
  fc.record({ do: fc.constant('clear' as const) }),
);

interface OpenQuestion {
  readonly id: string;
  readonly upstreamId: string;
  readonly member: string;
  readonly isOver: boolean;
}

it('questions are bounded by as many of a member as a walk over all of them counts', () => {
  fc.assert(
    fc.property(fc.array(BOUNDED_STEP, { maxLength: 120, size: 'max' }), (steps) => {
      const questions = new Questions<string>(6, 3);
      let open: OpenQuestion[] = [];
      const drop = (isMeant: (each: OpenQuestion) => boolean): readonly string[] => {
        const gone = open.filter(isMeant);
        open = open.filter((each) => !gone.includes(each));
        return gone.map(({ upstreamId }) => upstreamId);
      };
      const countOf = (member: string): number =>
        open.filter((each) => each.member === member).length;
      for (const [index, step] of steps.entries()) {
        if (step.do === 'ask') {
          const upstreamId = `"u${index}"`;
          const id = questions.ask(upstreamId, step.member, { state: step.call });
          expect(id === undefined).toBe(open.length >= 6 || countOf(step.member) >= 3);
          const isOver = step.call === 'over';
          if (id !== undefined) open.push({ id, upstreamId, member: step.member, isOver });
        } else if (step.do === 'answer') {
          const meant = open[step.nth];
          const isRight = meant?.member === step.member;
          const expected = isRight ? meant.upstreamId : undefined;
          expect(questions.answer(meant?.id, step.member)).toBe(expected);
          if (isRight) drop((each) => each === meant);
        } else if (step.do === 'withdraw') {
          const meant = open[step.nth];
          expect(questions.withdraw(meant?.upstreamId ?? 'none')?.id).toBe(meant?.id);
          drop((each) => each === meant);
        } else if (step.do === 'abandon') {
          const gone = drop(({ member }) => member === step.member);
          expect(idsOf(questions.abandon(step.member))).toEqual(gone);
        } else if (step.do === 'room') {
          const isFull = open.length >= 6;
          const isNeeded = isFull || countOf(step.member) >= 3;
          const isMeant = ({ isOver, member }: OpenQuestion): boolean =>
            isNeeded && isOver && (isFull || member === step.member);
          expect(idsOf(questions.abandonOver(step.member))).toEqual(drop(isMeant));
        } else {
          questions.clear();
          open = [];
        }
      }
    }),
  );
});

it('questions whose calls are over stay open while nobody needs their room', () => {
  const questions = new Questions<string>(5, 2);
  const over = { state: 'answered' };
  const [anns, bobs] = ['ann', 'bob'].map((member) => questions.ask(`"${member}"`, member, over));
  expect(questions.abandonOver('ann')).toEqual([]);
  questions.ask('"b"', 'ann');
  expect(idsOf(questions.abandonOver('ann'))).toEqual(['"ann"']);
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
  expect(idsOf(questions.abandonOver('cyd'))).toEqual(['0', '1', '2']);
  expect(questions.ask('4', 'cyd')).toBeDefined();
  expect(questions.answer(open, 'bob')).toBe('3');
});

it('questions end with the call they were asked for, after an answer only if the upstream named it', () => {
  const questions = new Questions<string>(10);
  const call = { state: 'waiting' };
  questions.ask('"named"', 'ann', call, 'named');
  questions.ask('"guessed"', 'ann', call, 'guessed');
  questions.ask('"of all"', 'ann', call, 'none');
  questions.ask('"other"', 'ann', { state: 'waiting' }, 'named');
  questions.ask('"bob"', 'bob', { state: 'waiting' }, 'named');
  call.state = 'answered';
  expect(idsOf(questions.endWith(call, 'bob'))).toEqual([]);
  expect(idsOf(questions.endWith(call, 'ann'))).toEqual(['"named"']);
  expect(idsOf(questions.endWith(call, 'ann'))).toEqual([]);
  call.state = 'cancelled';
  expect(idsOf(questions.endWith(call, 'ann'))).toEqual(['"guessed"']);
  expect(idsOf(questions.clear())).toEqual(['"of all"', '"other"', '"bob"']);
});

it('questions that hang on no call, as those nobody said it of, end with none', () => {
  const questions = new Questions<string>(10);
  const call = { state: 'cancelled' };
  expect(questions.endWith(call, 'ann')).toEqual([]);
  const id = questions.ask('"a"', 'ann', call);
  expect(questions.endWith(call, 'ann')).toEqual([]);
  expect(questions.answer(id, 'ann')).toBe('"a"');
});

it.each([0, 1, 2])('questions to one member are %i at once where so many may be', (max) => {
  const questions = new Questions<string>(10, max);
  for (const member of ['ann', 'bob']) {
    const asked = ['"a"', '"b"', '"c"'].map((id) => questions.ask(id, member));
    expect(asked.filter((id) => id !== undefined)).toHaveLength(max);
  }
});
