import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoggedEvent, ReadOutcome } from '../ports.ts';
import { parseCursor } from './cursor.ts';
import type { Attachment, Outbox } from './outbox.ts';
import { Stream, STREAM_TRANSITIONS, type StreamState } from './stream.ts';

const SALT = 7;
const QUEUE_CHARS_MAX = 60;
const FACTS = { cursorPrefix: '', salt: SALT, queueCharsMax: QUEUE_CHARS_MAX };

/**
 * What one reader was sent, and whether that could be: nothing before its head, nothing after its
 * end.
 */
class Reader implements Attachment {
  readonly attachment = true;
  readonly after: number | undefined;
  readonly sequences: number[] = [];
  readonly data: string[] = [];
  resume: string | undefined;
  isOpen = false;
  endedFor: string | undefined;

  constructor(after: number | undefined) {
    this.after = after;
  }

  take(text: string): void {
    expect([this.isOpen, this.endedFor]).toEqual([true, undefined]);
    for (const [, id = '', data = ''] of text.matchAll(/id: (\S+)\ndata: (.*)\n\n/g)) {
      this.sequences.push(parseCursor(id, SALT)?.sequence ?? Number.NaN);
      this.data.push(data);
    }
  }
}

/** A log that answers when it is told to, and keeps no more than its bound. */
class Log {
  readonly kept: LoggedEvent[] = [];
  readonly reads: number[] = [];
  goneThrough = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  append(event: LoggedEvent): void {
    this.kept.push(event);
    while (this.kept.length > this.#max) this.goneThrough = this.kept.shift()?.sequence ?? 0;
  }

  outcome(after: number): ReadOutcome {
    const events = this.kept.filter(({ sequence }) => sequence > after);
    return { kind: after < this.goneThrough ? 'gap' : 'events', events };
  }
}

class Bench {
  readonly stream = new Stream(0, FACTS);
  readonly log: Log;
  readonly readers: Reader[] = [];
  readonly seen = new Set<string>();
  appended = 0;

  constructor(logMax: number) {
    this.log = new Log(logMax);
  }

  /** One input, its decisions carried out, and the step it took held against the table. */
  run(input: (outbox: Outbox) => unknown): void {
    const before = this.stream.state;
    const outbox: Outbox = [];
    input(outbox);
    const after = this.stream.state;
    const allowed: readonly StreamState[] = Object.values(STREAM_TRANSITIONS[before]);
    if (after !== before) expect(allowed).toContain(after);
    this.seen.add(`${before} > ${after}`);
    if (before === 'closed') expect(outbox).toEqual([]);
    for (const decision of outbox) this.#carryOut(decision);
  }

  attach(after: number | undefined): void {
    const reader = new Reader(after);
    let isKnown = false;
    const preamble = (id: string): string => `id: ${id}\nretry: 1\n\n`;
    const { state, sequence } = this.stream;
    this.run((outbox) => (isKnown = this.stream.attach(reader, after, preamble, outbox)));
    expect(isKnown).toBe(state !== 'closed' && (after ?? 0) <= sequence);
    if (isKnown) this.readers.push(reader);
  }

  answerRead(): void {
    const after = this.log.reads.shift();
    if (after === undefined) return;
    const outcome = this.log.outcome(after);
    this.run((outbox) => this.stream.replayed(after, outcome, outbox));
  }

  #carryOut(decision: Outbox[number]): void {
    switch (decision.do) {
      case 'append':
        expect(decision.sequence).toBe(this.appended + 1);
        this.appended = decision.sequence;
        this.log.append(decision);
        return;
      case 'read':
        this.log.reads.push(decision.after);
        return;
      case 'open': {
        const reader = decision.to as Reader;
        expect([reader.isOpen, reader.endedFor]).toEqual([false, undefined]);
        reader.isOpen = true;
        reader.resume = decision.resume;
        reader.take(decision.first);
        return;
      }
      case 'write':
        (decision.to as Reader).take(decision.text);
        return;
      case 'end':
        expect((decision.to as Reader).endedFor).toBeUndefined();
        (decision.to as Reader).endedFor = decision.reason;
        return;
      default:
        throw new Error(`A stream does not ${decision.do}.`);
    }
  }
}

const STEP = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('append' as const), isAnswer: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('attach' as const), back: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('join' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('detach' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('finish' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const) }) },
);

function apply(bench: Bench, step: typeof STEP extends fc.Arbitrary<infer S> ? S : never): void {
  const { stream } = bench;
  switch (step.do) {
    case 'append': {
      const next = stream.sequence + 1;
      const answers = step.isAnswer ? String(next) : undefined;
      return bench.run((outbox) => stream.append(`{"n":${next}}`, answers, outbox));
    }
    case 'attach':
      return bench.attach(Math.max(0, stream.sequence + 1 - step.back));
    case 'join':
      return bench.attach(undefined);
    case 'read':
      return bench.answerRead();
    case 'detach': {
      const { attachment } = stream;
      if (attachment === undefined) return undefined;
      (attachment as Reader).endedFor = 'its own leaving';
      return bench.run(() => stream.detach(attachment));
    }
    case 'release':
      return bench.run((outbox) => stream.release('rotated', 'retry: 1\n\n', outbox));
    case 'finish':
      return bench.run((outbox) => stream.finish(outbox));
    default:
      return bench.run((outbox) => stream.close('client-ended', outbox));
  }
}

/** What holds for every reader at every moment. */
function check(bench: Bench): void {
  for (const { after, sequences, data, resume, isOpen } of bench.readers) {
    expect(sequences).toEqual(sequences.toSorted((one, other) => one - other));
    expect(new Set(sequences).size).toBe(sequences.length);
    for (const [index, sequence] of sequences.entries()) {
      const isAnswerGone = data[index]?.includes('-32011') === true;
      if (!isAnswerGone) expect(data[index]).toBe(`{"n":${sequence}}`);
      else expect(resume).not.toBe('exact');
    }
    if (!isOpen || after === undefined) continue;
    for (const sequence of sequences) expect(sequence).toBeGreaterThan(after);
    expect(['exact', 'gap']).toContain(resume);
    const whole = Array.from({ length: sequences.length }, (_, index) => after + 1 + index);
    if (resume === 'exact') expect(sequences).toEqual(whole);
  }
  const reading = bench.readers.filter(({ endedFor }) => endedFor === undefined);
  expect(reading).toEqual(bench.stream.attachment === undefined ? [] : [bench.stream.attachment]);
}

describe('a stream', () => {
  it('stays in its table, numbers without a hole, and never sends out of turn', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(STEP, { maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 8 }),
        (steps, max) => {
          const bench = new Bench(max);
          for (const step of steps) {
            apply(bench, step);
            check(bench);
          }
          for (const each of bench.seen) seen.add(each);
        },
      ),
      { numRuns: 500 },
    );
    for (const [from, inputs] of Object.entries(STREAM_TRANSITIONS)) {
      for (const to of Object.values(inputs)) expect(seen).toContain(`${from} > ${to}`);
    }
  });

  it('that is closed is closed for good', () => {
    const inputs = fc.array(STEP, { maxLength: 20, size: 'max' });
    fc.assert(
      fc.property(inputs, inputs, (before, after) => {
        const bench = new Bench(3);
        for (const step of before) apply(bench, step);
        apply(bench, { do: 'close' });
        const { sequence } = bench.stream;
        for (const step of after) apply(bench, step);
        expect([bench.stream.state, bench.stream.sequence]).toEqual(['closed', sequence]);
        expect(bench.stream.attachment).toBeUndefined();
      }),
    );
  });

  it('brings a reader that stays up to date, once the log has answered', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(30), fc.nat(5), (count, after, during) => {
        fc.pre(after <= count);
        const bench = new Bench(1000);
        const append = (): void => apply(bench, { do: 'append', isAnswer: false });
        for (let i = 0; i < count; i += 1) append();
        bench.attach(after);
        for (let i = 0; i < during; i += 1) append();
        while (bench.log.reads.length > 0) bench.answerRead();
        append();
        const [reader] = bench.readers;
        const expected = Array.from(
          { length: count + during + 1 - after },
          (_, i) => after + 1 + i,
        );
        expect([reader?.resume, reader?.sequences]).toEqual(['exact', expected]);
      }),
    );
  });

  it('V49 closes a reader that waits for the log behind more than it may queue', () => {
    const bench = new Bench(1000);
    const append = (): void => apply(bench, { do: 'append', isAnswer: false });
    append();
    bench.attach(0);
    for (let chars = 0; chars <= QUEUE_CHARS_MAX; chars += '{"n":2}'.length) append();
    expect(bench.readers[0]?.endedFor).toBe('slow-reader');
    bench.answerRead();
    expect([bench.stream.state, bench.readers[0]?.isOpen]).toEqual(['detached', false]);
  });

  it('says there is a gap when the log never catches up, after a few reads', () => {
    const stream = new Stream(0, { ...FACTS, queueCharsMax: 1e9 });
    const outbox: Outbox = [];
    stream.append('1', undefined, outbox);
    const reader = new Reader(0);
    stream.attach(reader, 0, () => '', outbox);
    let reads = 0;
    let hasGap = false;
    while (!hasGap) {
      stream.append('more', undefined, outbox);
      hasGap = stream.replayed(0, { kind: 'events', events: [] }, outbox);
      reads += 1;
      expect(reads).toBeLessThan(10);
    }
    const opened = outbox.find((decision) => decision.do === 'open');
    expect(opened).toMatchObject({ resume: 'gap' });
  });

  it('that is finished ends its reader when that has everything, and serves later ones too', () => {
    const bench = new Bench(10);
    apply(bench, { do: 'append', isAnswer: true });
    bench.attach(0);
    bench.run((outbox) => bench.stream.finish(outbox));
    expect(bench.readers[0]?.endedFor).toBeUndefined();
    bench.answerRead();
    expect([bench.readers[0]?.sequences, bench.readers[0]?.endedFor]).toEqual([[1], 'completed']);
    bench.attach(1);
    expect([bench.readers[1]?.sequences, bench.readers[1]?.endedFor]).toEqual([[], 'completed']);
    expect(bench.stream.isDelivered).toBe(true);
  });

  it('begins a reader without a cursor after what any reader was sent', () => {
    const bench = new Bench(10);
    const append = (): void => apply(bench, { do: 'append', isAnswer: false });
    bench.attach(undefined);
    append();
    apply(bench, { do: 'detach' });
    append();
    bench.attach(undefined);
    bench.answerRead();
    expect(bench.readers.map(({ sequences }) => sequences)).toEqual([[1], [2]]);
  });

  it('is left only by the reader that has it', () => {
    const bench = new Bench(10);
    bench.attach(0);
    bench.attach(0);
    const [first, second] = bench.readers as [Reader, Reader];
    expect([first.endedFor, bench.stream.detach(first)]).toEqual(['replaced', false]);
    expect([bench.stream.attachment, bench.stream.detach(second)]).toEqual([second, true]);
  });
});
