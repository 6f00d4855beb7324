import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CALL_TRANSITIONS, Pending, type Call, type CallState } from './pending.ts';

const INPUT = fc.constantFrom('answer', 'cancel', 'refuse', 'lose');
const STEP = fc.oneof(
  fc.record({ do: fc.constant('begin' as const), owner: fc.nat(3), id: fc.nat(2) }),
  fc.record({ do: fc.constant('end' as const), place: fc.nat(40), input: INPUT }),
);

function begin(pending: Pending<string>, method = 'tools/call', now = 0): Call<string> {
  const call = pending.begin('owner', '1', method, undefined, now);
  if (call === undefined) throw new Error('The bound is met.');
  return call;
}

describe('the states of a call', () => {
  it('lead from waiting to an end, and no end leads anywhere', () => {
    const ends = Object.values(CALL_TRANSITIONS.waiting) as readonly CallState[];
    expect(new Set(ends)).toEqual(
      new Set(Object.keys(CALL_TRANSITIONS).filter((state) => state !== 'waiting')),
    );
    for (const end of ends) expect(CALL_TRANSITIONS[end]).toEqual({});
  });
});

describe('calls in flight', () => {
  it('V25 each end once, whatever comes for them, and are found until then and not after', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 80, size: 'max' }), (steps) => {
        const pending = new Pending<number>(8);
        const calls: Call<number>[] = [];
        const waiting = new Set<Call<number>>();
        for (const step of steps) {
          if (step.do === 'begin') {
            const call = pending.begin(step.owner, String(step.id), 'm', undefined, 0);
            expect(call === undefined).toBe(waiting.size === 8);
            if (call === undefined) continue;
            expect(call.number).toBeGreaterThan(calls.at(-1)?.number ?? 0);
            calls.push(call);
            waiting.add(call);
          } else {
            const call = calls[step.place];
            if (call === undefined) continue;
            const before = call.state;
            expect(pending.end(call, step.input)).toBe(waiting.delete(call));
            const after = before === 'waiting' ? CALL_TRANSITIONS.waiting[step.input] : before;
            expect(call.state).toBe(after);
          }
          expect(pending.size).toBe(waiting.size);
          expect(pending.all()).toEqual([...waiting]);
          for (const call of calls) {
            const found = pending.find(String(call.number));
            expect(found).toBe(waiting.has(call) ? call : undefined);
          }
        }
      }),
    );
  });

  it('with equal ids of clients have numbers of their own', () => {
    const pending = new Pending<string>(10);
    const [one, two] = [begin(pending), begin(pending)];
    expect(one.number).not.toBe(two.number);
    expect([pending.find(String(one.number)), pending.find(String(two.number))]).toEqual([
      one,
      two,
    ]);
  });

  it('V25 are found by our number alone, spelled as we spell it', () => {
    const pending = new Pending<string>(10);
    const { number } = begin(pending);
    for (const token of [
      undefined,
      '',
      'null',
      `"${number}"`,
      `${number}.0`,
      `0${number}`,
      '1e0',
    ]) {
      expect(pending.find(token)).toBeUndefined();
    }
  });

  it('V26 are alone when they are alone, whoever listens beside them', () => {
    const pending = new Pending<string>(10);
    expect(pending.sole).toBeUndefined();
    begin(pending, 'subscriptions/listen');
    expect(pending.sole).toBeUndefined();
    const call = begin(pending);
    expect(pending.sole).toBe(call);
    const other = begin(pending);
    expect(pending.sole).toBeUndefined();
    pending.end(call, 'answer');
    expect(pending.sole).toBe(other);
  });

  it('V26 are alone beside a question of ours, until it is answered', () => {
    const pending = new Pending<string>(10);
    const ours = begin(pending);
    pending.setAside(ours);
    expect(pending.sole).toBeUndefined();
    const call = begin(pending);
    expect(pending.sole).toBe(call);
    const forgotten = vi.spyOn(Set.prototype, 'delete');
    onTestFinished(() => forgotten.mockRestore());
    pending.end(ours, 'answer');
    expect(pending.sole).toBe(call);
    // Numbers are never given again: what is left of one would stay for ever.
    expect(forgotten).toHaveBeenCalledWith(ours.number);
  });

  it('that are too old are told oldest first, listen streams excepted, and may be ended meanwhile', () => {
    const pending = new Pending<string>(10);
    begin(pending, 'subscriptions/listen', 0);
    const old = [begin(pending, 'a', 1), begin(pending, 'b', 2)];
    begin(pending, 'c', 10);
    const told: Call<string>[] = [];
    for (const call of pending.startedBefore(10)) {
      told.push(call);
      pending.end(call, 'refuse');
    }
    expect(told).toEqual(old);
    expect(pending.size).toBe(2);
  });
});

describe('calls that are counted', () => {
  it('are all but listen streams, from the first number to the last end', () => {
    const pending = new Pending<string>(8);
    const calls = [begin(pending), begin(pending, 'subscriptions/listen'), begin(pending)];
    expect(calls.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect([pending.size, pending.callCount]).toEqual([3, 2]);
    for (const [index, call] of calls.entries()) {
      expect(pending.end(call, 'answer')).toBe(true);
      expect(pending.end(call, 'answer')).toBe(false);
      expect(pending.callCount).toBe([1, 1, 0][index]);
    }
    expect(pending.find(undefined)).toBeUndefined();
  });
});
