import { describe, expect, it } from 'vitest';
import type { IdentityOutcome, RequestHead } from '../../core/ports.ts';
import type { AuthorizationFacts } from '../../core/resource-door.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import type { ClaimMapping } from './claim-mapping.ts';
import type { BoundToken, DpopProofs, ProofOutcome } from './dpop-proofs.ts';
import {
  invalid as wrong,
  type TokenBinding,
  type TokenOutcome,
  UNAVAILABLE,
} from './token-facts.ts';
import { TokenIdentity } from './token-identity.ts';
import { VerifiedTokens } from './verified-tokens.ts';

const SERVER = 'https://mcp.example/files';
const METADATA = 'https://mcp.example/.well-known/oauth-protected-resource/files/mcp';

interface Told {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly binding?: Partial<TokenBinding>;
}

interface Rules extends Partial<AuthorizationFacts> {
  readonly mapping?: ClaimMapping;
  readonly audiences?: readonly string[];
  readonly hasProofs?: boolean;
}

class Stage {
  readonly clock = new VirtualClock(5000);
  now = 1_000_000;
  told: Told | TokenOutcome = {};
  endsInMs = 60_000;
  failuresMax = 100;
  verified = 0;
  proof: ProofOutcome = 'proved';
  nonce = 'a-nonce';
  /** Whether a token that begins with `k` names us as its issuer. */
  isNamed = false;
  closed = 0;
  readonly checked: unknown[] = [];
  readonly identity: TokenIdentity;

  constructor({ mapping = {}, audiences = [], hasProofs = true, ...authorization }: Rules = {}) {
    const proofs = {
      nonce: () => this.nonce,
      check: (head: RequestHead, url: string, bound: BoundToken) => {
        this.checked.push([head.method, url, bound]);
        return Promise.resolve(this.proof);
      },
    } as unknown as DpopProofs;
    const clock = this.clock;
    const now = (): number => this.now;
    const options = { clock, now, failuresPerSecondMax: 3 };
    this.identity = new TokenIdentity({
      tokens: new VerifiedTokens({ verify: () => Promise.resolve(this.#outcome()) }, options),
      close: () => {
        this.closed += 1;
      },
      form: {
        isFit: (text) => 'fkt'.includes(text.charAt(0)),
        belongingOf: (text) => {
          if (text.startsWith('f')) return 'foreign';
          return text.startsWith('t') || this.isNamed ? 'ours' : 'unfit';
        },
      },
      mapping,
      audiences,
      authorization: {
        issuers: ['https://idp.example'],
        scopes: [],
        dpopAlgorithms: ['ES256'],
        isDpopRequired: false,
        ...authorization,
      },
      proofs: hasProofs ? proofs : undefined,
      clock,
      now,
    });
  }

  #outcome(): TokenOutcome {
    this.verified += 1;
    if ('kind' in this.told) return this.told;
    const { claims, binding } = this.told;
    const facts = {
      claims: { sub: 'ann', aud: SERVER, jti: 'j', ...claims },
      issuer: 'https://idp.example',
      expiresAt: this.now + this.endsInMs,
      binding: { jkt: undefined, x5t: undefined, ...binding },
    };
    return { kind: 'facts', facts };
  }

  ask(
    authorization: string | undefined,
    { at = SERVER, ...more }: Partial<RequestHead> & { at?: string } = {},
  ): Promise<IdentityOutcome> {
    const place = this.identity.at(at);
    return new Promise((resolve) => place.verify(head(authorization, more), resolve));
  }
}

function head(authorization: string | undefined, more: Partial<RequestHead> = {}): RequestHead {
  const count = authorization === undefined ? 0 : 1;
  return {
    method: 'POST',
    path: '/files/mcp',
    query: '',
    remoteAddress: '192.0.2.1',
    header: (name) => (name === 'authorization' ? authorization : undefined),
    headerCount: (name) => (name === 'authorization' ? count : 0),
    headerNames: () => [],
    ...more,
  };
}

/** What a refusal says: its name, and the challenges. */
function refusalOf(outcome: IdentityOutcome): readonly unknown[] {
  if (outcome.kind !== 'refused') throw new Error('It was let in.');
  return [outcome.refusal.error, ...(outcome.refusal.headers ?? [])];
}

const invalid = [
  'UNAUTHORIZED',
  'WWW-Authenticate',
  `Bearer realm="tidegate", error="invalid_token", resource_metadata="${METADATA}"`,
  'WWW-Authenticate',
  `DPoP realm="tidegate", error="invalid_token", resource_metadata="${METADATA}", algs="ES256"`,
];

describe('a token', () => {
  it('says who it is, what it may, and until when', async () => {
    const mapping = { tenant: { claim: 'org' }, groups: 'roles', claims: { dept: 'department' } };
    const stage = new Stage({ mapping });
    stage.told = { claims: { org: 'acme', roles: ['dev'], scope: 'a b', department: 'r' } };
    expect(await stage.ask('Bearer t')).toMatchObject({
      kind: 'principal',
      principal: { tenant: 'acme', issuer: 'https://idp.example', subject: 'ann' },
      grant: {
        expiresAt: 65_000,
        scopes: ['a', 'b'],
        groups: ['dev'],
        claims: { dept: 'r' },
        credentialId: 'jti:j',
      },
    });
  });

  it('has a grant that its own identity knows again, and no other', async () => {
    const [stage, other] = [new Stage(), new Stage()];
    const outcome = await stage.ask('Bearer t');
    const grant = outcome.kind === 'principal' ? outcome.grant : undefined;
    const known = [stage, other].map(({ identity }) => grant && identity.given.has(grant));
    expect(known).toEqual([true, false]);
  });

  it('is verified once, and its end is reckoned anew when the clocks part', async () => {
    const stage = new Stage();
    const first = await stage.ask('Bearer t');
    stage.clock.advance(10_000);
    stage.now += 10_999;
    const place = stage.identity.at(SERVER);
    const again = (): Promise<IdentityOutcome> =>
      new Promise((resolve) => place.verify(head('Bearer t'), resolve));
    const second = await again();
    stage.now += 1;
    expect([await again(), stage.verified]).toEqual([second, 1]);
    expect(first).toMatchObject({ grant: { expiresAt: 65_000 } });
    expect(second).toMatchObject({ grant: { expiresAt: 64_001 } });
    expect(await again()).toBe(second);
    stage.now += 998;
    expect(await again()).toBe(second);
    stage.now += 1;
    expect(await again()).toMatchObject({ grant: { expiresAt: 63_001 } });
  });

  it('that is over ends now, and not before', async () => {
    const stage = new Stage();
    stage.endsInMs = -5000;
    expect(await stage.ask('Bearer t')).toMatchObject({ grant: { expiresAt: 5000 } });
  });

  it.each([
    ['the name its issuer gave it', 'x'.repeat(256), /^jti:x{256}$/],
    ['a digest without one', undefined, /^token:[\w-]{22}$/],
    ['a digest where that is empty', '', /^token:[\w-]{22}$/],
    ['a digest where that is no text', 7, /^token:[\w-]{22}$/],
    ['a digest where that is long', 'x'.repeat(257), /^token:[\w-]{22}$/],
  ])('is named by %s', async (_, jti, name) => {
    const stage = new Stage();
    stage.told = { claims: { jti } };
    const outcome = await stage.ask('Bearer t');
    expect(outcome.kind === 'principal' && outcome.grant?.credentialId).toMatch(name);
  });

  it.each([
    SERVER,
    `${SERVER}/`,
    `${SERVER}/mcp`,
    `${SERVER}/sse`,
    'HTTPS://MCP.Example/files/mcp',
    ['https://other.example', SERVER],
  ])('for this server is one whose audience is %j', async (aud) => {
    const stage = new Stage();
    stage.told = { claims: { aud } };
    expect((await stage.ask('Bearer t')).kind).toBe('principal');
  });

  it.each([
    'https://mcp.example/mail',
    'https://mcp.example',
    'https://mcp.example/FILES/mcp',
    'https://mcp.example:443/files/mcp',
    'https://mcp.example/mail/../files/mcp',
    [],
    undefined,
    [[SERVER]],
    'everybody',
  ])('whose audience is %j is for others', async (aud) => {
    const stage = new Stage();
    stage.told = { claims: { aud } };
    expect(refusalOf(await stage.ask('Bearer t'))).toEqual(invalid);
  });

  it('for an audience that was named counts everywhere, and before no server it alone', async () => {
    const stage = new Stage({ audiences: ['everybody'] });
    stage.told = { claims: { aud: 'everybody' } };
    expect((await stage.ask('Bearer t')).kind).toBe('principal');
    const nowhere = new Stage({ audiences: ['everybody'] });
    const ask = (authorization?: string): Promise<IdentityOutcome> =>
      new Promise((resolve) => nowhere.identity.verify(head(authorization), resolve));
    expect(refusalOf(await ask('Bearer t1'))).toContain(
      'Bearer realm="tidegate", error="invalid_token"',
    );
    nowhere.told = { claims: { aud: 'everybody' } };
    expect((await ask('Bearer t2')).kind).toBe('principal');
  });

  it('is read once for all servers', async () => {
    const stage = new Stage({ mapping: { claims: { dept: 'department' } }, audiences: ['all'] });
    stage.told = { claims: { aud: 'all', department: ['r'] } };
    const grants = ['https://mcp.example/a', 'https://mcp.example/b'].map(async (at) => {
      const outcome = await stage.ask('Bearer t', { at });
      return outcome.kind === 'principal' ? outcome.grant : undefined;
    });
    const [first, second] = await Promise.all(grants);
    expect(first?.claims).toEqual({ dept: ['r'] });
    expect(second?.claims).toBe(first?.claims);
    expect(stage.verified).toBe(1);
  });

  it('that was verified is known to be ours, and no other is', async () => {
    const stage = new Stage();
    expect(refusalOf(await stage.ask('Bearer k'))).toEqual(invalid);
    stage.isNamed = true;
    expect((await stage.ask('Bearer k')).kind).toBe('principal');
    stage.isNamed = false;
    expect((await stage.ask('Bearer k')).kind).toBe('principal');
    expect(refusalOf(await stage.ask('Bearer k2'))).toEqual(invalid);
  });
});

describe('whoever is refused', () => {
  it('is told where to get a token, and of no error, without one', async () => {
    const stage = new Stage({ scopes: ['use'] });
    expect(refusalOf(await stage.ask(undefined))).toEqual([
      'UNAUTHORIZED',
      'WWW-Authenticate',
      `Bearer realm="tidegate", scope="use", resource_metadata="${METADATA}"`,
      'WWW-Authenticate',
      `DPoP realm="tidegate", scope="use", resource_metadata="${METADATA}", algs="ES256"`,
    ]);
    expect(stage.verified).toBe(0);
  });

  it('is told of the entrance it came by', async () => {
    const stage = new Stage();
    const place = stage.identity.at(SERVER);
    const at = (path: string): Promise<IdentityOutcome> =>
      new Promise((resolve) => place.verify(head(undefined, { path }), resolve));
    const said = async (path: string): Promise<string> => String(refusalOf(await at(path))[2]);
    for (const path of ['/files/sse', '/files/mcp', '/files/sse', '/files/messages']) {
      const entrance = path === '/files/mcp' ? 'mcp' : 'sse';
      expect(await said(path)).toContain(`/oauth-protected-resource/files/${entrance}"`);
    }
    expect(await at('/files/mcp')).toBe(await at('/files/mcp'));
  });

  it('has what is no such token, or none that is valid', async () => {
    const stage = new Stage();
    expect(refusalOf(await stage.ask('Bearer other'))).toEqual(invalid);
    expect(stage.verified).toBe(0);
    stage.told = wrong('signature');
    expect(refusalOf(await stage.ask('Bearer t'))).toEqual(invalid);
  });

  it('may come again while nobody can tell', async () => {
    const stage = new Stage();
    stage.told = UNAVAILABLE;
    expect(refusalOf(await stage.ask('Bearer t'))).toEqual(['CREDENTIAL_UNVERIFIABLE']);
  });

  it('has to wait after too many that were none', async () => {
    const stage = new Stage();
    stage.told = wrong('signature');
    for (const name of ['t1', 't2', 't3']) await stage.ask(`Bearer ${name}`);
    const waits = ['RATE_LIMITED', 'Retry-After', '1'];
    const unseen = { why: 'too-many-failures', isUnseen: true };
    expect(refusalOf(await stage.ask('Bearer t4'))).toEqual(waits);
    expect(await stage.ask('Bearer t4')).toMatchObject(unseen);
    expect(refusalOf(await stage.ask('Bearer t4', { remoteAddress: '192.0.2.2' }))).toEqual(
      invalid,
    );
  });

  it('is no failure where others issue it, and is not read after failures', async () => {
    const stage = new Stage();
    stage.told = wrong('signature');
    for (const name of ['f1', 'f2', 'f3', 'f4']) await stage.ask(`Bearer ${name}`);
    expect(stage.verified).toBe(0);
    for (const name of ['t1', 't2', 't3'])
      expect(refusalOf(await stage.ask(`Bearer ${name}`))).toEqual(invalid);
    expect(refusalOf(await stage.ask('Bearer t4'))[0]).toBe('RATE_LIMITED');
    expect(await stage.ask('Bearer f4')).toMatchObject({ isUnseen: true });
    stage.clock.advance(1000);
    expect(await stage.ask('Bearer f4')).toMatchObject({ why: 'issuer' });
  });

  it('is somebody whom we cannot place', async () => {
    const stage = new Stage({ mapping: { tenant: { claim: 'org' } } });
    expect(refusalOf(await stage.ask('Bearer t'))).toEqual(['FORBIDDEN']);
  });

  it('lacks what every request needs, and is told of all of it', async () => {
    const stage = new Stage({ scopes: ['use', 'more'] });
    stage.told = { claims: { scope: 'use' } };
    const said = `realm="tidegate", error="insufficient_scope", scope="use more", resource_metadata="${METADATA}"`;
    expect(refusalOf(await stage.ask('Bearer t'))).toEqual([
      'FORBIDDEN',
      'WWW-Authenticate',
      `Bearer ${said}`,
      'WWW-Authenticate',
      `DPoP ${said}, algs="ES256"`,
    ]);
    const bound = new Stage({ scopes: ['use', 'more'], isDpopRequired: true });
    bound.told = { binding: { jkt: 'k' } };
    expect(refusalOf(await bound.ask('DPoP t'))).toEqual([
      'FORBIDDEN',
      'WWW-Authenticate',
      `DPoP ${said}, algs="ES256"`,
    ]);
    stage.told = { claims: { scope: 'more other use' } };
    expect((await stage.ask('Bearer t2')).kind).toBe('principal');
  });
});

describe('a token that is bound', () => {
  it('to a certificate counts over a connection that holds it', async () => {
    const stage = new Stage();
    stage.told = { binding: { x5t: 'c' } };
    expect((await stage.ask('Bearer t', { clientCertificate: 'c' })).kind).toBe('principal');
    expect(refusalOf(await stage.ask('Bearer t', { clientCertificate: 'd' }))).toEqual(invalid);
    expect(refusalOf(await stage.ask('Bearer t'))).toEqual(invalid);
    const free = new Stage();
    expect((await free.ask('Bearer t', { clientCertificate: 'c' })).kind).toBe('principal');
  });

  it('to a key counts with a proof for this very request, each time anew', async () => {
    const stage = new Stage({ mapping: { tenant: { claim: 'org' } } });
    stage.told = { binding: { jkt: 'k' }, claims: { org: 'acme' } };
    for (const path of ['/files/mcp', '/files/mcp/', '/files/sse']) {
      expect((await stage.ask('DPoP t', { path })).kind).toBe('principal');
    }
    const bound = { token: 't', jkt: 'k', tenant: 'acme' };
    expect(stage.checked).toEqual(
      ['mcp', 'mcp', 'sse'].map((entrance) => ['POST', `${SERVER}/${entrance}`, bound]),
    );
    expect(refusalOf(await stage.ask('Bearer t'))).toEqual(invalid);
    expect([stage.verified, stage.checked.length]).toEqual([1, 3]);
  });

  const ofProof = (error: string): string =>
    `DPoP realm="tidegate", error="${error}", resource_metadata="${METADATA}", algs="ES256"`;

  it.each([
    ['invalid', ['UNAUTHORIZED', 'WWW-Authenticate', ofProof('invalid_dpop_proof')]],
    [
      'nonce-needed',
      ['UNAUTHORIZED', 'WWW-Authenticate', ofProof('use_dpop_nonce'), 'DPoP-Nonce', 'a-nonce'],
    ],
    ['unavailable', ['CREDENTIAL_UNVERIFIABLE']],
  ] as const)('to a key is refused with a proof that is %s', async (proof, said) => {
    const stage = new Stage();
    stage.told = { binding: { jkt: 'k' } };
    stage.proof = proof;
    expect(refusalOf(await stage.ask('DPoP t'))).toEqual(said);
  });

  it('to a key is told of a nonce that counts now, each time', async () => {
    const stage = new Stage();
    stage.told = { binding: { jkt: 'k' } };
    stage.proof = 'nonce-needed';
    const place = stage.identity.at(SERVER);
    for (const nonce of ['a-nonce', 'another']) {
      stage.nonce = nonce;
      const asked = new Promise<IdentityOutcome>((resolve) =>
        place.verify(head('DPoP t'), resolve),
      );
      expect(refusalOf(await asked).at(-1)).toBe(nonce);
    }
  });

  it('to a key is worth nothing where no proof is read, or no URL is known', async () => {
    const stage = new Stage({ hasProofs: false, dpopAlgorithms: [] });
    stage.told = { binding: { jkt: 'k' } };
    expect(refusalOf(await stage.ask('DPoP t'))).toEqual(invalid.slice(0, 3));
    const nowhere = new Stage({ audiences: ['everybody'] });
    nowhere.told = { binding: { jkt: 'k' }, claims: { aud: 'everybody' } };
    const outcome = await new Promise<IdentityOutcome>((resolve) => {
      nowhere.identity.verify(head('DPoP t'), resolve);
    });
    expect([refusalOf(outcome)[0], nowhere.checked]).toEqual(['UNAUTHORIZED', []]);
  });

  it('to nothing is not taken for one that is', async () => {
    const stage = new Stage();
    expect(refusalOf(await stage.ask('DPoP t'))).toEqual(invalid);
  });

  it('is the only kind that counts where proofs are required, and no other is asked for', async () => {
    const stage = new Stage({ isDpopRequired: true });
    expect(refusalOf(await stage.ask('Bearer t'))).toEqual([
      'UNAUTHORIZED',
      'WWW-Authenticate',
      ofProof('invalid_token'),
    ]);
    expect(refusalOf(await stage.ask('DPoP t'))).toEqual([
      'UNAUTHORIZED',
      'WWW-Authenticate',
      ofProof('invalid_dpop_proof'),
    ]);
    stage.told = { binding: { jkt: 'k' } };
    expect((await stage.ask('DPoP t2')).kind).toBe('principal');
  });
});

describe('why a token does not count', () => {
  const bound = { binding: { jkt: 'k' } };

  it.each<[string, string, Rules, Told | TokenOutcome, ProofOutcome]>([
    ['malformed', 'Bearer x', {}, {}, 'proved'],
    ['issuer', 'Bearer foreign', {}, {}, 'proved'],
    ['expired', 'Bearer t', {}, wrong('expired'), 'proved'],
    ['unverifiable', 'Bearer t', {}, UNAVAILABLE, 'proved'],
    ['audience', 'Bearer t', {}, { claims: { aud: 'others' } }, 'proved'],
    ['certificate', 'Bearer t', {}, { binding: { x5t: 'c' } }, 'proved'],
    ['proof', 'Bearer t', {}, bound, 'proved'],
    ['proof', 'DPoP t', {}, bound, 'invalid'],
    ['nonce', 'DPoP t', {}, bound, 'nonce-needed'],
    ['subject-or-tenant', 'Bearer t', { mapping: { tenant: { claim: 'org' } } }, {}, 'proved'],
    ['scopes', 'Bearer t', { scopes: ['mcp'] }, {}, 'proved'],
  ])('is told to whoever runs this: %s, of %s', async (why, authorization, rules, told, proof) => {
    const stage = new Stage(rules);
    stage.told = told;
    stage.proof = proof;
    expect(await stage.ask(authorization)).toMatchObject({ kind: 'refused', why });
  });

  it('is not told where there is none', async () => {
    const outcome = await new Stage().ask(undefined);
    expect(outcome).toMatchObject({ kind: 'refused', why: undefined });
  });
});

it('whoever is out by another rule is told what anybody is told with such a request', async () => {
  const { identity } = new Stage();
  const place = identity.at(SERVER);
  const stranger = await new Stage().ask(undefined);
  expect(place.refusalOf(head(undefined))).toEqual(
    stranger.kind === 'refused' ? stranger.refusal : undefined,
  );
  expect(Object.values(place.refusalOf(head('Bearer t'))).flat()).toEqual(invalid);
  expect(Object.values(identity.refusalOf(head('Bearer t'))).flat()[0]).toBe('UNAUTHORIZED');
});

it('whatever goes on by itself ends with the identity', () => {
  const stage = new Stage();
  stage.identity.close();
  expect(stage.closed).toBe(1);
});
