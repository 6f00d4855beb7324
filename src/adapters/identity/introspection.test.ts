import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { CredentialError } from '../credentials/credential-error.ts';
import { introspect } from './introspection.ts';
import { invalid, type TokenOutcome, UNAVAILABLE } from './token-facts.ts';

const NOW_S = 1_800_000_000;
const ISSUER = 'https://idp.example';
const CHOICE = {
  url: 'https://idp.example/introspect',
  issuer: ISSUER,
  client: { id: 'a b', secret: 's:ü' },
};
const ACTIVE = { active: true, exp: NOW_S + 600, sub: 'ann' };

class Stage {
  readonly asked: { readonly url: string; readonly init: RequestInit }[] = [];
  readonly logged: unknown[] = [];
  readonly clock = new VirtualClock(500);
  answer: unknown = ACTIVE;
  status = 200;
  failure: Error | undefined;
  readonly #verifier = introspect(CHOICE, {
    fetch: async (url, init) => {
      this.asked.push({ url: String(url), init: init ?? {} });
      if (this.failure !== undefined) throw this.failure;
      return new Response(JSON.stringify(this.answer), { status: this.status });
    },
    clock: this.clock,
    telemetry: {
      log: (...line: unknown[]) => void this.logged.push(line),
      count() {},
      request() {},
      streamClosed() {},
    },
    now: () => NOW_S * 1000,
  });

  verify(token = 'token'): Promise<TokenOutcome> {
    return this.#verifier.verify(token);
  }

  says(claims: object): Promise<TokenOutcome> {
    this.answer = { ...ACTIVE, ...claims };
    return this.verify();
  }
}

describe('a token that its issuer is asked about', () => {
  it('says what the issuer says, until when, and bound to what', async () => {
    const stage = new Stage();
    const claims = { ...ACTIVE, cnf: { jkt: 'k' }, iss: ISSUER };
    expect(await stage.says(claims)).toEqual({
      kind: 'facts',
      facts: {
        claims,
        issuer: ISSUER,
        expiresAt: (NOW_S + 600) * 1000,
        binding: { jkt: 'k', x5t: undefined },
      },
    });
  });

  it('is asked about with our own credential, form-encoded, and nowhere else', async () => {
    const stage = new Stage();
    await stage.verify('a+b');
    const [{ url, init }] = stage.asked as [Stage['asked'][number]];
    const user = Buffer.from('a+b:s%3A%C3%BC').toString('base64');
    expect([url, init.method]).toEqual([CHOICE.url, 'POST']);
    expect(init.headers).toEqual({
      accept: 'application/json',
      authorization: `Basic ${user}`,
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(String(init.body as URLSearchParams)).toBe('token=a%2Bb&token_type_hint=access_token');
  });

  it.each([
    ['is not active', 'inactive', { active: false }],
    ['is active in words', 'inactive', { active: 'true' }],
    ['is of another issuer', 'issuer', { iss: `${ISSUER}/` }],
    ['is bound in a way we do not know', 'binding', { cnf: { x: 'y' } }],
    ['does not end', 'claims', { exp: undefined }],
    ['ends in words', 'claims', { exp: 'never' }],
    ['has not begun', 'not-yet', { nbf: NOW_S + 31 }],
    ['begins in words', 'not-yet', { nbf: 'now' }],
    ['is over', 'expired', { exp: NOW_S - 30 }],
  ] as const)('counts for nothing when it %s', async (_, why, claims) => {
    expect(await new Stage().says(claims)).toEqual(invalid(why));
  });

  it.each([{ nbf: NOW_S + 30 }, { nbf: NOW_S - 1 }, { exp: NOW_S - 29 }])(
    'counts as far as clocks may differ: %j',
    async (claims) => {
      expect((await new Stage().says(claims)).kind).toBe('facts');
    },
  );

  it.each([
    ['fails', { failure: new CredentialError('It is down.') }, 'It is down.'],
    ['answers with another status', { status: 500 }, 'The issuer answers 500.'],
    ['says no object', { answer: 'yes' }, 'The answer is no object.'],
    ['says nothing', { answer: null }, 'The answer is no object.'],
  ])('is not known while the issuer %s, which is logged', async (_, fault, detail) => {
    const stage = Object.assign(new Stage(), fault);
    expect(await stage.verify()).toBe(UNAVAILABLE);
    expect(stage.logged).toEqual([['warn', 'introspection_failed', { issuer: ISSUER, detail }]]);
    await stage.verify();
    expect(stage.asked).toHaveLength(2);
  });
});

describe('a token that is none', () => {
  it('is not asked about again for ten seconds, and any other is', async () => {
    const stage = new Stage();
    stage.answer = { active: false };
    expect(await stage.verify()).toEqual(invalid('inactive'));
    stage.clock.advance(9999);
    expect(await stage.verify()).toEqual(invalid('known-wrong'));
    expect(await stage.verify('other')).toEqual(invalid('inactive'));
    expect(stage.asked).toHaveLength(2);
    stage.clock.advance(1);
    stage.answer = ACTIVE;
    expect((await stage.verify()).kind).toBe('facts');
    stage.answer = { active: false };
    expect(await stage.verify()).toEqual(invalid('inactive'));
  });

  it('is remembered among ten thousand', async () => {
    const stage = new Stage();
    stage.answer = { active: false };
    for (let i = 0; i < 10_000; i += 1) await stage.verify(`${i}`);
    expect(await stage.verify('0')).toEqual(invalid('known-wrong'));
    await stage.verify('one more');
    expect(await stage.verify('1')).toEqual(invalid('known-wrong'));
    expect(await stage.verify('0')).toEqual(invalid('inactive'));
  });
});
