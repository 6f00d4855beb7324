import { CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { CredentialError } from '../credentials/credential-error.ts';
import { JwtVerifier } from './jwt-verifier.ts';
import type { TokenFacts, TokenOutcome } from './token-facts.ts';

const ISSUER = 'https://idp.example';
const NOW_S = 1_800_000_000;
const CLAIMS = { iss: ISSUER, aud: 'https://mcp.example', sub: 'ann', exp: NOW_S + 600 };

let ours: CryptoKey;
let others: CryptoKey;
let published: JWK;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256');
  ours = pair.privateKey;
  published = { ...(await exportJWK(pair.publicKey)), kid: 'a', alg: 'ES256' };
  others = (await generateKeyPair('ES256')).privateKey;
});

class Stage {
  isDown = false;
  now = NOW_S * 1000;
  fetches = 0;
  keys: readonly JWK[] = [published];
  readonly clock = new VirtualClock();
  readonly verifier = new JwtVerifier({
    issuer: ISSUER,
    jwksUri: `${ISSUER}/jwks`,
    algorithms: ['ES256', 'HS256'],
    types: ['at+jwt', 'jwt'],
    fetch: async () => {
      this.fetches += 1;
      if (this.isDown) throw new CredentialError('down');
      return new Response(JSON.stringify({ keys: this.keys }));
    },
    clock: this.clock,
    now: () => this.now,
    onFailure: () => {},
  });

  async verify(claims: object, header: object = {}, key = ours): Promise<TokenOutcome> {
    return this.verifier.verify(await signed(claims, header, key));
  }
}

function signed(claims: object, header: object = {}, key = ours): Promise<string> {
  return new SignJWT({ ...CLAIMS, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'a', ...header })
    .sign(key);
}

function factsOf(outcome: TokenOutcome): TokenFacts {
  if (outcome.kind !== 'facts') throw new Error(outcome.kind);
  return outcome.facts;
}

describe('a token of the issuer', () => {
  it('says what it says, until when, and bound to what', async () => {
    const facts = factsOf(await new Stage().verify({ cnf: { jkt: 'k' } }));
    expect(facts.claims).toMatchObject({ sub: 'ann', aud: 'https://mcp.example' });
    expect(facts.issuer).toBe(ISSUER);
    expect(facts.expiresAt).toBe((NOW_S + 600) * 1000);
    expect(facts.binding).toEqual({ jkt: 'k', x5t: undefined });
  });

  it.each([undefined, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'APPLICATION/JWT'])(
    'may be of type %s',
    async (typ) => {
      expect((await new Stage().verify({}, typ === undefined ? {} : { typ })).kind).toBe('facts');
    },
  );

  it.each([
    ['of another type', 'type', {}, { typ: 'logout+jwt' }],
    ['of a type that only ends so', 'type', {}, { typ: 'x/application/jwt' }],
    ['of another issuer', 'issuer', { iss: 'https://idp.example/' }, {}],
    ['without an issuer', 'issuer', { iss: undefined }, {}],
    ['without an audience', 'claims', { aud: undefined }, {}],
    ['without an end', 'claims', { exp: undefined }, {}],
    ['that is over', 'expired', { exp: NOW_S - 30 }, {}],
    ['that has not begun', 'not-yet', { nbf: NOW_S + 31 }, {}],
    ['with a key nobody has', 'key', {}, { kid: 'b' }],
    ['bound in a way we do not know', 'binding', { cnf: { kid: 'x' } }, {}],
  ])('%s is not valid, and why is told: %s', async (_, why, claims, header) => {
    expect(await new Stage().verify(claims, header)).toEqual({ kind: 'invalid', why });
  });

  it.each([
    ['over for less than the clocks may differ', { exp: NOW_S - 29 }],
    ['to begin within that', { nbf: NOW_S + 30 }],
  ])('%s counts', async (_, claims) => {
    expect((await new Stage().verify(claims)).kind).toBe('facts');
  });

  it('that another signed is not valid, whoever it names', async () => {
    expect(await new Stage().verify({}, {}, others)).toEqual({ kind: 'invalid', why: 'signature' });
  });

  it.each(['', 'x', 'a.b.c', `${'x'.repeat(20)}.e30.`])('is none: %j', async (text) => {
    const stage = new Stage();
    expect(await stage.verifier.verify(text)).toEqual({ kind: 'invalid', why: 'malformed' });
    expect(stage.fetches).toBe(0);
  });

  it('that is none of ours costs its issuer nothing', async () => {
    const stage = new Stage();
    await stage.verify({ iss: 'https://elsewhere.example' });
    await stage.verify({}, { typ: 'logout+jwt' });
    const bytes = new TextEncoder().encode(JSON.stringify(CLAIMS));
    const { privateKey } = await generateKeyPair('ES384');
    const header = { alg: 'ES384', kid: 'a' };
    const other = await new CompactSign(bytes).setProtectedHeader(header).sign(privateKey);
    expect(await stage.verifier.verify(other)).toEqual({ kind: 'invalid', why: 'algorithm' });
    expect(stage.fetches).toBe(0);
  });

  it('cannot be told while its keys cannot be fetched', async () => {
    const stage = new Stage();
    stage.isDown = true;
    expect(await stage.verify({})).toEqual({ kind: 'unavailable' });
  });

  it('stands as long as the keys that it was verified by', async () => {
    const stage = new Stage();
    const facts = factsOf(await stage.verify({}));
    expect(facts.isStanding?.()).toBe(true);
    stage.keys = [{ ...published, kid: 'b' }];
    // A key that is not known makes it look again.
    stage.clock.advance(60_000);
    expect(await stage.verify({}, { kid: 'c' })).toEqual({ kind: 'invalid', why: 'key' });
    expect(facts.isStanding?.()).toBe(false);
    expect(factsOf(await stage.verify({}, { kid: 'b' })).isStanding?.()).toBe(true);
  });
});

describe('a token that counted, by what it said', () => {
  /** As the issuer publishes these keys now. */
  async function again(keys: readonly JWK[]): Promise<TokenOutcome> {
    const stage = new Stage();
    const facts = factsOf(await stage.verify({}));
    stage.keys = keys;
    stage.clock.advance(600_000);
    const outcome = await stage.verifier.again(facts);
    if (outcome.kind === 'facts') expect(outcome.facts.claims).toEqual(facts.claims);
    return outcome;
  }

  it('counts on while its issuer has the key that signed it, whichever others come', async () => {
    const more = { ...(await exportJWK((await generateKeyPair('ES256')).publicKey)), kid: 'b' };
    const outcome = await again([more, published]);
    expect(factsOf(outcome).isStanding?.()).toBe(true);
    expect(factsOf(outcome).expiresAt).toBe((NOW_S + 600) * 1000);
  });

  it('counts no more when that key is gone, or another has its name', async () => {
    expect(await again([])).toEqual({ kind: 'invalid', why: 'key' });
    const other = await exportJWK((await generateKeyPair('ES256')).publicKey);
    const outcome = await again([{ ...other, kid: 'a', alg: 'ES256' }]);
    expect(outcome).toEqual({ kind: 'invalid', why: 'signature' });
  });

  it('has not begun when the clock was set back before it', async () => {
    const stage = new Stage();
    const facts = factsOf(await stage.verify({ nbf: NOW_S }));
    stage.now = (NOW_S - 30) * 1000;
    expect((await stage.verifier.again(facts)).kind).toBe('facts');
    stage.now -= 1000;
    expect(await stage.verifier.again(facts)).toEqual({ kind: 'invalid', why: 'not-yet' });
  });

  it('cannot be told while nobody can be asked for the keys, and is none of another', async () => {
    const stage = new Stage();
    const facts = factsOf(await stage.verify({}));
    stage.isDown = true;
    stage.clock.advance(3_600_000);
    expect(await stage.verifier.again(facts)).toEqual({ kind: 'unavailable' });
    expect((await new Stage().verifier.again(facts)).kind).toBe('invalid');
  });
});
