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

  it('are not held where nobody exchanges them', () => {
    const tokens = new SubjectTokens(new VirtualClock());
    tokens.isWanted = false;
    tokens.remember(ANN, 'a');
    expect([tokens.size, tokens.find(ANN)]).toEqual([0, undefined]);
  });

  it('that are over are dropped when they are asked for, and a few at each turn', () => {
    const clock = new VirtualClock();
    const tokens = new SubjectTokens(clock);
    for (let i = 0; i < 10; i += 1) tokens.remember(person(`p${i}`), 'x', 1000);
    clock.advance(1000);
    tokens.find(person('p9'));
    expect(tokens.size).toBe(9);
    tokens.remember(ANN, 'a');
    expect(tokens.size).toBe(6);
  });

  it('make room for others when there are too many: the longest unused', () => {
    const tokens = new SubjectTokens(new VirtualClock());
    for (let i = 0; i < 20_000; i += 1) tokens.remember(person(`p${i}`), 'x');
    tokens.remember(person('p0'), 'y');
    tokens.remember(ANN, 'a');
    expect([tokens.find(person('p0')), tokens.find(person('p1'))]).toEqual(['y', undefined]);
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

  it('is asked for nothing but the header of the token, and of that only for one', () => {
    const tokens = new SubjectTokens(new VirtualClock());
    const known: IdentityOutcome = { kind: 'principal', principal: ANN };
    const identity = rememberingIdentity({ verify: (_head, done) => done(known) }, tokens);
    const headOf = (name: string, value: string): RequestHead =>
      ({ header: (each: string) => (each === name ? value : undefined) }) as RequestHead;
    const verify = (asked: RequestHead): void => identity.verify(asked, () => {});
    for (const value of ['Basic x', 'Bearer', 'Bearer a b', 'xBearer a']) {
      verify(headOf('authorization', value));
    }
    verify(headOf('x-token', 'Bearer a'));
    expect(tokens.size).toBe(0);
    verify(headOf('authorization', 'BEARER   a '));
    expect(tokens.find(ANN)).toBe('a');
  });

  it.each([
    undefined,
    null,
    'ann',
    {},
    { kind: 'principal' },
    { kind: 'principal', principal: {} },
  ])('passes on what is no outcome, and notes nothing: %o', (said) => {
    const tokens = new SubjectTokens(new VirtualClock());
    const own = { verify: (_head: RequestHead, done: (o: never) => void) => done(said as never) };
    const outcomes: unknown[] = [];
    const identity = rememberingIdentity(own, tokens);
    identity.verify(head('Bearer a'), (outcome) => outcomes.push(outcome));
    expect([outcomes, tokens.size]).toEqual([[said], 0]);
  });

  it('reads no token where none is wanted', () => {
    const tokens = new SubjectTokens(new VirtualClock());
    tokens.isWanted = false;
    const known: IdentityOutcome = { kind: 'principal', principal: ANN };
    const identity = rememberingIdentity({ verify: (_head, done) => done(known) }, tokens);
    const read: string[] = [];
    const asked = { header: (name: string) => void read.push(name) } as unknown as RequestHead;
    const outcomes: IdentityOutcome[] = [];
    identity.verify(asked, (outcome) => outcomes.push(outcome));
    expect([outcomes, read]).toEqual([[known], []]);
  });

  it('is as open, refuses as, and stands where the other does', () => {
    const tokens = new SubjectTokens(new VirtualClock());
    const refusal = { error: 'UNAUTHORIZED', headers: ['WWW-Authenticate', 'Own'] } as const;
    const authorization = {
      issuers: ['https://idp.example'],
      scopes: [],
      dpopAlgorithms: [],
      isDpopRequired: false,
    };
    const nobody: IdentityOutcome = { kind: 'refused', refusal };
    const placed = person('placed');
    const identity = rememberingIdentity(
      {
        verify: (_head, done) => done(nobody),
        isOpen: true,
        authorization,
        refusalOf: () => refusal,
        at: (publicUrl) => ({
          verify: (_head, done) =>
            done(publicUrl === 'here' ? { kind: 'principal', principal: placed } : nobody),
        }),
      },
      tokens,
    );
    expect([identity.isOpen, identity.authorization]).toEqual([true, authorization]);
    expect(identity.refusalOf(head(undefined))).toBe(refusal);
    identity.at('there').verify(head('Bearer a'), () => {});
    expect(tokens.size).toBe(0);
    identity.at('here').verify(head('Bearer a'), () => {});
    expect(tokens.find(placed)).toBe('a');
    const plain = rememberingIdentity({ verify: (_head, done) => done(nobody) }, tokens);
    const outcomes: IdentityOutcome[] = [];
    plain.at('here').verify(head('Bearer a'), (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([nobody]);
    expect(plain.refusalOf(head(undefined))).toEqual({ error: 'UNAUTHORIZED' });
  });
});
