import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoggedEvent } from '../ports.ts';
import type { Attachment, Outbox } from './outbox.ts';
import { REPLY_TRANSITIONS, type Accepts, type Reply, type ReplyState } from './reply.ts';
import { Session, SESSION_TRANSITIONS } from './session.ts';

const FACTS = {
  cursorPrefix: '',
  salt: 7,
  queueCharsMax: 1e6,
  preamble: (id: string): string => `id: ${id}\nretry: 1\n\n`,
};
const BOTH: Accepts = { json: true, eventStream: true };
const ONLY_JSON: Accepts = { json: true, eventStream: false };
const ONLY_STREAM: Accepts = { json: false, eventStream: true };

/** A connection of a client, and what came over it. */
class Wire implements Attachment {
  readonly attachment = true;
  messages: string[] = [];
  lastEventId: string | undefined;
  form: 'nothing' | 'json' | 'stream' = 'nothing';
  isOver = false;

  take(text: string): void {
    expect([this.form, this.isOver]).toEqual(['stream', false]);
    this.messages.push(...[...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => data));
    this.lastEventId = [...text.matchAll(/^id: (\S+)$/gm)].at(-1)?.[1] ?? this.lastEventId;
  }
}

/** A session, its log and its connections: everything it decides is carried out at once. */
class Bench {
  readonly session = new Session(FACTS);
  readonly wires: Wire[] = [];
  readonly replies: Reply[] = [];
  readonly log = new Map<number, LoggedEvent[]>();
  readonly seen = new Set<string>();

  run<Result>(input: (outbox: Outbox) => Result): Result {
    const before = this.session.state;
    const states = this.replies.map(({ state }) => state);
    const outbox: Outbox = [];
    const result = input(outbox);
    if (this.session.state !== before) {
      expect(Object.values(SESSION_TRANSITIONS[before])).toContain(this.session.state);
    }
    for (const [index, from] of states.entries()) {
      const to = this.replies[index]?.state ?? from;
      if (to === from) continue;
      this.seen.add(`${from} > ${to}`);
      const allowed: readonly ReplyState[] = Object.values(REPLY_TRANSITIONS[from]);
      const twice = allowed.flatMap((each) => Object.values(REPLY_TRANSITIONS[each]));
      expect([...allowed, ...twice]).toContain(to);
    }
    this.#carryOut(outbox);
    return result;
  }

  post(
    accepts: Accepts,
    count = 1,
    isBatch = false,
  ): { readonly reply: Reply; readonly wire: Wire } {
    const wire = this.wire();
    const reply = this.run((out) => this.session.beginReply(wire, accepts, count, isBatch, out));
    this.replies.push(reply);
    return { reply, wire };
  }

  attach(lastEventId?: string): { readonly wire: Wire; readonly isRefused: boolean } {
    const wire = this.wire();
    const outcome = this.run((outbox) => this.session.attach(wire, lastEventId, outbox));
    return { wire, isRefused: 'error' in outcome };
  }

  leave(wire: Wire): void {
    const reply = this.replies.find(({ to }) => to === wire);
    wire.isOver = true;
    this.run(() => this.session.left(wire, reply));
  }

  wire(): Wire {
    const wire = new Wire();
    this.wires.push(wire);
    return wire;
  }

  get received(): readonly string[] {
    return this.wires.flatMap(({ messages }) => messages);
  }

  #carryOut(outbox: Outbox): void {
    for (const decision of outbox) {
      if (decision.do === 'append') {
        const events = this.log.get(decision.stream) ?? [];
        this.log.set(decision.stream, [...events, decision]);
      } else if (decision.do === 'trim') {
        this.log.delete(decision.stream);
      } else if (decision.do === 'read') {
        const { stream, after } = decision;
        const events = (this.log.get(stream) ?? []).filter(({ sequence }) => sequence > after);
        const outcome = { kind: 'events', events } as const;
        this.run((out) => this.session.replayed(stream, after, outcome, out));
      } else {
        this.#tell(decision.to as Wire, decision);
      }
    }
  }

  #tell(wire: Wire, decision: Outbox[number]): void {
    expect(wire.isOver).toBe(false);
    if (decision.do === 'json') {
      expect(wire.form).toBe('nothing');
      wire.form = 'json';
      wire.isOver = true;
      if (decision.body !== '') wire.messages.push(decision.body);
    } else if (decision.do === 'open') {
      expect(wire.form).toBe('nothing');
      wire.form = 'stream';
      wire.take(decision.first);
    } else if (decision.do === 'write') {
      wire.take(decision.text);
    } else if (decision.do === 'end') {
      wire.isOver = true;
    }
  }
}

const PLACE = fc.nat(2);
const STEP = fc.oneof(
  fc.record({
    do: fc.constant('post' as const),
    accepts: fc.constantFrom(BOTH, BOTH, ONLY_JSON, ONLY_STREAM),
    count: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ do: fc.constant('decide' as const), place: PLACE }),
  fc.record({ do: fc.constant('related' as const), place: PLACE }),
  fc.record({ do: fc.constant('answer' as const), place: PLACE }),
  fc.record({ do: fc.constant('withdraw' as const), place: PLACE }),
  fc.record({ do: fc.constant('unrelated' as const) }),
  fc.record({ do: fc.constant('listen' as const) }),
  fc.record({ do: fc.constant('resume' as const), place: fc.nat(6) }),
  fc.record({ do: fc.constant('leave' as const), place: fc.nat(4) }),
  fc.record({ do: fc.constant('initialized' as const) }),
);
type Step = typeof STEP extends fc.Arbitrary<infer Each> ? Each : never;

let marker = 0;

/** A message that is told from every other, and whether it is an answer. */
function mark(kind = 'message'): string {
  marker += 1;
  return `"${kind} ${marker}"`;
}

function apply(bench: Bench, step: Step): void {
  const { session } = bench;
  const reply = 'place' in step ? bench.replies[step.place] : undefined;
  const wire = 'place' in step ? bench.wires[step.place] : undefined;
  if (step.do === 'post') bench.post(step.accepts, step.count, step.count > 1);
  else if (step.do === 'initialized') bench.run(() => session.initialized());
  else if (step.do === 'unrelated') bench.run((outbox) => session.unrelated(mark(), outbox));
  else if (step.do === 'listen') bench.attach();
  else if (step.do === 'resume' && wire?.lastEventId !== undefined) bench.attach(wire.lastEventId);
  else if (step.do === 'leave' && wire?.isOver === false) bench.leave(wire);
  if (reply === undefined || reply.remaining === 0) return;
  if (step.do === 'decide') bench.run((outbox) => session.decide(reply, outbox));
  if (step.do === 'related') bench.run((outbox) => session.related(reply, mark(), outbox));
  if (step.do === 'answer')
    bench.run((outbox) => session.answer(reply, '1', mark('answer'), outbox));
  if (step.do === 'withdraw') bench.run((outbox) => session.withdraw(reply, outbox));
}

describe('a session', () => {
  it('stays in its tables, as do its replies, and every way through them is walked', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 50, size: 'max' }), (steps) => {
        const bench = new Bench();
        for (const step of steps) apply(bench, step);
        for (const each of bench.seen) seen.add(each);
      }),
      { numRuns: 1000 },
    );
    for (const [from, inputs] of Object.entries(REPLY_TRANSITIONS)) {
      for (const to of Object.values(inputs)) expect(seen).toContain(`${from} > ${to}`);
    }
  });

  it('puts each message on one stream only, and no answer on the stream of no request', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 50, size: 'max' }), (steps) => {
        const bench = new Bench();
        for (const step of steps) apply(bench, step);
        const logged = [...bench.log.values()].flatMap((events) => events.map(({ data }) => data));
        expect(new Set(logged).size).toBe(logged.length);
        const main = (bench.log.get(0) ?? []).map(({ data }) => data);
        expect(main.filter((data) => data.includes('answer'))).toEqual([]);
        for (const wire of bench.wires)
          expect(new Set(wire.messages).size).toBe(wire.messages.length);
      }),
      { numRuns: 1000 },
    );
  });

  it('that has ended says nothing more, whatever comes', () => {
    const steps = fc.array(STEP, { maxLength: 30, size: 'max' });
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const bench = new Bench();
        for (const step of before) apply(bench, step);
        bench.run((outbox) => bench.session.end('client-ended', outbox));
        expect(bench.session.state).toBe('ended');
        expect(bench.wires.filter(({ form, isOver }) => form === 'stream' && !isOver)).toEqual([]);
        const streams = bench.wires.filter(({ form }) => form === 'stream').length;
        const count = bench.received.length;
        for (const step of after) {
          // Replies that were undecided are still answered, as JSON; nobody opens a stream.
          if (step.do === 'post') continue;
          apply(bench, step);
        }
        const json = bench.wires.filter(({ form }) => form === 'json');
        expect(bench.wires.filter(({ form }) => form === 'stream')).toHaveLength(streams);
        expect(bench.received.length - count).toBeLessThanOrEqual(json.length);
        expect(bench.session.state).toBe('ended');
      }),
    );
  });

  it('refuses event ids it did not mint, and those of streams it has forgotten', () => {
    const bench = new Bench();
    const { wire } = bench.attach();
    expect(bench.attach('junk').isRefused).toBe(true);
    expect(bench.attach(wire.lastEventId).isRefused).toBe(false);
    const other = new Session({ ...FACTS, salt: 8 });
    expect(other.attach(new Wire(), wire.lastEventId, [])).toEqual({ error: 'UNKNOWN_EVENT' });
  });
});

describe('a reply', () => {
  it('is JSON when answered first, an array for a batch, and nothing when all was cancelled', () => {
    const bench = new Bench();
    const { session } = bench;
    const one = bench.post(BOTH);
    bench.run((outbox) => session.answer(one.reply, '1', '"a"', outbox));
    const batch = bench.post(BOTH, 3, true);
    bench.run((outbox) => session.answer(batch.reply, '1', '"a"', outbox));
    bench.run((outbox) => session.withdraw(batch.reply, outbox));
    bench.run((outbox) => session.answer(batch.reply, '3', '"c"', outbox));
    const none = bench.post(ONLY_JSON, 2, true);
    for (let i = 0; i < 2; i += 1) bench.run((outbox) => session.withdraw(none.reply, outbox));
    expect([one, batch, none].map(({ wire }) => [wire.form, wire.messages])).toEqual([
      ['json', ['"a"']],
      ['json', ['["a","c"]']],
      ['json', []],
    ]);
  });

  it('is a stream once it is decided, related, or asked to be one, and ends after its last answer', () => {
    for (const begin of [
      (bench: Bench, reply: Reply) => bench.run((out) => bench.session.decide(reply, out)),
      (bench: Bench, reply: Reply) => bench.run((out) => bench.session.related(reply, '"r"', out)),
    ]) {
      const bench = new Bench();
      const { reply, wire } = bench.post(BOTH, 2, true);
      bench.run((outbox) => bench.session.answer(reply, '1', '"a"', outbox));
      begin(bench, reply);
      expect([wire.form, wire.messages[0], wire.isOver]).toEqual(['stream', '"a"', false]);
      bench.run((outbox) => bench.session.answer(reply, '2', '"b"', outbox));
      expect([wire.messages.at(-1), wire.isOver]).toEqual(['"b"', true]);
    }
  });

  it('whose client takes only JSON sends what is related to the stream of no request', () => {
    const bench = new Bench();
    const { wire: main } = bench.attach();
    const { reply, wire } = bench.post(ONLY_JSON);
    bench.run((outbox) => bench.session.decide(reply, outbox));
    bench.run((outbox) => bench.session.related(reply, '"r"', outbox));
    bench.run((outbox) => bench.session.answer(reply, '1', '"a"', outbox));
    expect([main.messages, wire.form, wire.messages]).toEqual([['"r"'], 'json', ['"a"']]);
  });

  it('whose client left before it could be told an event id is answered to nobody', () => {
    const bench = new Bench();
    const { reply, wire } = bench.post(BOTH);
    bench.leave(wire);
    expect(reply.state).toBe('unreachable');
    bench.run((outbox) => bench.session.decide(reply, outbox));
    bench.run((outbox) => bench.session.answer(reply, '1', '"a"', outbox));
    expect([reply.state, bench.received, bench.log.size]).toEqual(['ended', [], 0]);
  });

  it('whose client left a stream is kept, and given to it when it comes back', () => {
    const bench = new Bench();
    const { reply, wire } = bench.post(ONLY_STREAM);
    bench.leave(wire);
    bench.run((outbox) => bench.session.answer(reply, '1', '"a"', outbox));
    const back = bench.attach(wire.lastEventId);
    expect([back.wire.messages, back.wire.isOver]).toEqual([['"a"'], true]);
  });

  it('that was written into a dead connection is given again after a thousand others', () => {
    const bench = new Bench();
    const { session } = bench;
    const { reply, wire } = bench.post(ONLY_STREAM);
    const { lastEventId } = wire;
    bench.run((outbox) => session.answer(reply, '1', '"written"', outbox));
    for (let i = 0; i < 1000; i += 1) answerOne(bench);
    expect(bench.attach(lastEventId).wire.messages).toEqual(['"written"']);
  });

  it('that nobody fetched outlives those that were, and all of them have a bound', () => {
    const bench = new Bench();
    const { session } = bench;
    const lost = bench.post(ONLY_STREAM);
    bench.leave(lost.wire);
    bench.run((outbox) => session.answer(lost.reply, '1', '"kept"', outbox));
    for (let i = 0; i < 2000; i += 1) answerOne(bench);
    expect([...session.streams()].length).toBe(1 + 1024);
    expect(bench.log.size).toBe(1024);
    expect(bench.attach(lost.wire.lastEventId).wire.messages).toEqual(['"kept"']);
    for (let i = 0; i < 2000; i += 1) answerOne(bench, true);
    expect([...session.streams()].length).toBe(1 + 1024);
  });
});

function answerOne(bench: Bench, isLost = false): void {
  const { reply, wire } = bench.post(ONLY_STREAM);
  if (isLost) bench.leave(wire);
  bench.run((outbox) => bench.session.answer(reply, '1', '"a"', outbox));
}
