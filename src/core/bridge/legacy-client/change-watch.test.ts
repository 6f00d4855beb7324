import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Filter } from '../../sessions/subscription.ts';
import { changingLists, ChangeWatch, type WatchOutbox, type WatchOutcome } from './change-watch.ts';

const TOOLS = changingLists({ tools: { listChanged: true } });
const NO_LISTS = changingLists({});
const UPDATED = 'notifications/resources/updated';

/** The machine, the listens it has open, and what those who waited were told. */
class Bench {
  readonly watch = new ChangeWatch<string>();
  readonly open = new Map<number, Filter>();
  readonly told: [string, WatchOutcome][] = [];
  readonly lookedAgain: Filter[] = [];
  newest = 0;
  reopens = 0;

  run(input: (outbox: WatchOutbox<string>) => void): this {
    const outbox: WatchOutbox<string> = [];
    input(outbox);
    for (const decision of outbox) {
      if (decision.do === 'open') {
        expect(this.open.has(decision.number)).toBe(false);
        this.open.set(decision.number, decision.filter);
        this.newest = decision.number;
      } else if (decision.do === 'close') expect(this.open.delete(decision.number)).toBe(true);
      else if (decision.do === 'answer') this.told.push([decision.waiter, decision.outcome]);
      else if (decision.do === 'look-again') this.lookedAgain.push(decision.filter);
      else this.reopens += 1;
    }
    return this;
  }

  begin(lists: Filter): this {
    return this.run((outbox) => this.watch.begin(lists, outbox));
  }

  subscribe(uri: string, waiter = uri): this {
    return this.run((outbox) => this.watch.subscribe(uri, waiter, outbox));
  }

  unsubscribe(uri: string): this {
    return this.run((outbox) => this.watch.unsubscribe(uri, outbox));
  }

  acknowledge(number = this.newest, honoured = this.open.get(number) ?? NO_LISTS): this {
    return this.run((outbox) => this.watch.acknowledged(number, honoured, outbox));
  }

  end(number = this.newest, isFinal = false): this {
    this.open.delete(number);
    return this.run((outbox) => this.watch.ended(number, isFinal, outbox));
  }

  again(): this {
    return this.run((outbox) => this.watch.again(outbox));
  }
}

describe('what a session hears of changes', () => {
  it('needs no listen when there is nothing to hear', () => {
    const bench = new Bench().begin(NO_LISTS);
    expect(bench.open.size).toBe(0);
    bench.subscribe('a').acknowledge().unsubscribe('a');
    expect(bench.open.size).toBe(0);
  });

  it('widens before it gives the narrower listen up, and answers only then', () => {
    const bench = new Bench().begin(TOOLS).acknowledge();
    bench.subscribe('a');
    expect(bench.told).toEqual([]);
    expect([...bench.open.keys()]).toEqual([1, 2]);
    expect(bench.watch.tells(1, 'notifications/tools/list_changed', undefined)).toBe(true);
    expect(bench.watch.tells(2, 'notifications/tools/list_changed', undefined)).toBe(false);
    bench.acknowledge(2);
    expect([...bench.open.keys()]).toEqual([2]);
    expect(bench.told).toEqual([['a', 'honoured']]);
    expect(bench.watch.tells(1, UPDATED, 'a')).toBe(false);
    expect(bench.watch.tells(2, UPDATED, 'a')).toBe(true);
  });

  it('answers at once what is heard already, and together what came meanwhile', () => {
    const bench = new Bench().begin(NO_LISTS).subscribe('a').subscribe('b').subscribe('c');
    bench.acknowledge();
    expect(bench.told).toEqual([['a', 'honoured']]);
    expect([...(bench.open.get(2)?.uris ?? [])]).toEqual(['a', 'b', 'c']);
    bench.acknowledge().subscribe('a', 'again');
    expect(bench.told.slice(1)).toEqual([
      ['b', 'honoured'],
      ['c', 'honoured'],
      ['again', 'honoured'],
    ]);
    expect(bench.open.size).toBe(1);
  });

  it('says what the server does not tell of, and does not ask for it again', () => {
    const bench = new Bench().begin(TOOLS).acknowledge().subscribe('a').acknowledge(2, TOOLS);
    expect(bench.told).toEqual([['a', 'not-honoured']]);
    expect(bench.watch.tells(2, UPDATED, 'a')).toBe(false);
    bench.subscribe('b');
    expect([...(bench.open.get(3)?.uris ?? [])]).toEqual(['b']);
  });

  it('tells nothing more of what was unsubscribed', () => {
    const bench = new Bench().begin(TOOLS).subscribe('a').acknowledge().acknowledge();
    expect(bench.watch.tells(2, UPDATED, 'a/b')).toBe(true);
    bench.unsubscribe('a');
    expect(bench.watch.tells(2, UPDATED, 'a')).toBe(false);
    expect(bench.open.size).toBe(1);
  });

  it('subscribes nothing that was given up while it waited, by its client or by its call', () => {
    const bench = new Bench().begin(TOOLS).acknowledge();
    bench.subscribe('a', 'first').subscribe('b', 'second').subscribe('c', 'third');
    bench.watch.withdraw('first');
    bench.watch.withdraw('second');
    bench.unsubscribe('c');
    expect(bench.told).toEqual([['third', 'honoured']]);
    bench.acknowledge();
    expect(bench.watch.wanted).toEqual([]);
    expect([...bench.open.keys()]).toEqual([2]);
    expect(bench.watch.tells(2, UPDATED, 'a')).toBe(false);
    bench.subscribe('a', 'fourth').subscribe('a', 'fifth');
    bench.watch.withdraw('fourth');
    bench.acknowledge().acknowledge();
    expect(bench.told).toEqual([
      ['third', 'honoured'],
      ['fifth', 'honoured'],
    ]);
    expect(bench.watch.wanted).toEqual(['a']);
  });

  it('opens a lost listen again a little later, and says that changes may have been missed', () => {
    const bench = new Bench().begin(TOOLS).acknowledge().subscribe('a').acknowledge();
    bench.end();
    expect([bench.open.size, bench.reopens]).toEqual([0, 1]);
    bench.again().acknowledge();
    expect(bench.lookedAgain).toHaveLength(1);
    expect(bench.lookedAgain[0]).toMatchObject({ toolsListChanged: true });
    expect([...(bench.lookedAgain[0]?.uris ?? [])]).toEqual(['a']);
    bench.subscribe('b').acknowledge();
    expect(bench.lookedAgain).toHaveLength(1);
  });

  it('gives up where a listen would always end, but tries for each subscription', () => {
    const bench = new Bench().begin(TOOLS).end(1, true);
    expect(bench.reopens).toBe(0);
    bench.subscribe('a').end(2, true);
    expect(bench.told).toEqual([['a', 'failed']]);
    expect(bench.reopens).toBe(0);
  });

  it('a wider listen that ends leaves the narrower one as it is', () => {
    const bench = new Bench().begin(TOOLS).acknowledge().subscribe('a').end(2);
    expect(bench.told).toEqual([['a', 'failed']]);
    expect([...bench.open.keys()]).toEqual([1]);
    expect(bench.reopens).toBe(0);
    expect(bench.watch.tells(1, 'notifications/tools/list_changed', undefined)).toBe(true);
  });
});

it('the lists that may change are those the server says', () => {
  expect(changingLists({ tools: { listChanged: true }, prompts: {}, resources: null })).toEqual({
    toolsListChanged: true,
    promptsListChanged: false,
    resourcesListChanged: false,
    uris: new Set(),
  });
});

it('whatever happens: one listen told, one more at most, every subscription answered once', () => {
  const URIS = ['a', 'b', 'c'];
  const INPUT = fc.tuple(
    fc.constantFrom(
      'subscribe',
      'withdraw',
      'unsubscribe',
      'acknowledge',
      'refuse',
      'end',
      'again',
    ),
    fc.constantFrom(...URIS),
    fc.boolean(),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(INPUT, { maxLength: 40 }), (hasLists, inputs) => {
      const bench = new Bench().begin(hasLists ? TOOLS : NO_LISTS);
      let asked = 0;
      const withdrawn = new Set<string>();
      for (const [what, uri, isFinal] of inputs) {
        const numbers = [...bench.open.keys()];
        const number = (isFinal ? numbers[0] : numbers.at(-1)) ?? 0;
        if (what === 'subscribe') bench.subscribe(uri, String(asked++));
        else if (what === 'withdraw' && asked > 0) {
          const waiter = String(asked - 1);
          const isTold = bench.told.some(([each]) => each === waiter);
          bench.watch.withdraw(waiter);
          if (!isTold) withdrawn.add(waiter);
        } else if (what === 'unsubscribe') bench.unsubscribe(uri);
        else if (what === 'acknowledge') bench.acknowledge(number);
        else if (what === 'refuse') bench.acknowledge(number, NO_LISTS);
        else if (what === 'end') bench.end(number, isFinal);
        else bench.again();
        expect(bench.open.size).toBeLessThanOrEqual(2);
        const telling = [...bench.open.keys()].filter((each) =>
          bench.watch.tells(each, 'notifications/tools/list_changed', undefined),
        );
        expect(telling.length).toBeLessThanOrEqual(1);
        expect(bench.told.length).toBeLessThanOrEqual(asked);
      }
      for (let tries = 0; tries < 5; tries += 1) bench.acknowledge();
      expect(bench.told.map(([waiter]) => waiter).toSorted()).toEqual(
        Array.from({ length: asked }, (_, index) => String(index))
          .filter((each) => !withdrawn.has(each))
          .toSorted(),
      );
      bench.run((outbox) => bench.watch.stop(outbox));
      expect(bench.open.size).toBe(0);
    }),
  );
});
