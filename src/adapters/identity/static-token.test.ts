import { describe, expect, it } from 'vitest';
import { BARE_GRANT, type Grant } from '../../core/grant.ts';
import type { Identity, IdentityOutcome, RequestHead } from '../../core/ports.ts';
import { noAuth } from './no-auth.ts';
import { staticToken, tokenFault } from './static-token.ts';

const TOKEN = 'a-token-of-20-chars.';

function head(values: readonly string[], query = ''): RequestHead {
  const isAuthorization = (name: string): boolean => name === 'authorization';
  return {
    method: 'POST',
    path: '/mcp',
    query,
    remoteAddress: '127.0.0.1',
    header: (name) => (isAuthorization(name) ? values[0] : undefined),
    headerCount: (name) => (isAuthorization(name) ? values.length : 0),
    headerNames: () => values.map(() => 'authorization'),
  };
}

function verify(values: readonly string[], query = ''): IdentityOutcome {
  const outcomes: IdentityOutcome[] = [];
  staticToken(TOKEN).verify(head(values, query), (outcome) => outcomes.push(outcome));
  expect(outcomes).toHaveLength(1);
  return outcomes[0]!;
}

function challenge(outcome: IdentityOutcome): string {
  expect(outcome.kind).toBe('refused');
  if (outcome.kind !== 'refused') throw new Error('unreachable');
  expect(outcome.refusal.error).toBe('UNAUTHORIZED');
  expect(outcome.refusal.headers?.[0]).toBe('WWW-Authenticate');
  return outcome.refusal.headers?.[1] ?? '';
}

describe('staticToken', () => {
  it.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER   ${TOKEN} `])('lets in %j', (value) => {
    expect(verify([value])).toEqual({
      kind: 'principal',
      principal: {
        tenant: 'default',
        issuer: 'static-token',
        subject: 'token',
        clientId: '',
        key: '7:default12:static-token5:token0:',
      },
      grant: BARE_GRANT,
    });
  });

  it.each([[], ['Basic dXNlcjpwYXNz'], ['Bearer'], ['Bearer '], [TOKEN]])(
    'asks for a token without naming an error when none was sent: %j',
    (...values) => {
      expect(challenge(verify(values))).toBe('Bearer realm="tidegate"');
    },
  );

  it('is shown to nobody else when it comes with a proof', () => {
    const outcome = verify([`DPoP ${TOKEN}`]);
    expect(outcome).toMatchObject({ kind: 'refused', isFinal: true, why: 'proof' });
    expect(challenge(outcome)).toBe('Bearer realm="tidegate", error="invalid_token"');
    const other = verify([`DPoP ${TOKEN}x`]);
    expect(other).not.toHaveProperty('isFinal', true);
    expect(challenge(other)).toBe('Bearer realm="tidegate"');
  });

  it.each([`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, 'Bearer wrong', 'Bearer \u00e9'])(
    'says that the token is invalid when it is another: %j',
    (value) => {
      expect(challenge(verify([value]))).toBe('Bearer realm="tidegate", error="invalid_token"');
    },
  );

  it('tells whoever is out by another rule what it tells anybody', () => {
    const identity = staticToken(TOKEN);
    for (const values of [[], [`Bearer ${TOKEN}`], ['Basic dXNlcjpwYXNz']]) {
      const shown = values.map((value) => value.replace(TOKEN, 'wrong'));
      const refusal = identity.refusalOf(head(values));
      expect(verify(shown)).toMatchObject({ kind: 'refused', refusal });
    }
  });

  it('refuses two Authorization headers, even when both are right', () => {
    const outcome = verify([`Bearer ${TOKEN}`, `Bearer ${TOKEN}`]);
    expect(outcome).toEqual({ kind: 'refused', refusal: { error: 'HEADER_REPEATED' } });
  });

  it('does not look for a token in the URL', () => {
    expect(challenge(verify([], `access_token=${TOKEN}&token=${TOKEN}`))).not.toContain('error');
  });

  it('V17 does not start with a token that guards nothing', () => {
    for (const token of [
      '',
      's3cret',
      'x'.repeat(5000),
      'sixteen chars but',
      'caf\u00e9'.repeat(5),
    ]) {
      expect(() => staticToken(token)).toThrow(RangeError);
      expect(tokenFault(token)).not.toContain(token || 'nothing');
    }
    expect(tokenFault('x'.repeat(16))).toBeUndefined();
    expect(tokenFault('x'.repeat(4096))).toBeUndefined();
    expect(tokenFault('x'.repeat(4097))).toBe('is longer than 4096 characters');
    expect(tokenFault('x'.repeat(15))).toBe('is shorter than 16 characters');
    expect(tokenFault('')).toBe('is empty');
    expect(tokenFault(`${TOKEN} `)).toBe('holds a character that a header cannot carry');
  });
});

it('knows what it granted from what another one did, though both say the same of it', () => {
  const grantOf = (identity: Identity): Grant => {
    const outcomes: IdentityOutcome[] = [];
    identity.verify(head([`Bearer ${TOKEN}`]), (outcome) => outcomes.push(outcome));
    const [outcome] = outcomes;
    if (outcome?.kind !== 'principal' || outcome.grant === undefined) throw new Error('refused');
    return outcome.grant;
  };
  for (const make of [() => staticToken(TOKEN), noAuth]) {
    const [one, other] = [make(), make()];
    expect(one.given.has(grantOf(one))).toBe(true);
    expect(one.given.has(grantOf(other))).toBe(false);
  }
});

describe('noAuth', () => {
  it('gives everyone the same principal, whatever they send', () => {
    const keys: string[] = [];
    for (const values of [[], ['Bearer x'], ['a', 'b']]) {
      noAuth().verify(head(values), (outcome) => {
        if (outcome.kind === 'principal') keys.push(outcome.principal.key);
      });
    }
    expect(keys).toEqual(Array.from({ length: 3 }, () => '7:default4:none9:anonymous0:'));
  });
});

it('the realm is whichever the program names, and why a token is none is for its own eyes', () => {
  const outcomes: IdentityOutcome[] = [];
  const identity = staticToken(TOKEN, { realm: 'mine' });
  identity.verify(head(['Bearer wrong']), (outcome) => outcomes.push(outcome));
  expect(outcomes).toEqual([
    {
      kind: 'refused',
      why: 'unknown',
      refusal: {
        error: 'UNAUTHORIZED',
        headers: ['WWW-Authenticate', 'Bearer realm="mine", error="invalid_token"'],
      },
    },
  ]);
});
