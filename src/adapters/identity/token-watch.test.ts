import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { invalid, type TokenFacts, type TokenOutcome, UNAVAILABLE } from './token-facts.ts';
import { TokenWatch } from './token-watch.ts';
import { VerifiedTokens } from './verified-tokens.ts';

class Stage {
  readonly clock = new VirtualClock();
  readonly open = new Set<string>();
  gathered = 0;
  readonly ended: string[] = [];
  readonly asked: string[] = [];
  isStanding = true;
  endsInMs = 600_000;
  outcome: TokenOutcome | undefined;
  /** Answers are given once this resolves. */
  gate: Promise<void> | undefined;
  readonly tokens: VerifiedTokens;
  readonly watch: TokenWatch;

  constructor(keptMsMax = 8000) {
    const { clock } = this;
    const opened = {
      ids: () => {
        this.gathered += 1;
        return new Set(this.open);
      },
      ended: (issuer: string, id: string) => void this.ended.push(`${issuer} ${id}`),
    };
    this.watch = new TokenWatch({ clock, opened, keptMsMax });
    const verify = async (token: string): Promise<TokenOutcome> => {
      this.asked.push(token);
      await this.gate;
      return this.outcome ?? { kind: 'facts', facts: this.facts(token) };
    };
    this.tokens = new VerifiedTokens(
      { verify },
      {
        clock,
        now: () => clock.now(),
        keptMsMax,
        failuresPerSecondMax: 1,
        onEnded: (token) => this.watch.ended(token),
      },
    );
    this.watch.start(this.tokens);
  }

  facts(token: string): TokenFacts {
    return {
      claims: { jti: token },
      issuer: 'i',
      expiresAt: this.clock.now() + this.endsInMs,
      binding: { jkt: undefined, x5t: undefined },
      isStanding: () => this.isStanding,
    };
  }

  async verify(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.tokens.verify(name, name, '192.0.2.1');
    this.asked.length = 0;
  }

  /** Time goes by, and whatever is asked meanwhile is answered. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      this.clock.advance(Math.min(500, left));
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
  }
}

describe('a token with something open', () => {
  it('is asked about again when its answer is old, and ends with what it opened', async () => {
    const stage = new Stage();
    await stage.verify('a', 'b');
    stage.open.add('jti:a');
    await stage.pass(7500);
    expect(stage.asked).toEqual([]);
    await stage.pass(2500);
    expect(stage.asked).toEqual(['a']);
    await stage.pass(10_000);
    expect([stage.asked, stage.ended]).toEqual([['a', 'a'], []]);
    expect(stage.tokens.kept('a')).toBeDefined();
    stage.outcome = invalid('inactive');
    await stage.pass(10_000);
    expect(stage.ended).toEqual(['i jti:a']);
    expect(stage.tokens.kept('a')).toBeUndefined();
    await stage.pass(60_000);
    expect([stage.asked.length, stage.ended.length]).toEqual([3, 1]);
  });

  it('is asked about at once when the key is gone that it was verified by', async () => {
    const stage = new Stage(Infinity);
    await stage.verify('a', 'b');
    stage.open.add('jti:a');
    await stage.pass(60_000);
    expect(stage.asked).toEqual([]);
    stage.isStanding = false;
    stage.outcome = invalid('key');
    await stage.pass(5000);
    expect([stage.asked, stage.ended]).toEqual([['a'], ['i jti:a']]);
  });

  it('goes on while nobody can tell, and is asked about until somebody can', async () => {
    const stage = new Stage();
    await stage.verify('a');
    stage.open.add('jti:a');
    stage.outcome = UNAVAILABLE;
    await stage.pass(16_000);
    expect([stage.asked.length > 2, stage.ended]).toEqual([true, []]);
    stage.outcome = invalid('inactive');
    await stage.pass(2000);
    expect(stage.ended).toEqual(['i jti:a']);
  });

  it('ends when a request shows that it counts no more, too', async () => {
    const stage = new Stage();
    await stage.verify('a', 'b');
    stage.open.add('jti:a');
    stage.clock.advance(8000);
    stage.outcome = invalid('inactive');
    await stage.verify('a');
    await stage.verify('b');
    expect(stage.ended).toEqual(['i jti:a']);
  });

  it('is one of eight at most that are asked about at a time, and nobody else waits for them', async () => {
    const stage = new Stage();
    const names = Array.from({ length: 20 }, (_, n) => `${n}`);
    await stage.verify(...names);
    for (const name of names) stage.open.add(`jti:${name}`);
    let answer = (): void => {};
    stage.gate = new Promise((resolve) => {
      answer = resolve;
    });
    stage.outcome = invalid('inactive');
    await stage.pass(20_000);
    expect(stage.asked).toHaveLength(8);
    answer();
    await stage.pass(2000);
    expect([stage.asked.length, stage.ended.length]).toEqual([20, 20]);
    // None of them is a failure of anybody's.
    expect(stage.tokens.verify('new', 'new', '192.0.2.1')).toBeInstanceOf(Promise);
  });

  it('ends by itself without being asked about, and is looked after no more once that is closed', async () => {
    const stage = new Stage();
    stage.endsInMs = 8000;
    await stage.verify('a');
    stage.open.add('jti:a');
    await stage.pass(20_000);
    expect([stage.asked, stage.ended, stage.tokens.size]).toEqual([[], [], 0]);
    stage.endsInMs = 600_000;
    await stage.verify('a');
    stage.watch.close();
    await stage.pass(20_000);
    expect(stage.asked).toEqual([]);
  });
});

it('what is open is gathered once a second, however many tokens are new', async () => {
  const stage = new Stage();
  const known = { token: 'a', digest: 'a', facts: stage.facts('a') };
  const isOpen = (): boolean => stage.watch.isOpen(known);
  stage.clock.advance(10_000);
  expect([isOpen(), isOpen(), stage.gathered]).toEqual([false, false, 1]);
  stage.open.add('jti:a');
  stage.clock.advance(999);
  expect([isOpen(), stage.gathered]).toEqual([false, 1]);
  stage.clock.advance(1);
  expect([isOpen(), stage.gathered]).toEqual([true, 2]);
});

describe('a round of questions', () => {
  it.each([
    ['a part of the time for which answers count', 8000, 2000],
    ['no more than a second apart where that is short', 2000, 1000],
    ['no more than five where answers count for ever', Infinity, 5000],
  ])('comes %s', async (_, keptMsMax, lookMs) => {
    const stage = new Stage(keptMsMax);
    await stage.verify('a');
    stage.open.add('jti:a');
    stage.isStanding = false;
    await stage.pass(lookMs - 1);
    expect(stage.asked).toEqual([]);
    await stage.pass(1);
    expect(stage.asked).toEqual(['a']);
  });

  it('waits for the one before it, whoever is left of that', async () => {
    const stage = new Stage();
    const names = Array.from({ length: 16 }, (_, n) => `${n}`);
    stage.endsInMs = 10_000;
    await stage.verify(...names.slice(0, 8));
    stage.endsInMs = 600_000;
    await stage.verify(...names.slice(8));
    for (const name of names) stage.open.add(`jti:${name}`);
    let answer = (): void => {};
    stage.gate = new Promise((resolve) => {
      answer = resolve;
    });
    await stage.pass(20_000);
    expect(stage.asked).toEqual(names.slice(0, 8));
    answer();
    await stage.pass(2000);
    expect(stage.asked).toEqual(names);
  });

  it('goes no further once the watch is closed, and nothing is left armed', async () => {
    const stage = new Stage();
    const names = Array.from({ length: 9 }, (_, n) => `${n}`);
    await stage.verify(...names);
    for (const name of names) stage.open.add(`jti:${name}`);
    let answer = (): void => {};
    stage.gate = new Promise((resolve) => {
      answer = resolve;
    });
    await stage.pass(8000);
    expect([stage.asked.length, stage.clock.pending]).toEqual([8, 1]);
    stage.watch.close();
    answer();
    await stage.pass(20_000);
    expect([stage.asked.length, stage.clock.pending]).toEqual([8, 0]);
  });
});

it('a token that opened nothing is forgotten a while after its answer is old', async () => {
  const stage = new Stage();
  await stage.verify('a');
  await stage.pass(67_000);
  expect(stage.tokens.size).toBe(1);
  await stage.pass(3000);
  expect([stage.tokens.size, stage.asked]).toEqual([0, []]);
});
