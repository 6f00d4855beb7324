import { describe, expect, it } from 'vitest';
import type { Identity, IdentityOutcome, OpenDoor, RequestHead } from '../../core/ports.ts';
import type { AuthorizationFacts } from '../../core/resource-door.ts';
import { principalOf } from '../../core/principal.ts';
import { firstMatch } from './first-match.ts';
import { mtlsIdentity } from './mtls.ts';
import { noAuth } from './no-auth.ts';

const HEAD = {} as RequestHead;
const ANN: IdentityOutcome = {
  kind: 'principal',
  principal: principalOf({ tenant: 't', issuer: 'i', subject: 'ann', clientId: '' }),
};
const refused = (
  error: 'UNAUTHORIZED' | 'FORBIDDEN' | 'CREDENTIAL_UNVERIFIABLE',
  ...headers: string[]
): IdentityOutcome => ({
  kind: 'refused',
  refusal: { error, headers },
});
const challenged = (...values: string[]): IdentityOutcome =>
  refused('UNAUTHORIZED', ...values.flatMap((value) => ['WWW-Authenticate', value]));

/** Says the same to everybody, and whether it was asked. */
function saying(outcome: IdentityOutcome): Identity & { asked: number } {
  return {
    asked: 0,
    verify(_head, done) {
      this.asked += 1;
      done(outcome);
    },
  };
}

function verify(identity: Identity): IdentityOutcome {
  const outcomes: IdentityOutcome[] = [];
  identity.verify(HEAD, (outcome) => outcomes.push(outcome));
  expect(outcomes).toHaveLength(1);
  return outcomes[0]!;
}

it.each([
  [['malformed', 'inactive'], 'inactive'],
  [['expired', 'issuer'], 'expired'],
  [['inactive', 'malformed'], 'inactive'],
  [['expired', 'unknown'], 'expired'],
  [['unknown', 'malformed'], 'malformed'],
  [[undefined, 'unknown', undefined], 'unknown'],
  [[undefined], undefined],
])('of %j, whoever came furthest says why a credential does not count: %s', (whys, why) => {
  const ways = whys.map((each) =>
    saying({ ...challenged('Bearer'), why: each } as IdentityOutcome),
  );
  expect(verify(firstMatch(ways))).toMatchObject({ kind: 'refused', why });
});

describe('of several ways in', () => {
  it('the first that knows somebody decides, and no other is asked', () => {
    const ways = [saying(challenged('Bearer')), saying(ANN), saying(challenged('DPoP'))];
    expect(verify(firstMatch(ways))).toBe(ANN);
    expect(ways.map(({ asked }) => asked)).toEqual([1, 1, 0]);
  });

  it('what one counted stands when a later one lets in by something else than the token', () => {
    let forgiven = 0;
    const forgive = (): void => {
      forgiven += 1;
    };
    const head = {
      clientCertificate: 'thumbprint',
      verifiedCertificate: { commonName: 'ada', notAfterMs: 2000 },
    } as RequestHead;
    const now = (): number => 1000;
    for (const way of [mtlsIdentity({ clock: { now }, now }), noAuth()]) {
      const kinds: string[] = [];
      const ways = [saying({ ...challenged('Bearer'), forgive } as IdentityOutcome), way];
      firstMatch(ways).verify(head, ({ kind }) => kinds.push(kind));
      expect(kinds).toEqual(['principal']);
    }
    expect(forgiven).toBe(0);
  });

  it.each([
    ['lets somebody in', ANN, 1],
    ['knows somebody who may not enter', refused('FORBIDDEN'), 1],
    ['knows the credential, if not its proof', { ...challenged('DPoP'), isFinal: true }, 1],
    ['knows nobody either', challenged('Bearer'), 0],
    ['cannot tell', refused('CREDENTIAL_UNVERIFIABLE'), 0],
  ] as const)('what one counted is taken back when a later one %s', (_, later, times) => {
    let forgiven = 0;
    const forgive = (): void => {
      forgiven += 1;
    };
    const ways = [challenged('Bearer'), { ...challenged('Bearer'), forgive }, later];
    verify(firstMatch(ways.map((each) => saying(each))));
    expect(forgiven).toBe(times);
  });

  it('one that does not look at it leaves it to the others, and waits if they do not know it', () => {
    const unseen = { ...refused('CREDENTIAL_UNVERIFIABLE'), isUnseen: true } as IdentityOutcome;
    const another = { ...unseen };
    const none = challenged('Bearer');
    expect(verify(firstMatch([saying(none), saying(unseen), saying(ANN)]))).toBe(ANN);
    const forbidden = refused('FORBIDDEN');
    expect(verify(firstMatch([saying(unseen), saying(forbidden)]))).toBe(forbidden);
    for (const ways of [[unseen], [none, unseen, another, none]]) {
      expect(verify(firstMatch(ways.map((each) => saying(each))))).toBe(unseen);
    }
    const final = { ...unseen, isFinal: true } as IdentityOutcome;
    expect(verify(firstMatch([saying(final), saying(ANN)]))).toBe(final);
  });

  it('whoever is known and may not enter is nobody else further on', () => {
    const forbidden = refused('FORBIDDEN');
    const ways = [saying(forbidden), saying(ANN)];
    expect(verify(firstMatch(ways))).toBe(forbidden);
    expect(ways[1]?.asked).toBe(0);
  });

  it('a credential that is known to be wrong is shown to nobody else, and any other is', () => {
    const final: IdentityOutcome = { ...challenged('Bearer'), isFinal: true } as IdentityOutcome;
    const ways = [saying(final), saying(ANN)];
    expect(verify(firstMatch(ways))).toBe(final);
    expect(ways[1]?.asked).toBe(0);
    const other = { ...challenged('Bearer'), isFinal: false } as IdentityOutcome;
    expect(verify(firstMatch([saying(other), saying(ANN)]))).toBe(ANN);
  });

  it('those that say how they refuse say it together, without asking anybody', () => {
    const says = (...headers: string[]): Identity => {
      const refusalOf = () => ({ error: 'UNAUTHORIZED', headers });
      return { ...saying(ANN), refusalOf } as Identity;
    };
    const silent = saying(ANN);
    const ways = [says('WWW-Authenticate', 'Bearer'), silent, says('WWW-Authenticate', 'DPoP')];
    expect(firstMatch(ways).refusalOf(HEAD)).toEqual({
      error: 'UNAUTHORIZED',
      headers: ['WWW-Authenticate', 'Bearer', 'WWW-Authenticate', 'DPoP'],
    });
    expect(silent.asked).toBe(0);
  });

  it('each is challenged once, without one that says less than another', () => {
    const ways = [
      saying(challenged('Bearer realm="x"', 'DPoP realm="x", algs="a"')),
      saying(challenged('Bearer realm="x"')),
      saying(challenged('Bearer realm="x", error="invalid_token"')),
      saying(refused('UNAUTHORIZED')),
    ];
    expect(verify(firstMatch(ways))).toEqual({
      kind: 'refused',
      refusal: {
        error: 'UNAUTHORIZED',
        headers: [
          'WWW-Authenticate',
          'DPoP realm="x", algs="a"',
          'WWW-Authenticate',
          'Bearer realm="x", error="invalid_token"',
        ],
      },
    });
  });

  it('the nonce of one is given, and no header besides', () => {
    const one = refused('UNAUTHORIZED', 'WWW-Authenticate', 'DPoP', 'DPoP-Nonce', 'n', 'X-A', 'b');
    expect(verify(firstMatch([saying(challenged('Bearer')), saying(one)]))).toEqual({
      kind: 'refused',
      refusal: {
        error: 'UNAUTHORIZED',
        headers: ['WWW-Authenticate', 'Bearer', 'WWW-Authenticate', 'DPoP', 'DPoP-Nonce', 'n'],
      },
    });
    // A value that is named like a header is none.
    const odd = refused(
      'UNAUTHORIZED',
      'WWW-Authenticate',
      'DPoP-Nonce',
      'X',
      'WWW-Authenticate',
      'Y',
      'z',
    );
    const bare: IdentityOutcome = { kind: 'refused', refusal: { error: 'UNAUTHORIZED' } };
    expect(verify(firstMatch([saying(bare), saying(odd)]))).toEqual({
      kind: 'refused',
      refusal: { error: 'UNAUTHORIZED', headers: ['WWW-Authenticate', 'DPoP-Nonce'] },
    });
  });

  it('none refuses everybody, without a challenge', () => {
    const refusal = { error: 'UNAUTHORIZED', headers: undefined };
    expect(verify(firstMatch([]))).toEqual({ kind: 'refused', refusal });
    expect(verify(firstMatch([saying(refused('UNAUTHORIZED'))]))).toEqual({
      kind: 'refused',
      refusal,
    });
  });

  it('one that is open leaves the door open', () => {
    const open: Identity & OpenDoor = { ...saying(ANN), isOpen: true };
    expect(firstMatch([saying(ANN), open]).isOpen).toBe(true);
    const shut: Identity & OpenDoor = { ...open, isOpen: false };
    expect(firstMatch([saying(ANN), shut]).isOpen).toBe(false);
    expect(firstMatch([saying(ANN)]).isOpen).toBe(false);
  });
});

describe('where tokens come from', () => {
  const door = (authorization: AuthorizationFacts | undefined): Identity =>
    ({ ...saying(ANN), authorization }) as Identity;
  const facts = (name: string, isDpopRequired: boolean): AuthorizationFacts => ({
    issuers: [name, 'both'],
    scopes: [`${name} scope`, 'scope'],
    dpopAlgorithms: ['ES256', name],
    isDpopRequired,
  });

  it('is said of all ways together, each thing once', () => {
    const together = firstMatch([saying(ANN), door(facts('a', true)), door(facts('b', false))]);
    expect(together.authorization).toEqual({
      issuers: ['a', 'both', 'b'],
      scopes: ['a scope', 'scope', 'b scope'],
      dpopAlgorithms: ['ES256', 'a', 'b'],
      isDpopRequired: false,
    });
    const strict = firstMatch([door(facts('a', true)), door(facts('b', true))]);
    expect(strict.authorization?.isDpopRequired).toBe(true);
  });

  it('is not said where none comes from anybody', () => {
    expect(firstMatch([saying(ANN), door(undefined)]).authorization).toBeUndefined();
  });

  it('each is asked before the server that is meant, where it tells them apart', () => {
    const placed: string[] = [];
    const one = {
      ...saying(challenged('Bearer')),
      at(publicUrl: string) {
        placed.push(publicUrl);
        return saying(ANN);
      },
    };
    const plain = saying(challenged('Basic'));
    expect(verify(firstMatch([plain, one]).at('https://a/files'))).toBe(ANN);
    expect([placed, plain.asked, one.asked]).toEqual([['https://a/files'], 1, 0]);
  });
});
