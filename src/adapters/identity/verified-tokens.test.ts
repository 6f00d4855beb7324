import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { INVALID, type TokenFacts, type TokenOutcome, UNAVAILABLE } from './token-facts.ts';
import { tokenDigest, VerifiedTokens, type VerifiedTokensOptions } from './verified-tokens.ts';

class Stage {
  now = 1_000_000;
  calls = 0;
  isStanding = true;
  endsInMs = 60_000;
  outcome: TokenOutcome | undefined;
  readonly tokens: VerifiedTokens;

  constructor(options: Omit<VerifiedTokensOptions, 'now'> = {}) {
    const verify = async (): Promise<TokenOutcome> => {
      this.calls += 1;
      await Promise.resolve();
      return this.outcome ?? { kind: 'facts', facts: this.facts() };
    };
    this.tokens = new VerifiedTokens({ verify }, { ...options, now: () => this.now });
  }

  facts(): TokenFacts {
    const binding = { jkt: undefined, x5t: undefined };
    const expiresAt = this.now + this.endsInMs;
    return { claims: {}, issuer: 'i', expiresAt, binding, isStanding: () => this.isStanding };
  }

  verify(name: string): Promise<TokenOutcome> {
    return this.tokens.verify(name, name);
  }
}

describe('a token that was verified', () => {
  it('is kept until it ends, and not a moment longer', async () => {
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
    stage.tokens.kept('a');
    await stage.verify('c');
    expect(stage.tokens.size).toBe(2);
    const kept = ['a', 'b', 'c'].map((name) => stage.tokens.kept(name) !== undefined);
    expect(kept).toEqual([true, false, true]);
  });

  it('is one of ten thousand when nothing is said', async () => {
    const stage = new Stage();
    for (let i = 0; i < 10_001; i += 1) await stage.verify(`${i}`);
    expect(stage.tokens.size).toBe(10_000);
    expect(stage.tokens.kept('0')).toBeUndefined();
  });
});

it('is known by a digest of all of it', () => {
  expect(tokenDigest('token')).toBe(createHash('sha256').update('token').digest('base64url'));
});
