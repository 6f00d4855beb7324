import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import type { Belonging } from './jwt-belonging.ts';
import {
  invalid,
  THROTTLED,
  type TokenFacts,
  type TokenOutcome,
  type TokenVerifier,
  UNAVAILABLE,
} from './token-facts.ts';
import {
  type KnownToken,
  tokenDigest,
  VerifiedTokens,
  type VerifiedTokensOptions,
} from './verified-tokens.ts';

const INVALID = invalid('signature');

class Stage {
  now = 1_000_000;
  calls = 0;
  isStanding = true;
  endsInMs = 60_000;
  claims: TokenFacts['claims'] = {};
  outcome: TokenOutcome | undefined;
  readonly tokens: VerifiedTokens;

  readonly clock = new VirtualClock();
  /** Holds back those that are verified, until it is settled. */
  gate: Promise<void> | undefined;

  constructor(options: Omit<VerifiedTokensOptions, 'now' | 'clock'> = {}) {
    const verify = async (): Promise<TokenOutcome> => {
      this.calls += 1;
      await this.gate;
      return this.outcome ?? { kind: 'facts', facts: this.facts() };
    };
    this.tokens = new VerifiedTokens(
      { verify },
      {
        ...options,
        clock: this.clock,
        now: () => this.now,
      },
    );
  }

  facts(): TokenFacts {
    const binding = { jkt: undefined, x5t: undefined };
    const expiresAt = this.now + this.endsInMs;
    const { claims } = this;
    return { claims, issuer: 'i', expiresAt, binding, isStanding: () => this.isStanding };
  }

  verify(name: string, address = '192.0.2.1'): Promise<TokenOutcome> {
    return Promise.resolve(this.tokens.verify(name, name, address));
  }
}

describe('a token that was verified', () => {
  it('V31 is kept until it ends, and not a moment longer', async () => {
    const stage = new Stage();
    const outcome = await stage.verify('a');
    expect(outcome.kind).toBe('facts');
    expect(stage.tokens.kept('a')).toBe(outcome.kind === 'facts' ? outcome.facts : undefined);
    stage.now += 59_999;
    expect(stage.tokens.kept('a')).toBeDefined();
    stage.now += 1;
    expect(stage.tokens.kept('a')).toBeUndefined();
    expect(stage.tokens.size).toBe(0);
  });

  it('is kept no longer than it may be', async () => {
    const stage = new Stage({ keptMsMax: 30_000 });
    await stage.verify('a');
    stage.now += 29_999;
    expect(stage.tokens.kept('a')).toBeDefined();
    stage.now += 1;
    expect(stage.tokens.kept('a')).toBeUndefined();
  });

  it('is not kept when it is over already, and not when it is not valid', async () => {
    const stage = new Stage();
    for (const endsInMs of [0, -1]) {
      stage.endsInMs = endsInMs;
      await stage.verify('a');
      expect(stage.tokens.size).toBe(0);
    }
    for (const outcome of [INVALID, UNAVAILABLE]) {
      stage.outcome = outcome;
      expect(await stage.verify('a')).toBe(outcome);
    }
    expect([stage.calls, stage.tokens.size, stage.tokens.kept('a')]).toEqual([4, 0, undefined]);
  });

  it('is verified anew when the clock was set back, or what verified it counts no more', async () => {
    const stage = new Stage();
    await stage.verify('a');
    stage.now -= 1;
    expect(stage.tokens.kept('a')).toBeUndefined();
    await stage.verify('a');
    stage.isStanding = false;
    expect(stage.tokens.kept('a')).toBeUndefined();
    stage.isStanding = true;
    expect(stage.tokens.kept('a')).toBeUndefined();
  });

  it('is verified once, however many wait for it, and again later', async () => {
    const stage = new Stage();
    const all = await Promise.all([stage.verify('a'), stage.verify('a'), stage.verify('b')]);
    expect([stage.calls, all[0] === all[1], all[0] === all[2]]).toEqual([2, true, false]);
    await stage.verify('a');
    expect(stage.calls).toBe(3);
  });

  it('makes room for another when there are too many: the longest unused', async () => {
    const stage = new Stage({ tokensMax: 2 });
    await stage.verify('a');
    await stage.verify('b');
    stage.now += 999;
    stage.tokens.kept('b');
    stage.now += 1;
    stage.tokens.kept('a');
    await stage.verify('c');
    expect(stage.tokens.size).toBe(2);
    const kept = ['a', 'b', 'c'].map((name) => stage.tokens.kept(name) !== undefined);
    // One that was used in the same second need not be put in its order again.
    expect(kept).toEqual([true, false, true]);
    stage.now += 1000;
    stage.tokens.kept('c');
    stage.now += 999;
    stage.tokens.kept('a');
    await stage.verify('d');
    expect(stage.tokens.kept('c')).toBeUndefined();
    expect(stage.tokens.kept('a')).toBeDefined();
  });

  it('stays while it has something open, however many come after it', async () => {
    const open = new Set(['a', 'b']);
    let looks = 0;
    const isOpen = ({ digest }: KnownToken): boolean => {
      looks += 1;
      return open.has(digest);
    };
    const stage = new Stage({ tokensMax: 2, isOpen });
    for (const name of ['a', 'b', 'c', 'd']) await stage.verify(name);
    const kept = ['a', 'b', 'c', 'd'].map((name) => stage.tokens.kept(name) !== undefined);
    expect(kept).toEqual([true, true, false, true]);
    looks = 0;
    await stage.verify('e');
    expect(looks).toBe(16);
    open.clear();
    await stage.verify('f');
    expect(stage.tokens.size).toBe(2);
    expect(stage.tokens.kept('f')).toBeDefined();
  });

  it('of one tenant makes room for no other’s, however many of those are shown', async () => {
    const stage = new Stage({ tokensMax: 4, tenantOf: ({ claims }) => String(claims['tenant']) });
    stage.claims = { tenant: 'quiet' };
    await stage.verify('a');
    await stage.verify('b');
    stage.claims = { tenant: 'noisy' };
    for (const name of ['c', 'd', 'e', 'f', 'g']) await stage.verify(name);
    const keptOf = (...names: string[]): readonly string[] =>
      names.filter((name) => stage.tokens.kept(name) !== undefined);
    expect(keptOf('a', 'b', 'c', 'd', 'e', 'f', 'g')).toEqual(['a', 'b', 'f', 'g']);
    // What is over leaves its room to all.
    stage.now += 60_000;
    stage.tokens.doubted(() => false);
    for (const name of ['h', 'i', 'j', 'k']) await stage.verify(name);
    expect(keptOf('h', 'i', 'j', 'k')).toEqual(['h', 'i', 'j', 'k']);
  });

  it('is put in its order again no more than once in a second', async () => {
    const stage = new Stage({ tokensMax: 2 });
    await stage.verify('a');
    await stage.verify('b');
    stage.now += 1000;
    stage.tokens.kept('a');
    stage.tokens.kept('b');
    stage.now += 999;
    stage.tokens.kept('a');
    await stage.verify('c');
    const kept = ['a', 'b', 'c'].map((name) => stage.tokens.kept(name) !== undefined);
    expect(kept).toEqual([false, true, true]);
  });

  it('is no more once its issuer says that it is over', async () => {
    const stage = new Stage({ keptMsMax: 1000 });
    await stage.verify('a');
    stage.now += 1000;
    stage.endsInMs = -1;
    await stage.verify('a');
    expect(stage.tokens.size).toBe(0);
  });

  it('is one of ten thousand when nothing is said', async () => {
    const stage = new Stage();
    for (let i = 0; i < 10_001; i += 1) await stage.verify(`${i}`);
    expect(stage.tokens.size).toBe(10_000);
    expect(stage.tokens.kept('0')).toBeUndefined();
  });
});

describe('tokens that are none', () => {
  it('of one address are looked at so often in a second, and those of others go on', async () => {
    const stage = new Stage({ failuresPerSecondMax: 2 });
    stage.outcome = INVALID;
    for (const name of ['a', 'b']) expect(await stage.verify(name)).toBe(INVALID);
    expect(await stage.verify('c')).toBe(THROTTLED);
    expect(await stage.verify('c', '192.0.2.2')).toBe(INVALID);
    expect(stage.calls).toBe(3);
    stage.clock.advance(1000);
    expect(await stage.verify('c')).toBe(INVALID);
  });

  it('are a hundred when nothing is said, and none that count or cannot be told', async () => {
    const stage = new Stage();
    for (const outcome of [UNAVAILABLE, undefined]) {
      stage.outcome = outcome;
      for (let i = 0; i < 101; i += 1) await stage.verify(`${i}`);
    }
    stage.outcome = INVALID;
    for (let i = 0; i < 100; i += 1) expect(await stage.verify(`${i}`)).toBe(INVALID);
    expect(await stage.verify('more')).toBe(THROTTLED);
    stage.clock.advance(10);
    expect(await stage.verify('more')).toBe(INVALID);
  });

  it('are not in the way of those that counted, whatever address they come from', async () => {
    const stage = new Stage({ keptMsMax: 1000, failuresPerSecondMax: 1, askingMax: 1 });
    await stage.verify('good');
    stage.outcome = INVALID;
    for (let i = 0; i < 20; i += 1) await stage.verify(`bad ${i}`);
    expect(await stage.verify('bad')).toEqual(THROTTLED);
    stage.outcome = undefined;
    stage.now += 1000;
    expect(stage.tokens.kept('good')).toBeUndefined();
    expect((await stage.verify('good')).kind).toBe('facts');
    expect(await stage.verify('bad')).toEqual(THROTTLED);
  });

  it('are no failures when another way in knows them, and left to it for ten minutes', async () => {
    const stage = new Stage({ failuresPerSecondMax: 2 });
    stage.outcome = INVALID;
    for (let i = 0; i < 10; i += 1) {
      const outcome = await stage.verify(`${i}`);
      stage.tokens.forgiving(outcome, `${i}`)?.();
      // Two requests may have waited for the same outcome.
      expect(stage.tokens.forgiving(outcome, `${i}`)).toBeUndefined();
    }
    expect(stage.calls).toBe(10);
    for (const ms of [0, 300_000, 299_999]) {
      stage.clock.advance(ms);
      expect(stage.tokens.verify('7', '7', '192.0.2.1')).toEqual(invalid('issuer'));
    }
    expect(stage.calls).toBe(10);
    // It may count here by now, and nowhere else: whoever goes on using it is not kept out by that.
    stage.outcome = undefined;
    stage.clock.advance(1);
    expect((await stage.verify('7')).kind).toBe('facts');
  });

  it('are no failures where others issue them, and are not read beyond the budget', async () => {
    const stage = new Stage({ failuresPerSecondMax: 2 });
    stage.outcome = INVALID;
    let read = 0;
    const verify = (name: string, belonging: Belonging) =>
      stage.tokens.verify(name, name, '192.0.2.1', () => {
        read += 1;
        return belonging;
      });
    for (let i = 0; i < 10; i += 1) {
      expect(verify(`f${i}`, 'foreign')).toEqual(invalid('issuer'));
      expect(verify(`u${i}`, 'unfit')).toEqual(invalid('malformed'));
    }
    expect([read, stage.calls]).toEqual([20, 0]);
    for (const name of ['a', 'b']) expect(await verify(name, 'ours')).toBe(INVALID);
    expect(verify('f0', 'foreign')).toBe(THROTTLED);
    expect([read, stage.calls]).toEqual([22, 2]);
  });

  it('are not asked whose they are when they counted before', async () => {
    const stage = new Stage({ keptMsMax: 1000 });
    await stage.verify('a');
    stage.now += 1000;
    const again = stage.tokens.verify('a', 'a', '192.0.2.1', () => 'foreign');
    expect((await again).kind).toBe('facts');
  });

  it('may not be more than a thousand at a time, that wait for what tells', async () => {
    const stage = new Stage();
    let open = (): void => {};
    stage.gate = new Promise((resolve) => {
      open = resolve;
    });
    const waiting = Array.from({ length: 1000 }, (_, i) => stage.verify(`${i}`));
    expect(await stage.verify('more')).toBe(THROTTLED);
    // One that is under way already is no other.
    waiting.push(stage.verify('7'));
    open();
    expect(new Set((await Promise.all(waiting)).map(({ kind }) => kind))).toEqual(
      new Set(['facts']),
    );
    expect((await stage.verify('more')).kind).toBe('facts');
  });
});

describe('a token whose answer is old', () => {
  const never = (): boolean => expect.fail('it is not in doubt');

  it('is doubted while it has anything open, and else forgotten after a while', async () => {
    const stage = new Stage({ keptMsMax: 1000 });
    stage.endsInMs = 600_000;
    await stage.verify('open');
    await stage.verify('quiet');
    stage.now += 999;
    expect(stage.tokens.doubted(never)).toEqual([]);
    const doubted = (): unknown => stage.tokens.doubted(({ token }) => token === 'open');
    const found = [{ token: 'open', digest: 'open', facts: { issuer: 'i' } }];
    stage.now += 1;
    expect(doubted()).toMatchObject(found);
    stage.now += 59_999;
    expect(doubted()).toMatchObject(found);
    expect(stage.tokens.size).toBe(2);
    stage.now += 1;
    expect(doubted()).toMatchObject(found);
    expect(stage.tokens.size).toBe(1);
    stage.now += 600_000 - 61_000 - 1;
    expect(doubted()).toMatchObject(found);
    stage.now += 1;
    expect(stage.tokens.doubted(never)).toEqual([]);
    expect(stage.tokens.size).toBe(0);
  });

  it('is verified again once, whoever asks, and that is a failure of nobody', async () => {
    const stage = new Stage({ failuresPerSecondMax: 1 });
    await stage.verify('a');
    stage.isStanding = false;
    const [doubted] = stage.tokens.doubted(() => true);
    if (doubted === undefined) throw new Error('it is doubted');
    const [asked, again] = [stage.verify('a'), stage.tokens.again(doubted)];
    expect(await again).toBe(await asked);
    expect(stage.calls).toBe(2);
    stage.outcome = INVALID;
    for (let i = 0; i < 3; i += 1) expect(await stage.tokens.again(doubted)).toBe(INVALID);
    expect(stage.calls).toBe(5);
    expect(await stage.verify('guess')).toBe(INVALID);
  });

  it('is nobody’s guess: whoever sends it is no suspect because of others', async () => {
    const stage = new Stage({ keptMsMax: 1000, askingMax: 8 });
    await stage.verify('a');
    await stage.verify('b');
    stage.outcome = INVALID;
    await stage.verify('guess');
    stage.now += 1000;
    stage.outcome = undefined;
    const [a, b] = await Promise.all([stage.verify('a'), stage.verify('b')]);
    expect([a.kind, b.kind]).toEqual(['facts', 'facts']);
  });
});

describe('a token that counted', () => {
  async function endedBy(outcome: TokenOutcome, laterMs = 0): Promise<[unknown[], number]> {
    const ended: unknown[] = [];
    const stage = new Stage({ onEnded: ({ token }) => ended.push(token) });
    await stage.verify('a');
    stage.outcome = outcome;
    stage.now += laterMs;
    await stage.verify('a');
    await stage.verify('other');
    return [ended, stage.tokens.size];
  }

  it('and counts no more is told of, unless it ended by itself', async () => {
    expect(await endedBy(INVALID)).toEqual([['a'], 0]);
    expect(await endedBy(INVALID, 59_999)).toEqual([['a'], 0]);
    expect(await endedBy(INVALID, 60_000)).toEqual([[], 0]);
    expect(await endedBy(UNAVAILABLE)).toEqual([[], 1]);
  });
});

describe('tokens that their issuer is asked about', () => {
  it('of one address take not all places, and of one that sent such as are none, few', async () => {
    const stage = new Stage({ askingMax: 8 });
    stage.outcome = INVALID;
    expect(await stage.verify('none')).toBe(INVALID);
    let answer = (): void => {};
    stage.gate = new Promise((resolve) => {
      answer = resolve;
    });
    const outcomes: TokenOutcome[] = [];
    const ask = (name: string, address: string): void =>
      void stage.verify(name, address).then((outcome) => outcomes.push(outcome));
    for (let i = 0; i < 10; i += 1) ask(`a${i}`, '192.0.2.1');
    for (let i = 0; i < 10; i += 1) ask(`b${i}`, '192.0.2.2');
    ask('c0', '192.0.2.3');
    ask('c1', '192.0.2.3');
    await Promise.resolve();
    await Promise.resolve();
    const refused = (outcome: TokenOutcome): number =>
      outcomes.filter((each) => each === outcome).length;
    expect([stage.calls - 1, refused(THROTTLED), refused(UNAVAILABLE)]).toEqual([8, 9, 5]);
    answer();
    await expect.poll(() => outcomes.length).toBe(22);
    stage.gate = undefined;
    expect(await stage.verify('d', '192.0.2.4')).toBe(INVALID);
  });
});

it('is kept itself only where it cannot be verified again without', async () => {
  const clock = new VirtualClock();
  const again: TokenFacts[] = [];
  const facts: TokenFacts = {
    claims: {},
    issuer: 'i',
    expiresAt: 60_000,
    binding: { jkt: undefined, x5t: undefined },
  };
  const outcome = { kind: 'facts', facts } as const;
  const verify = (): Promise<TokenOutcome> => Promise.resolve(outcome);
  const verifiers: readonly TokenVerifier[] = [
    { verify },
    {
      verify,
      again: (known: TokenFacts): Promise<TokenOutcome> => {
        again.push(known);
        return Promise.resolve(outcome);
      },
    },
  ];
  const options = { clock, now: () => clock.now(), keptMsMax: 1000 };
  const [asking, judging] = verifiers.map((each) => new VerifiedTokens(each, options));
  for (const each of [asking, judging]) await each?.verify('secret', 'digest', '192.0.2.1');
  clock.advance(1000);
  const doubted = [asking, judging].map((each) => each?.doubted(() => true) ?? []);
  expect(doubted.map(([known]) => known?.token)).toEqual(['secret', undefined]);
  for (const known of doubted[1] ?? []) expect(await judging?.again(known)).toBe(outcome);
  expect(again).toEqual([facts]);
  expect(judging?.kept('digest')).toBe(facts);
  // It is still verified without.
  clock.advance(1000);
  expect(judging?.doubted(() => true).map(({ token }) => token)).toEqual([undefined]);
});

it('is known by a digest of all of it', () => {
  expect(tokenDigest('token')).toBe(createHash('sha256').update('token').digest('base64url'));
});
