import { describe, expect, it, test } from 'vitest';
import { BARE_GRANT } from '../core/grant.ts';
import { principalOf } from '../core/principal.ts';
import type { Identity, IdentityOutcome, LogFields, RequestHead } from '../core/ports.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { AskedIdentity } from './asked-identity.ts';

const ANN = principalOf({ tenant: 'acme', issuer: 'me', subject: 'ann', clientId: '' });
const HEAD = {} as RequestHead;
const INTERNAL = { kind: 'refused', refusal: { error: 'INTERNAL' }, why: 'failed' };
const ANSWER_MS_MAX = 30_000;

interface Asked {
  readonly identity: AskedIdentity;
  readonly clock: VirtualClock;
  readonly lines: unknown[][];
}

function askedOf(identity: object, publicUrl?: string): Asked {
  const lines: unknown[][] = [];
  const telemetry = { log: (...line: unknown[]) => void lines.push(line), count() {} };
  const clock = new VirtualClock();
  const asked = new AskedIdentity(identity as Identity, publicUrl, { telemetry, clock });
  return { identity: asked, clock, lines };
}

function detailsOf(lines: unknown[][]): unknown[] {
  return lines.map(([, , fields]) => (fields as LogFields)['detail']);
}

/** What came of it, once everything that it left behind has run. */
async function asked(
  verify: unknown,
): Promise<{ outcomes: IdentityOutcome[]; details: unknown[] }> {
  const outcomes: IdentityOutcome[] = [];
  const { identity, lines } = askedOf({ verify });
  identity.verify(HEAD, (outcome) => {
    outcomes.push(outcome);
  });
  await new Promise((resolve) => setImmediate(resolve));
  return { outcomes, details: detailsOf(lines) };
}

const known = { kind: 'principal', principal: ANN } as const;
const telling = (outcome: unknown) => (_head: unknown, done: (some: unknown) => void) => {
  done(outcome);
};

const granting = (grant: unknown) => telling({ ...known, grant });
const RETURNED = 'verify() returned its answer; give it to done()';
const NO_GRANT = 'verify() said a grant without expiresAt, scopes, groups or claims';
const NO_HEADERS = 'verify() said a refusal whose headers are no flat list of names and values';

describe('an identity that somebody else wrote', () => {
  it('lets in whom it knows, and refuses as it says', async () => {
    expect(await asked(telling(known))).toEqual({ outcomes: [known], details: [] });
    for (const grant of [BARE_GRANT, { ...BARE_GRANT, credentialId: 'key:1' }]) {
      const granted = { ...known, grant };
      expect(await asked(telling(granted))).toEqual({ outcomes: [granted], details: [] });
    }
    const refused = refusal('FORBIDDEN');
    expect(await asked(telling(refused))).toEqual({ outcomes: [refused], details: [] });
    const told = refusal('UNAUTHORIZED', { headers: ['WWW-Authenticate', 'Bearer realm="a b"'] });
    expect(await asked(telling(told))).toEqual({ outcomes: [told], details: [] });
  });

  test.each([
    ['throws', () => fail(), 'verify() threw'],
    ['rejects', async () => fail(), 'verify() rejected'],
    ['returns its outcome', () => known, RETURNED],
    ['resolves to it', async () => known, RETURNED],
    ['returns a refusal', () => refusal('FORBIDDEN'), RETURNED],
    [
      'says nothing',
      telling(undefined),
      'verify() said an outcome that is neither principal nor refusal',
    ],
    ['refuses without a code', telling({ kind: 'refused' }), 'verify() said an unknown refusal'],
    ['has a code of its own', telling(refusal('NOPE')), 'verify() said an unknown refusal'],
    ['knows nobody', telling({ kind: 'principal' }), 'verify() said no principal'],
    [
      'knows nobody and says so',
      telling({ kind: 'principal', principal: null }),
      'verify() said no principal',
    ],
    [
      'forgets a part',
      telling({ kind: 'principal', principal: { ...ANN, clientId: undefined } }),
      'verify() said a principal without tenant, issuer, subject or clientId; make it with principalOf()',
    ],
    [
      'forgets the key',
      telling({ kind: 'principal', principal: { ...ANN, key: undefined } }),
      'verify() said a principal whose key is not that of its parts; make it with principalOf()',
    ],
    [
      'has the key of another',
      telling({ kind: 'principal', principal: { ...ANN, subject: 'bob' } }),
      'verify() said a principal whose key is not that of its parts; make it with principalOf()',
    ],
    ['has an empty grant', granting({}), NO_GRANT],
    ['has no grant and says so', granting(null), NO_GRANT],
    ['says no scopes', granting({ ...BARE_GRANT, scopes: undefined }), NO_GRANT],
    ['says scopes that are no texts', granting({ ...BARE_GRANT, scopes: [7] }), NO_GRANT],
    ['says no groups', granting({ ...BARE_GRANT, groups: undefined }), NO_GRANT],
    ['says no claims', granting({ ...BARE_GRANT, claims: undefined }), NO_GRANT],
    ['says that there are none', granting({ ...BARE_GRANT, claims: null }), NO_GRANT],
    ['names its credential by number', granting({ ...BARE_GRANT, credentialId: 7 }), NO_GRANT],
    ['says when in words', granting({ ...BARE_GRANT, expiresAt: 'soon' }), NO_GRANT],
    ['says no time', granting({ ...BARE_GRANT, expiresAt: NaN }), NO_GRANT],
    ['has headers by name', telling(refusal('UNAUTHORIZED', { headers: { A: 'b' } })), NO_HEADERS],
    [
      'has headers in pairs',
      telling(refusal('UNAUTHORIZED', { headers: [['A', 'b']] })),
      NO_HEADERS,
    ],
    ['has headers of numbers', telling(refusal('UNAUTHORIZED', { headers: ['A', 7] })), NO_HEADERS],
    [
      'has a header without a name',
      telling(refusal('UNAUTHORIZED', { headers: ['A b', 'c'] })),
      NO_HEADERS,
    ],
    [
      'has a second one without',
      telling(refusal('UNAUTHORIZED', { headers: ['A', 'b', 'C d', 'e'] })),
      NO_HEADERS,
    ],
    ['has half a header', telling(refusal('UNAUTHORIZED', { headers: ['A'] })), NO_HEADERS],
    [
      'breaks a header',
      telling(refusal('UNAUTHORIZED', { headers: ['A', 'b\r\nC: d'] })),
      NO_HEADERS,
    ],
    [
      'has scopes as one text',
      telling(refusal('FORBIDDEN', { scopes: 'a b' })),
      'verify() said a refusal whose scopes are no list of texts',
    ],
  ])('lets nobody in and says why when it %s', async (_name, verify, detail) => {
    expect(await asked(verify)).toEqual({ outcomes: [INTERNAL], details: [detail] });
  });

  test.each([
    ['a timer', {}],
    ['a number', 7],
    ['nothing', null],
    ['a promise', Promise.resolve(7)],
  ])('may return %s besides', async (_name, returned) => {
    const short = (head: unknown, done: (outcome: unknown) => void): unknown => {
      queueMicrotask(() => telling(known)(head, done));
      return returned;
    };
    expect(await asked(short)).toEqual({ outcomes: [known], details: [] });
  });

  it('is heard once', async () => {
    const twice = (_head: unknown, done: (outcome: unknown) => void): void => {
      done(known);
      done(refusal('UNAUTHORIZED'));
    };
    expect(await asked(twice)).toEqual({ outcomes: [known], details: [] });
    const late = async (_head: unknown, done: (outcome: unknown) => void): Promise<void> => {
      done(known);
      fail();
    };
    expect(await asked(late)).toEqual({ outcomes: [known], details: ['verify() rejected'] });
    const atOnce = (_head: unknown, done: (outcome: unknown) => void): void => {
      done(known);
      fail();
    };
    expect(await asked(atOnce)).toEqual({ outcomes: [known], details: ['verify() threw'] });
  });

  it('is looked at once for each that it tells again', async () => {
    let looks = 0;
    const principal = {
      ...ANN,
      get key(): string {
        looks += 1;
        return ANN.key;
      },
    };
    for (let i = 0; i < 2; i += 1) {
      expect((await asked(telling({ kind: 'principal', principal }))).details).toEqual([]);
    }
    expect(looks).toBe(1);
  });

  it('is answered for where it says nothing for too long', () => {
    const outcomes: IdentityOutcome[] = [];
    let late: ((outcome: unknown) => void) | undefined;
    const verify = (_head: unknown, done: (outcome: unknown) => void): void => void (late = done);
    const { identity, clock, lines } = askedOf({ verify });
    identity.verify(HEAD, (outcome) => void outcomes.push(outcome));
    clock.advance(ANSWER_MS_MAX - 1);
    expect(outcomes).toEqual([]);
    clock.advance(1);
    const refusal = { error: 'CREDENTIAL_UNVERIFIABLE' };
    expect(outcomes).toEqual([{ kind: 'refused', refusal, why: 'failed' }]);
    late?.(known);
    expect(outcomes).toHaveLength(1);
    expect(detailsOf(lines)).toEqual(['verify() did not answer in time']);
  });

  it('is complained of by name, as an error', () => {
    const { identity, lines } = askedOf({ verify: fail });
    identity.verify(HEAD, () => {});
    const fields = { detail: 'verify() threw', kind: 'Error' };
    expect(lines).toEqual([['error', 'identity_failed', fields]]);
  });

  it('is not blamed for what we do after it', () => {
    const { identity, lines } = askedOf({ verify: telling(known) });
    expect(() => identity.verify(HEAD, fail)).toThrow('broken');
    expect(lines).toEqual([]);
  });
});

describe('what an identity says of itself', () => {
  const FACTS = { issuers: ['i'], scopes: [], dpopAlgorithms: [], isDpopRequired: false };

  it('is passed on', () => {
    const told = { error: 'UNAUTHORIZED', headers: ['WWW-Authenticate', 'Bearer'] };
    const { identity, lines } = askedOf({ refusalOf: () => told, authorization: FACTS });
    expect(identity.refusalOf(HEAD)).toBe(told);
    expect(identity.authorization).toBe(FACTS);
    expect(lines).toEqual([]);
  });

  it('may be nothing', () => {
    const { identity, lines } = askedOf({});
    expect(identity.refusalOf(HEAD)).toEqual({ error: 'UNAUTHORIZED' });
    expect(identity.authorization).toBeUndefined();
    expect(lines).toEqual([]);
  });

  it('does not count where it throws or is garbage, and is told', () => {
    const failing = askedOf({
      refusalOf: fail,
      get authorization() {
        return fail();
      },
    });
    const garbage = askedOf({ refusalOf: () => 'no', authorization: 'Bearer' });
    for (const { identity } of [failing, garbage]) {
      expect(identity.refusalOf(HEAD)).toEqual({ error: 'UNAUTHORIZED' });
      expect(identity.authorization).toBeUndefined();
    }
    expect(detailsOf(failing.lines)).toEqual(['refusalOf threw', 'authorization threw']);
    expect(detailsOf(garbage.lines)).toEqual([
      'refusalOf is an unknown refusal',
      'authorization is facts without issuers, scopes or dpopAlgorithms',
    ]);
  });

  it('is asked before the server that is served', async () => {
    const at = (publicUrl: string): object => ({ verify: telling({ ...known, at: publicUrl }) });
    const { identity } = askedOf({ verify: fail, at }, 'https://a.example');
    const outcomes: IdentityOutcome[] = [];
    identity.verify(HEAD, (outcome) => void outcomes.push(outcome));
    expect(outcomes).toEqual([{ ...known, at: 'https://a.example' }]);
  });
});

function refusal(error: string, more: object = {}): object {
  return { kind: 'refused', refusal: { error, ...more } };
}

function fail(): never {
  throw new Error('broken');
}
