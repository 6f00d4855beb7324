import { describe, expect, it } from 'vitest';
import { BARE_GRANT } from '../../core/grant.ts';
import type { Identity, IdentityOutcome, RequestHead } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { rememberingIdentity, SubjectTokens } from './subject-tokens.ts';

const person = (subject: string): ReturnType<typeof principalOf> =>
  principalOf({ tenant: 't', issuer: 'i', subject, clientId: '' });
const ANN = person('ann');

describe('tokens of callers', () => {
  it('are the newest of each principal', () => {
    const tokens = new SubjectTokens(new VirtualClock());
    tokens.remember(ANN, 'a');
    tokens.remember(ANN, 'b');
    expect(tokens.find(ANN)).toBe('b');
    expect(tokens.find(person('bob'))).toBeUndefined();
    tokens.forget(ANN);
    expect(tokens.find(ANN)).toBeUndefined();
  });

  it('go when they expire, and an hour after they were last seen', () => {
    const clock = new VirtualClock();
    const tokens = new SubjectTokens(clock);
    tokens.remember(ANN, 'a', clock.now() + 1000);
    clock.advance(1000);
    expect(tokens.find(ANN)).toBeUndefined();
    tokens.remember(ANN, 'a');
    clock.advance(3_600_000);
    expect(tokens.find(ANN)).toBeUndefined();
  });

  it('are bounded, and those that are over go without being asked for', () => {
    const clock = new VirtualClock();
    const tokens = new SubjectTokens(clock);
    for (let i = 0; i < 20_010; i += 1) tokens.remember(person(`p${i}`), 'x');
    expect(tokens.size).toBe(20_000);
    clock.advance(3_600_000);
    for (let i = 0; i < 5000; i += 1) tokens.remember(person(`q${i}`), 'x');
    expect(tokens.size).toBe(5000);
  });
});

describe('an identity that remembers', () => {
  const head = (value: string | undefined): RequestHead =>
    ({ header: () => value }) as unknown as RequestHead;

  it('notes the token of whoever is let in, as long as it counts, and of nobody else', () => {
    const clock = new VirtualClock();
    const tokens = new SubjectTokens(clock);
    let outcome: IdentityOutcome = {
      kind: 'principal',
      principal: ANN,
      grant: { ...BARE_GRANT, expiresAt: clock.now() + 5000 },
    };
    const inner: Identity = { verify: (_head, done) => done(outcome) };
    const identity = rememberingIdentity(inner, tokens);
    const outcomes: IdentityOutcome[] = [];
    identity.verify(head('Bearer secret-a'), (each) => outcomes.push(each));
    expect(outcomes).toEqual([outcome]);
    expect(tokens.find(ANN)).toBe('secret-a');
    outcome = { kind: 'refused', refusal: { error: 'UNAUTHORIZED' } };
    identity.verify(head('Bearer secret-b'), () => {});
    identity.verify(head(undefined), () => {});
    expect(tokens.find(ANN)).toBe('secret-a');
    clock.advance(5000);
    expect(tokens.find(ANN)).toBeUndefined();
    expect(identity.isOpen).toBe(false);
  });
});
