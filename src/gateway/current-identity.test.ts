import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { makeApiKey } from '../adapters/identity/api-key.ts';
import { Denials } from '../adapters/identity/denials.ts';
import { writeKeyFile } from '../adapters/identity/key-file.ts';
import { KeyRing } from '../adapters/identity/key-ring.ts';
import { BARE_GRANT } from '../core/grant.ts';
import type { Identity, IdentityOutcome, RequestHead } from '../core/ports.ts';
import { principalOf } from '../core/principal.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { BuiltWays } from './built-ways.ts';
import { CurrentIdentity } from './current-identity.ts';
import type { AuthConfig, ListenConfig } from './gateway-config.ts';
import type { IdentityPorts } from './identity-of.ts';

const LISTEN = { host: '127.0.0.1' } as ListenConfig;
const ANN = principalOf({ tenant: 'acme', issuer: 'me', subject: 'ann', clientId: '' });
const KNOWN: IdentityOutcome = { kind: 'principal', principal: ANN, grant: BARE_GRANT };
const ONE = 'a-token-of-22-characters';
const OTHER = 'another-token-of-24-chars';

const PORTS: IdentityPorts = {
  clock: new VirtualClock(),
  telemetry: { log() {}, count() {}, request() {}, streamClosed() {} },
  onRevoked() {},
};

function tokenAuth(token: string): AuthConfig {
  return { kind: 'token', token };
}

function currentOf(
  auth: AuthConfig,
  identity?: Identity,
  denials = new Denials(),
  ports = PORTS,
): CurrentIdentity {
  return new CurrentIdentity({ auth, listen: LISTEN }, identity, denials, ports);
}

/** Of a program: knows everybody, and more where a test says so. */
function ownIdentity(more: object = {}): Identity {
  return { verify: (_head, done) => done(KNOWN), ...more };
}

function asked(identity: Identity, token = ''): IdentityOutcome {
  const outcomes: IdentityOutcome[] = [];
  const header = (name: string): string | undefined =>
    name === 'authorization' ? `Bearer ${token}` : undefined;
  const head = { header, headerCount: () => 1 } as unknown as RequestHead;
  identity.verify(head, (outcome) => outcomes.push(outcome));
  expect(outcomes).toHaveLength(1);
  return outcomes[0] as IdentityOutcome;
}

describe('who may come in', () => {
  it('is whom the config of now knows, at every server, and nobody of before', () => {
    const current = currentOf(tokenAuth(ONE));
    const place = current.at('https://gate.example/files');
    for (const identity of [current, place]) {
      expect(asked(identity, ONE).kind).toBe('principal');
      expect(asked(identity, OTHER).kind).toBe('refused');
    }
    current.replace(tokenAuth(OTHER), LISTEN);
    for (const identity of [current, place]) {
      expect(asked(identity, ONE).kind).toBe('refused');
      expect(asked(identity, OTHER).kind).toBe('principal');
    }
    current.close();
  });

  it('is whom a config knows that comes again', () => {
    const current = currentOf(tokenAuth(ONE));
    current.replace(tokenAuth(OTHER), LISTEN);
    current.replace(tokenAuth(ONE), LISTEN);
    expect(asked(current, ONE).kind).toBe('principal');
    expect(asked(current, OTHER).kind).toBe('refused');
  });

  it('is not looked for again when a config says the same', () => {
    const current = currentOf(tokenAuth(ONE));
    const built = vi.spyOn(BuiltWays, 'of');
    onTestFinished(() => built.mockRestore());
    current.replace(tokenAuth(ONE), LISTEN);
    expect(built).not.toHaveBeenCalled();
    current.replace(tokenAuth(OTHER), LISTEN);
    expect(built).toHaveBeenCalledTimes(1);
  });

  it('is whoever has a key of the file of now, and those of before are reported and let go', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidegate-identity-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'keys.json');
    const { id, digest, key } = makeApiKey();
    const parts = { tenant: 'acme', subject: 'build', scopes: [], groups: [] };
    const created = '2026-01-01T00:00:00.000Z';
    writeKeyFile(path, [{ id, digest, ...parts, expires: undefined, created }]);
    const closed = vi.spyOn(KeyRing.prototype, 'close');
    onTestFinished(() => closed.mockRestore());
    const revoked: string[] = [];
    const current = currentOf(tokenAuth(ONE), undefined, new Denials(), {
      ...PORTS,
      onRevoked: (ids) => void revoked.push(...ids),
    });
    current.replace({ kind: 'keys', path }, LISTEN);
    expect(asked(current, key)).toMatchObject({ principal: { subject: 'build' } });
    current.replace(tokenAuth(ONE), LISTEN);
    expect([revoked, closed.mock.calls.length]).toEqual([[`key:${id}`], 1]);
    current.replace({ kind: 'keys', path }, LISTEN);
    current.close();
    expect([revoked.length, closed.mock.calls.length]).toEqual([1, 2]);
  });

  it('is whom an identity of the program knows, whatever a config says', () => {
    const current = currentOf(tokenAuth(ONE), ownIdentity());
    current.replace(tokenAuth(OTHER), LISTEN);
    expect(asked(current)).toBe(KNOWN);
    expect(asked(current.at('https://gate.example/files'))).toBe(KNOWN);
  });

  it('is as before when another config cannot be', () => {
    const current = currentOf(tokenAuth(ONE));
    expect(() => current.replace(tokenAuth('short'), LISTEN)).toThrow('shorter');
    expect(asked(current, ONE).kind).toBe('principal');
    current.replace(tokenAuth(OTHER), LISTEN);
    expect(asked(current, OTHER).kind).toBe('principal');
  });

  it('is asked about at each server, of an identity that tells them apart', () => {
    const places: string[] = [];
    const at = (publicUrl: string): Identity => {
      places.push(publicUrl);
      return {
        verify: (_head, done) => done({ ...KNOWN, grant: { ...BARE_GRANT, scopes: [publicUrl] } }),
      };
    };
    const current = currentOf(tokenAuth(ONE), ownIdentity({ at }));
    for (const url of ['https://gate.example/a', 'https://gate.example/b']) {
      const place = current.at(url);
      for (let i = 0; i < 2; i += 1)
        expect(asked(place)).toMatchObject({ grant: { scopes: [url] } });
    }
    expect(places).toEqual(['https://gate.example/a', 'https://gate.example/b']);
    expect(asked(current)).toBe(KNOWN);
  });
});

describe('whoever is denied', () => {
  const denied = (): Denials => {
    const denials = new Denials();
    denials.deny({ subjects: ['ann'] });
    return denials;
  };

  it('is told what anybody is whose credential does not count, at every server', () => {
    const refusal = { error: 'UNAUTHORIZED', headers: ['WWW-Authenticate', 'Own'] } as const;
    const own = ownIdentity({ refusalOf: () => refusal });
    const current = currentOf(tokenAuth(ONE), own, denied());
    for (const identity of [current, current.at('https://gate.example/files')]) {
      expect(asked(identity)).toEqual({ kind: 'refused', refusal, why: 'denied' });
    }
  });

  it('is challenged, too, where an identity says no more than who comes', () => {
    const current = currentOf(tokenAuth(ONE), ownIdentity(), denied());
    expect(asked(current)).toEqual({
      kind: 'refused',
      why: 'denied',
      refusal: {
        error: 'UNAUTHORIZED',
        headers: ['WWW-Authenticate', 'Bearer realm="tidegate", error="invalid_token"'],
      },
    });
  });

  it.each([undefined, null, {}, { kind: 'principal' }, { kind: 'principal', principal: null }])(
    'is not looked for where an identity says %o',
    (said) => {
      const own = ownIdentity({
        verify: (_: unknown, done: (o: unknown) => void) => done(said),
      });
      const current = currentOf(tokenAuth(ONE), own, denied());
      for (const identity of [current, current.at('https://gate.example/files')]) {
        expect(asked(identity)).toBe(said);
      }
    },
  );

  it('is nobody else, and may come again', () => {
    const denials = denied();
    denials.deny({ subjects: ['bob'] });
    const current = currentOf(tokenAuth(ONE), ownIdentity(), denials);
    denials.allow({ subjects: ['ann'] });
    expect(asked(current)).toBe(KNOWN);
    const refused: IdentityOutcome = { kind: 'refused', refusal: { error: 'UNAUTHORIZED' } };
    const strict = ownIdentity({
      verify: (_: unknown, done: (o: unknown) => void) => done(refused),
    });
    expect(asked(currentOf(tokenAuth(ONE), strict, denied()))).toBe(refused);
  });
});

it('a door is open, and tells where credentials come from, as its identity says', () => {
  expect(currentOf({ kind: 'none', insecure: false }).isOpen).toBe(true);
  expect(currentOf(tokenAuth(ONE)).isOpen).toBe(false);
  expect(currentOf(tokenAuth(ONE)).authorization).toBeUndefined();
  const authorization = { issuers: ['https://idp.example'] };
  expect(currentOf(tokenAuth(ONE), ownIdentity({ authorization })).authorization).toBe(
    authorization,
  );
});
