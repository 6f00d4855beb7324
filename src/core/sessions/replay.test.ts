import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoggedEvent } from '../ports.ts';
import { joinReplay, type Joined, type ReplayFacts } from './replay.ts';

interface Case {
  readonly facts: ReplayFacts;
  readonly events: readonly LoggedEvent[];
}

/** A log that has lost the oldest, does not hold the newest yet, or both. */
const CASE: fc.Arbitrary<Case> = fc
  .record({
    last: fc.nat(20),
    after: fc.nat(20),
    gone: fc.nat(20),
    lag: fc.nat(20),
    answers: fc.uniqueArray(fc.nat(20)),
    isLastRead: fc.boolean(),
  })
  .map(({ last, after, gone, lag, answers, isLastRead }) => {
    const have = Math.min(after, last);
    const first = Math.max(have, Math.min(gone, last)) + 1;
    const end = Math.max(have, last - Math.min(lag, last));
    const count = Math.max(0, end - first + 1);
    const events = Array.from({ length: count }, (_, index) => loggedAt(first + index));
    const places = answers
      .filter((sequence) => sequence > 0 && sequence <= last)
      .toSorted((one, other) => one - other)
      .map((sequence) => ({ id: `"a${sequence}"`, sequence }));
    const facts = { after: have, last, answers: places, isLastRead, idOf: String };
    return { facts, events };
  });

function loggedAt(sequence: number): LoggedEvent {
  return { sequence, data: `{"n":${sequence}}` };
}

function sequencesIn(joined: Joined): readonly number[] {
  if (joined.kind === 'again') return [];
  return [...joined.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
}

describe('joining the log to what was numbered since', () => {
  it('is exact if and only if nothing is missing', () => {
    fc.assert(
      fc.property(CASE, ({ facts, events }) => {
        const joined = joinReplay({ kind: 'events', events }, facts);
        if (joined.kind === 'again') return;
        const wanted = facts.last - facts.after;
        expect(joined.hasGap).toBe(events.length < wanted);
        if (joined.hasGap) return;
        const expected = Array.from({ length: wanted }, (_, index) => facts.after + 1 + index);
        expect(sequencesIn(joined)).toEqual(expected);
      }),
    );
  });

  it('reads again while the log is behind, but not for ever', () => {
    fc.assert(
      fc.property(CASE, ({ facts, events }) => {
        const newest = events.at(-1)?.sequence ?? facts.after;
        const isBehind = newest < facts.last;
        const joined = joinReplay({ kind: 'events', events }, facts);
        expect(joined.kind).toBe(isBehind && !facts.isLastRead ? 'again' : 'joined');
      }),
    );
  });

  it('repeats nothing, keeps the order, and names each answer that is gone in its place', () => {
    fc.assert(
      fc.property(CASE, ({ facts, events }) => {
        const joined = joinReplay({ kind: 'gap', events }, { ...facts, isLastRead: true });
        if (joined.kind === 'again') throw new Error('It was the last read.');
        expect(joined.hasGap).toBe(true);
        const kept = events.map(({ sequence }) => sequence);
        const lost = facts.answers
          .map(({ sequence }) => sequence)
          .filter((sequence) => sequence > facts.after && !kept.includes(sequence));
        const expected = [...kept, ...lost].toSorted((one, other) => one - other);
        expect(sequencesIn(joined)).toEqual(expected);
        for (const sequence of lost) {
          const error = `"id":"a${sequence}","error":{"code":-32011`;
          expect(joined.text).toContain(`id: ${sequence}\ndata: {"jsonrpc":"2.0",${error}`);
        }
      }),
    );
  });

  it('believes a log that says it lost something, though what is left looks whole', () => {
    const facts = { after: 0, last: 1, answers: [], isLastRead: false, idOf: String };
    const joined = joinReplay({ kind: 'gap', events: [loggedAt(1)] }, facts);
    expect(joined).toMatchObject({ kind: 'joined', hasGap: true });
  });

  it('believes no log that lost something in the middle and does not say so', () => {
    const facts = { after: 0, last: 3, answers: [], isLastRead: false, idOf: String };
    const joined = joinReplay({ kind: 'events', events: [loggedAt(1), loggedAt(3)] }, facts);
    expect(joined).toMatchObject({ kind: 'joined', hasGap: true });
  });
});
