import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Message } from '../../protocol/message.ts';
import { InputRounds, ROUNDS_TRANSITIONS, type RoundsOutbox } from './input-rounds.ts';
import { LegacyClient } from './legacy-client.ts';

const ABLE = clientWith({ elicitation: { form: {}, url: {} }, sampling: {}, roots: {} });
const FORM = { method: 'elicitation/create', params: { message: 'm', requestedSchema: {} } };
const PAGE = {
  method: 'elicitation/create',
  params: { mode: 'url', url: 'https://e.example', elicitationId: 'theirs' },
};
const SAMPLE = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } };
const ROOTS = { method: 'roots/list' };

function clientWith(capabilities: object): LegacyClient {
  return new LegacyClient(JSON.stringify({ capabilities }), { name: 'us', version: '1' });
}

function answer(result: object): Message {
  return Message.result('1', JSON.stringify({ resultType: 'input_required', ...result }));
}

/** The machine with its decisions, each transition held against the table. */
class Bench {
  readonly rounds: InputRounds;
  #ids = 0;

  constructor(method = 'tools/call', client: LegacyClient = ABLE) {
    this.rounds = new InputRounds(method, client, () => `page ${++this.#ids}`);
  }

  run(input: (outbox: RoundsOutbox) => void): RoundsOutbox {
    const from = this.rounds.state;
    const outbox: RoundsOutbox = [];
    input(outbox);
    const to = this.rounds.state;
    if (to !== from) expect(Object.values(ROUNDS_TRANSITIONS[from])).toContain(to);
    return outbox;
  }

  required(result: object): RoundsOutbox {
    return this.run((outbox) => this.rounds.required(answer(result), outbox));
  }

  answered(key: string, payload = '{}'): RoundsOutbox {
    const message = Message.result('9', payload);
    return this.run((outbox) => this.rounds.answered(key, message, outbox));
  }
}

describe('a round of questions', () => {
  it('asks all of them, and repeats the request with every answer as it came', () => {
    const bench = new Bench();
    const asked = bench.required({
      inputRequests: { a: FORM, 'b "c"': ROOTS },
      requestState: 'st\u00e9te\ud800\n"',
    });
    expect(asked).toEqual([
      { do: 'wait', ms: 600_000 },
      { do: 'ask', key: 'a', method: FORM.method, params: JSON.stringify(FORM.params) },
      { do: 'ask', key: 'b "c"', method: 'roots/list' },
    ]);
    expect(bench.answered('b "c"', '{"roots":[],"n":1.0}')).toEqual([]);
    expect(bench.answered('b "c"', '{"roots":["again"]}')).toEqual([]);
    expect(bench.answered('a', '{"action":"decline"}')).toEqual([
      {
        do: 'retry',
        members: [
          '"inputResponses":{"b \\"c\\"":{"roots":[],"n":1.0},"a":{"action":"decline"}}',
          `"requestState":${JSON.stringify('st\u00e9te\ud800\n"')}`,
        ],
      },
    ]);
    expect(bench.rounds.state).toBe('calling');
  });

  it('carries no state the server did not give, and no answer of a round before', () => {
    const bench = new Bench();
    bench.required({ inputRequests: { a: FORM }, requestState: 'first' });
    bench.answered('a');
    bench.required({ inputRequests: { b: SAMPLE } });
    expect(bench.answered('b')).toEqual([{ do: 'retry', members: ['"inputResponses":{"b":{}}'] }]);
  });

  it('leaves numbers in what is asked as they came', () => {
    const bench = new Bench();
    const params = '{"message":"m","requestedSchema":{"maximum":9007199254740993}}';
    const text = `{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create","params":${params}}}}`;
    const asked = bench.run((outbox) => bench.rounds.required(Message.result('1', text), outbox));
    expect(asked).toContainEqual({ do: 'ask', key: 'a', method: 'elicitation/create', params });
  });

  it('without a question repeats the request after a pause that doubles', () => {
    const bench = new Bench();
    for (const ms of [250, 500, 1000]) {
      expect(bench.required({ requestState: 's' })).toEqual([{ do: 'wait', ms }]);
      expect(bench.rounds.state).toBe('pausing');
      expect(bench.run((outbox) => bench.rounds.waited(outbox))).toEqual([
        { do: 'retry', members: ['"requestState":"s"'] },
      ]);
    }
  });

  it('names pages, and says that they are done with when the server has answered', () => {
    const bench = new Bench();
    const asked = bench.required({ inputRequests: { a: PAGE, b: FORM } });
    const page = asked.find((each) => each.do === 'ask' && each.key === 'a');
    expect(JSON.parse((page as { params: string }).params)).toEqual({
      ...PAGE.params,
      elicitationId: 'page 1',
    });
    bench.answered('a');
    bench.answered('b');
    expect(bench.run((outbox) => bench.rounds.completed(outbox))).toEqual([
      { do: 'visited', elicitationId: 'page 1' },
    ]);
    expect(bench.rounds.state).toBe('finished');
  });

  it.each([
    ['elicitation/create', { roots: {}, sampling: {} }],
    ['sampling/createMessage', { roots: {}, elicitation: {} }],
    ['roots/list', { sampling: {}, elicitation: {} }],
  ])('asks nothing at all when %s is one thing too many', (method, capabilities) => {
    const bench = new Bench('tools/call', clientWith(capabilities));
    const outbox = bench.required({ inputRequests: { a: ROOTS, b: SAMPLE, c: FORM } });
    expect(outbox).toHaveLength(1);
    expect(outbox[0]).toMatchObject({
      do: 'fail',
      text: expect.stringContaining(method) as string,
    });
  });

  it.each([
    ['nothing', {}],
    ['an empty round', { inputRequests: {} }],
    ['a state that is no text', { requestState: 7 }],
    ['a question that is none', { inputRequests: { a: 'why' } }],
    ['a question without a method', { inputRequests: { a: {} } }],
    ['params that are no object', { inputRequests: { a: { method: 'roots/list', params: [] } } }],
    ['a question no client knows', { inputRequests: { a: { method: 'ping' } } }],
    [
      'more than a person would answer',
      { inputRequests: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`${n}`, ROOTS])) },
    ],
  ])('fails on %s', (_what, result) => {
    const bench = new Bench();
    expect(bench.required(result)).toEqual([
      { do: 'fail', text: expect.stringContaining('The server') as string },
    ]);
    expect(bench.rounds.state).toBe('finished');
  });

  it.each(['tools/list', 'completion/complete'])('fails in %s, which must not ask', (method) => {
    expect(new Bench(method).required({ inputRequests: { a: FORM } })).toMatchObject([
      { do: 'fail', text: expect.stringContaining(method) as string },
    ]);
  });

  it('fails when the client does, and takes the other questions back', () => {
    const bench = new Bench();
    bench.required({ inputRequests: { a: FORM, b: ROOTS, c: SAMPLE } });
    bench.answered('b');
    const error = Message.error('9', '{"code":-1,"message":"the user is asleep"}');
    expect(bench.run((outbox) => bench.rounds.answered('a', error, outbox))).toEqual([
      { do: 'withdraw', key: 'c' },
      { do: 'fail', text: expect.stringContaining('the user is asleep') as string },
    ]);
    expect(bench.answered('c')).toEqual([]);
  });

  it('fails when nobody answers in time, and when the server never has enough', () => {
    const late = new Bench();
    late.required({ inputRequests: { a: FORM } });
    expect(late.run((outbox) => late.rounds.waited(outbox))).toEqual([
      { do: 'withdraw', key: 'a' },
      { do: 'fail', text: 'The client did not answer within 10 minutes.' },
    ]);
    const endless = new Bench();
    for (let round = 1; round <= 8; round += 1) {
      endless.required({ inputRequests: { a: FORM } });
      expect(endless.answered('a')).toHaveLength(1);
    }
    expect(endless.required({ inputRequests: { a: FORM } })).toMatchObject([{ do: 'fail' }]);
  });
});

it('whatever comes in whatever order: one ask each, one answer each, at most eight retries', () => {
  const KEYS = ['a', 'b', 'c'];
  const INPUT = fc.oneof(
    fc.record({
      type: fc.constant('required' as const),
      keys: fc.subarray(KEYS),
      hasState: fc.boolean(),
    }),
    fc.record({
      type: fc.constant('answered' as const),
      key: fc.constantFrom(...KEYS),
      isError: fc.boolean(),
    }),
    fc.record({
      type: fc.constantFrom('waited' as const, 'completed' as const, 'abandoned' as const),
    }),
  );
  fc.assert(
    fc.property(fc.array(INPUT, { maxLength: 40 }), (inputs) => {
      const bench = new Bench();
      const open = new Set<string>();
      let retries = 0;
      let failures = 0;
      for (const input of inputs) {
        const wasOver = bench.rounds.state === 'finished';
        const outbox = bench.run((decisions) => {
          if (input.type === 'required') {
            const { keys, hasState } = input as { keys: string[]; hasState: boolean };
            const inputRequests = Object.fromEntries(keys.map((key) => [key, FORM]));
            const state = hasState ? { requestState: 's' } : {};
            bench.rounds.required(answer({ inputRequests, ...state }), decisions);
          } else if (input.type === 'answered') {
            const { key, isError } = input as { key: string; isError: boolean };
            const reply = isError ? Message.error('9', '{"code":1}') : Message.result('9', '{}');
            if (open.delete(key)) bench.rounds.answered(key, reply, decisions);
            else {
              bench.rounds.answered(key, reply, decisions);
              expect(decisions).toEqual([]);
            }
          } else {
            bench.rounds[input.type](decisions);
          }
        });
        if (wasOver) expect(outbox).toEqual([]);
        for (const decision of outbox) {
          if (decision.do === 'ask') {
            expect(open.has(decision.key)).toBe(false);
            open.add(decision.key);
          } else if (decision.do === 'withdraw') expect(open.delete(decision.key)).toBe(true);
          else if (decision.do === 'retry') {
            expect(open.size).toBe(0);
            retries += 1;
          } else if (decision.do === 'fail') failures += 1;
        }
        if (bench.rounds.state === 'finished') expect(open.size).toBe(0);
      }
      expect(retries).toBeLessThanOrEqual(8);
      expect(failures).toBeLessThanOrEqual(1);
    }),
  );
});
