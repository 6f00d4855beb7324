import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  coversUri,
  filterText,
  isEmptyFilter,
  readFilter,
  Subscriptions,
  SUBSCRIPTION_TRANSITIONS,
  type Filter,
  type Subscription,
  type SubscriptionDecision,
} from './subscription.ts';

const URIS = ['file:///a', 'file:///b', 'file:///c'];
const FILTER: fc.Arbitrary<Filter> = fc.record({
  toolsListChanged: fc.boolean(),
  promptsListChanged: fc.boolean(),
  resourcesListChanged: fc.boolean(),
  uris: fc.subarray(URIS).map((uris) => new Set(uris)),
});
const CHANGES = [
  ['notifications/tools/list_changed', undefined],
  ['notifications/prompts/list_changed', undefined],
  ['notifications/resources/list_changed', undefined],
  ...URIS.map((uri) => ['notifications/resources/updated', uri] as const),
] as const;

/** An upstream that accepts listens when it is told to, and the books on them. */
class Bench {
  readonly subscriptions = new Subscriptions();
  readonly clients: Subscription[] = [];
  readonly acknowledged = new Set<Subscription>();
  /** Listens open upstream, with what each asked for; the last is the newest. */
  readonly open = new Map<number, Filter>();
  #accepted: number | undefined;
  #unanswered: number | undefined;
  #next = 1;

  run(input: (outbox: SubscriptionDecision[]) => unknown): void {
    const states = this.clients.map(({ state }) => state);
    const outbox: SubscriptionDecision[] = [];
    input(outbox);
    for (const [index, from] of states.entries()) {
      const to = this.clients[index]?.state ?? from;
      if (to !== from) expect(Object.values(SUBSCRIPTION_TRANSITIONS[from])).toContain(to);
    }
    for (const decision of outbox) this.#carryOut(decision);
  }

  listen(filter: Filter): void {
    this.run((outbox) => this.clients.push(this.subscriptions.open(filter, outbox)));
  }

  /** Upstream accepts what was asked last, of which it honours what `honours` says. */
  accept(honours: Filter): void {
    const number = this.#unanswered;
    const asked = number === undefined ? undefined : this.open.get(number);
    if (number === undefined || asked === undefined) return;
    this.#unanswered = undefined;
    this.#accepted = number;
    const honoured = {
      toolsListChanged: asked.toolsListChanged && honours.toolsListChanged,
      promptsListChanged: asked.promptsListChanged && honours.promptsListChanged,
      resourcesListChanged: asked.resourcesListChanged && honours.resourcesListChanged,
      uris: new Set([...asked.uris].filter((uri) => honours.uris.has(uri))),
    };
    this.run((outbox) => this.subscriptions.acknowledged(number, honoured, outbox));
  }

  /** Upstream ends one of its listens. */
  end(place: number): void {
    const number = [...this.open.keys()][place];
    if (number === undefined) return;
    this.open.delete(number);
    if (this.#unanswered === number) this.#unanswered = undefined;
    this.run((outbox) => this.subscriptions.ended(number, outbox));
  }

  restart(): void {
    this.open.clear();
    this.#unanswered = undefined;
    this.#accepted = undefined;
    this.run((outbox) => this.subscriptions.restarted(outbox));
  }

  receivers(method: string, uri: string | undefined): readonly Subscription[] {
    const found = [...this.open.keys()].flatMap((number) => [
      ...this.subscriptions.receivers(number, method, uri),
    ]);
    expect(new Set(found).size).toBe(found.length);
    return found;
  }

  #carryOut(decision: SubscriptionDecision): void {
    if (decision.do === 'listen') {
      expect(this.#unanswered).toBeUndefined();
      const number = this.#next;
      this.#next += 1;
      this.open.set(number, decision.filter);
      this.#unanswered = number;
      this.subscriptions.asked(number, decision.filter);
    } else if (decision.do === 'unlisten') {
      expect(this.open.delete(decision.number)).toBe(true);
    } else {
      expect(this.acknowledged.has(decision.subscription)).toBe(false);
      expect(this.#accepted).toBeDefined();
      this.acknowledged.add(decision.subscription);
    }
  }
}

const PLACE = fc.nat(4);
const STEP = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('listen' as const), filter: FILTER }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('close' as const), place: PLACE }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('accept' as const), filter: FILTER }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), place: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);
type Step = typeof STEP extends fc.Arbitrary<infer Each> ? Each : never;

function apply(bench: Bench, step: Step): void {
  if (step.do === 'listen') bench.listen(step.filter);
  else if (step.do === 'accept') bench.accept(step.filter);
  else if (step.do === 'end') bench.end(step.place);
  else if (step.do === 'restart') bench.restart();
  else {
    const client = bench.clients[step.place];
    if (client !== undefined) bench.run((out) => bench.subscriptions.close(client, out));
  }
}

function isWithin(narrow: Filter, wide: Filter): boolean {
  return (
    (!narrow.toolsListChanged || wide.toolsListChanged) &&
    (!narrow.promptsListChanged || wide.promptsListChanged) &&
    (!narrow.resourcesListChanged || wide.resourcesListChanged) &&
    [...narrow.uris].every((uri) => wide.uris.has(uri))
  );
}

function asksFor(filter: Filter, method: string, uri: string | undefined): boolean {
  if (uri !== undefined) return filter.uris.has(uri);
  if (method.includes('tools')) return filter.toolsListChanged;
  return method.includes('prompts') ? filter.promptsListChanged : filter.resourcesListChanged;
}

describe('many listeners over one listen', () => {
  it('stay in their table, are acknowledged once, and get no more than they asked for', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 40, size: 'max' }), (steps) => {
        const bench = new Bench();
        for (const step of steps) {
          apply(bench, step);
          for (const [method, uri] of CHANGES) {
            for (const receiver of bench.receivers(method, uri)) {
              expect(receiver.state).toBe('listening');
              expect(bench.acknowledged.has(receiver)).toBe(true);
              expect(asksFor(receiver.filter, method, uri)).toBe(true);
            }
          }
          for (const client of bench.clients) {
            expect(isWithin(client.honoured, client.filter)).toBe(true);
          }
          const living = bench.clients.filter(({ state }) => state !== 'ended');
          expect(new Set(bench.subscriptions.all())).toEqual(new Set(living));
          expect(bench.open.size).toBeLessThanOrEqual(2);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are all acknowledged in the end, and hear whatever they were promised', () => {
    const everything = { ...readFilter(undefined), uris: new Set(URIS) };
    const all: Filter = {
      ...everything,
      toolsListChanged: true,
      promptsListChanged: true,
      resourcesListChanged: true,
    };
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 30, size: 'max' }), (steps) => {
        const bench = new Bench();
        for (const step of steps) apply(bench, step);
        for (let i = 0; i < 4; i += 1) bench.accept(all);
        for (const client of bench.clients) {
          if (client.state === 'ended') continue;
          expect(client.state).toBe('listening');
          for (const [method, uri] of CHANGES) {
            if (!asksFor(client.honoured, method, uri)) continue;
            expect(bench.receivers(method, uri)).toContain(client);
          }
        }
        expect(bench.open.size).toBe(bench.subscriptions.size === 0 ? 0 : 1);
      }),
      { numRuns: 300 },
    );
  });

  it('lose nothing while a wider listen is opened: the old one goes after the new one was accepted', () => {
    const subscriptions = new Subscriptions();
    const outbox: SubscriptionDecision[] = [];
    const tools = { ...readFilter({ toolsListChanged: true }) };
    const first = subscriptions.open(tools, outbox);
    subscriptions.asked(1, tools);
    subscriptions.acknowledged(1, tools, outbox);
    outbox.length = 0;
    const both = readFilter({ toolsListChanged: true, promptsListChanged: true });
    const second = subscriptions.open(both, outbox);
    expect(outbox).toEqual([{ do: 'listen', filter: both }]);
    subscriptions.asked(2, both);
    const method = 'notifications/tools/list_changed';
    expect([...subscriptions.receivers(1, method, undefined)]).toEqual([first]);
    outbox.length = 0;
    subscriptions.acknowledged(2, both, outbox);
    expect(outbox).toEqual([
      { do: 'unlisten', number: 1 },
      { do: 'acknowledge', subscription: second },
    ]);
    expect([...subscriptions.receivers(1, method, undefined)]).toEqual([]);
    expect([...subscriptions.receivers(2, method, undefined)]).toEqual([first, second]);
  });

  it('have a resource asked for again that was not honoured before they came', () => {
    const subscriptions = new Subscriptions();
    const wanted = readFilter({ resourceSubscriptions: URIS });
    const honoured = readFilter({ resourceSubscriptions: URIS.slice(1) });
    const outbox: SubscriptionDecision[] = [];
    const first = subscriptions.open(wanted, outbox);
    subscriptions.asked(1, wanted);
    subscriptions.acknowledged(1, honoured, outbox);
    expect(outbox.at(-1)).toEqual({ do: 'acknowledge', subscription: first });
    const content = subscriptions.open(honoured, outbox);
    expect(outbox.at(-1)).toEqual({ do: 'acknowledge', subscription: content });
    const second = subscriptions.open(wanted, outbox);
    expect(outbox.at(-1)).toEqual({ do: 'listen', filter: wanted });
    subscriptions.asked(2, wanted);
    subscriptions.acknowledged(2, honoured, outbox);
    expect(outbox.at(-1)).toEqual({ do: 'acknowledge', subscription: second });
    expect(second.honoured).toEqual(honoured);
  });

  it('end with the listen they depend on, and no others', () => {
    const subscriptions = new Subscriptions();
    const tools = readFilter({ toolsListChanged: true });
    const prompts = readFilter({ promptsListChanged: true });
    const listening = subscriptions.open(tools, []);
    subscriptions.asked(1, tools);
    subscriptions.acknowledged(1, tools, []);
    const waiting = subscriptions.open(prompts, []);
    subscriptions.asked(2, prompts);
    expect(subscriptions.ended(7, [])).toEqual([]);
    expect(subscriptions.ended(2, [])).toEqual([waiting]);
    expect([listening.state, waiting.state]).toEqual(['listening', 'ended']);
    expect(subscriptions.ended(1, [])).toEqual([listening]);
    expect(subscriptions.size).toBe(0);
  });
});

describe('a filter', () => {
  it('is read back as what was written', () => {
    fc.assert(
      fc.property(FILTER, (filter) => {
        expect(readFilter(JSON.parse(filterText(filter)))).toEqual(filter);
        expect(isEmptyFilter(filter)).toBe(filterText(filter) === '{}');
      }),
    );
  });

  it('takes nothing but what it knows, from anything', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const { uris, ...flags } = readFilter(value);
        for (const flag of Object.values(flags)) expect(typeof flag).toBe('boolean');
        for (const uri of uris) expect(typeof uri).toBe('string');
      }),
    );
    const odd = { toolsListChanged: 'true', resourceSubscriptions: ['a', 1, null], x: true };
    expect(filterText(readFilter(odd))).toBe('{"resourceSubscriptions":["a"]}');
  });

  it('of a URI covers what lies beneath it, and not what only begins alike', () => {
    const uris = new Set(['file:///dir', 'mem://x/']);
    for (const uri of ['file:///dir', 'file:///dir/a', 'mem://x/', 'mem://x/y']) {
      expect([uri, coversUri(uris, uri)]).toEqual([uri, true]);
    }
    for (const uri of ['file:///directory', 'file:///', 'mem://x', 'mem://xy']) {
      expect([uri, coversUri(uris, uri)]).toEqual([uri, false]);
    }
  });

  it('of many URIs is not walked through for one that is told', () => {
    const uris = Array.from({ length: 1000 }, (_, index) => `mem://x/${index}`);
    const walked: string[] = [];
    const counted = new Set(uris);
    counted[Symbol.iterator] = function* walk() {
      for (const uri of uris) {
        walked.push(uri);
        yield uri;
      }
      return undefined;
    };
    expect(coversUri(counted, 'mem://x/999/deep/in/it')).toBe(true);
    expect(coversUri(counted, 'mem://y/999/deep/in/it')).toBe(false);
    expect(walked).toEqual([]);
    // One that is too long for that is found all the same.
    expect(coversUri(counted, `mem://x/999/${'d'.repeat(1000)}`)).toBe(true);
    expect(coversUri(counted, `mem://y/999/${'d'.repeat(1000)}`)).toBe(false);
  });

  it('covers a URI just as if each were looked at', () => {
    const part = fc.array(fc.constantFrom('/', 'a', 'b'), { maxLength: 6 });
    const text = part.map((letters) => letters.join(''));
    fc.assert(
      fc.property(fc.array(text), text, (all, uri) => {
        const isIn = (each: string): boolean =>
          uri === each || uri.startsWith(each.endsWith('/') ? each : `${each}/`);
        expect(coversUri(new Set(all), uri)).toBe(all.some(isIn));
      }),
    );
  });
});
