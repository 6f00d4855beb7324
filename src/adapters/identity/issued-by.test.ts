import { UnsecuredJWT } from 'jose';
import { expect, it } from 'vitest';
import { IssuedBy } from './issued-by.ts';
import {
  invalid,
  type TokenFacts,
  type TokenOutcome,
  type TokenVerifier,
  UNAVAILABLE,
} from './token-facts.ts';

const ISSUER = 'https://idp.example';
const OTHER = 'https://other.example';

function tokenOf(claims: object): string {
  return new UnsecuredJWT({ ...claims }).encode();
}

/** What each token came to, and which verifier saw it. */
function asked(outcome: () => Promise<TokenOutcome>): {
  readonly issuedBy: IssuedBy;
  readonly verify: (token: string) => Promise<TokenOutcome>;
  readonly seen: (readonly [issuer: string, token: string])[];
} {
  const seen: (readonly [string, string])[] = [];
  const verifierOf = (issuer: string): Required<TokenVerifier> => ({
    verify: (token) => {
      seen.push([issuer, token]);
      return outcome();
    },
    again: (facts) => {
      seen.push([issuer, facts.issuer]);
      return outcome();
    },
  });
  const issuers = [ISSUER, OTHER];
  const issuedBy = new IssuedBy(new Map(issuers.map((each) => [each, verifierOf(each)])));
  return { issuedBy, verify: (token) => issuedBy.verify(token), seen };
}

it('a token is verified by the verifier of the issuer it names, and by no other', async () => {
  const { verify, seen } = asked(async () => UNAVAILABLE);
  const token = tokenOf({ iss: OTHER });
  expect(await verify(token)).toBe(UNAVAILABLE);
  expect(seen).toEqual([[OTHER, token]]);
});

it.each([
  ['that nobody named', { iss: 'https://idp.example/' }],
  ['that is empty', { iss: '' }],
  ['that is no text', { iss: [ISSUER] }],
  ['that it does not name', { sub: 'ann' }],
])('a token of an issuer %s is shown to no verifier', async (_, claims) => {
  const { verify, seen } = asked(async () => UNAVAILABLE);
  expect(await verify(tokenOf(claims))).toEqual(invalid('issuer'));
  expect(seen).toEqual([]);
});

it.each(['', 'opaque', 'a.b.c', '..', tokenOf({ iss: ISSUER }).slice(0, 40)])(
  'the text %j is no token, and is refused without a throw',
  async (text) => {
    const { verify, seen } = asked(async () => UNAVAILABLE);
    expect(await verify(text)).toEqual(invalid('malformed'));
    expect(seen).toEqual([]);
  },
);

it('one that counted is verified again by the verifier of its issuer, without the token', async () => {
  const { issuedBy, seen } = asked(async () => UNAVAILABLE);
  const factsOf = (issuer: string): TokenFacts => ({
    claims: {},
    issuer,
    expiresAt: 0,
    binding: { jkt: undefined, x5t: undefined },
  });
  expect(await issuedBy.again(factsOf(OTHER))).toBe(UNAVAILABLE);
  expect(seen).toEqual([[OTHER, OTHER]]);
  expect(await issuedBy.again(factsOf('https://gone.example'))).toEqual(invalid('issuer'));
  expect(seen).toHaveLength(1);
});

it('a verifier that fails lets nobody in', async () => {
  const { verify } = asked(async () => {
    throw new Error('broken');
  });
  expect(await verify(tokenOf({ iss: ISSUER }))).toEqual(invalid('malformed'));
});
