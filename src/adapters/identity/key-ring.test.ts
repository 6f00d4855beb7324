import { chmodSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Identity, IdentityOutcome, RequestHead, Telemetry } from '../../core/ports.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { type ApiKeyEntry, makeApiKey } from './api-key.ts';
import { firstMatch } from './first-match.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';
import { KeyRing } from './key-ring.ts';
import { staticToken } from './static-token.ts';

const SILENT: Telemetry = { log() {}, count() {}, request() {}, streamClosed() {} };

function headWith(...authorization: readonly string[]): RequestHead {
  return {
    method: 'POST',
    path: '/mcp',
    query: '',
    remoteAddress: '127.0.0.1',
    header: (name) => (name === 'authorization' ? authorization[0] : undefined),
    headerCount: (name) => (name === 'authorization' ? authorization.length : 0),
    headerNames: () => authorization.map(() => 'authorization'),
  };
}

function verdictOf(identity: Identity, ...authorization: readonly string[]): IdentityOutcome {
  let outcome: IdentityOutcome | undefined;
  identity.verify(headWith(...authorization), (found) => {
    outcome = found;
  });
  if (outcome === undefined) throw new Error('It was not decided at once.');
  return outcome;
}

function entryOf(
  made: { id: string; digest: string },
  more: Partial<ApiKeyEntry> = {},
): ApiKeyEntry {
  return {
    id: made.id,
    digest: made.digest,
    tenant: 'acme',
    subject: 'build',
    scopes: ['tools'],
    groups: [],
    expires: undefined,
    created: '2026-01-01T00:00:00.000Z',
    ...more,
  };
}

function keyPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-keys-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'keys.json');
}

function ring(
  path: string,
  onRevoked: (ids: ReadonlySet<string>) => void = () => {},
  now: () => number = Date.now,
): KeyRing {
  const made = new KeyRing({ path, clock: new VirtualClock(), telemetry: SILENT, onRevoked, now });
  onTestFinished(() => made.close());
  return made;
}

/**
 * Changes a file in whole seconds, as some file systems keep times. More than once: a change that
 * comes before the first look is none to whoever looks.
 */
async function touchedUntil<Told>(path: string, noticed: Promise<Told>): Promise<Told> {
  let seconds = 0;
  const touching = setInterval(() => {
    seconds += 1;
    utimesSync(path, seconds, seconds);
  }, 50);
  try {
    return await noticed;
  } finally {
    clearInterval(touching);
  }
}

describe('a ring of keys', () => {
  it('has ids that no command line takes for an option', () => {
    const ids = Array.from({ length: 500 }, () => makeApiKey().id);
    expect(ids.filter((id) => id.startsWith('-'))).toEqual([]);
  });

  it('lets in whoever has the whole key, as the tenant and subject it was made for', () => {
    const path = keyPath();
    const made = makeApiKey();
    writeKeyFile(path, [entryOf(made)]);
    expect(verdictOf(ring(path), `Bearer ${made.key}`)).toMatchObject({
      kind: 'principal',
      principal: { tenant: 'acme', subject: 'build', issuer: 'api-keys' },
      grant: { scopes: ['tools'], credentialId: `key:${made.id}`, expiresAt: Infinity },
    });
  });

  it('keeps no key: the file holds nothing that lets anybody in', () => {
    const path = keyPath();
    const made = makeApiKey();
    writeKeyFile(path, [entryOf(made)]);
    const identity = ring(path);
    expect(verdictOf(identity, `Bearer ${made.digest}`).kind).toBe('refused');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('refuses the id with another secret, no key, and two of them', () => {
    const path = keyPath();
    const made = makeApiKey();
    writeKeyFile(path, [entryOf(made)]);
    const identity = ring(path);
    const other = makeApiKey().key.replace(/^tgk_.{8}/, `tgk_${made.id}`);
    for (const sent of [[`Bearer ${other}`], [], ['Basic x'], [`Bearer ${made.key}`, 'Bearer y']]) {
      expect(verdictOf(identity, ...sent)).toMatchObject({
        kind: 'refused',
        refusal: { error: 'UNAUTHORIZED' },
      });
    }
  });

  it('tells when a key ends, and refuses it from then on', () => {
    const path = keyPath();
    const made = makeApiKey();
    writeKeyFile(path, [entryOf(made, { expires: '1970-01-01T00:01:00.000Z' })]);
    let now = 0;
    const identity = ring(path, undefined, () => now);
    expect(verdictOf(identity, `Bearer ${made.key}`)).toMatchObject({
      grant: { expiresAt: 60_000 },
    });
    now = 60_000;
    expect(verdictOf(identity, `Bearer ${made.key}`).kind).toBe('refused');
  });

  it('two keys of one subject are one principal, so that they can be rotated', () => {
    const path = keyPath();
    const made = [makeApiKey(), makeApiKey()];
    writeKeyFile(
      path,
      made.map((each) => entryOf(each)),
    );
    const identity = ring(path);
    const keys = made.map(({ key }) => {
      const outcome = verdictOf(identity, `Bearer ${key}`);
      return outcome.kind === 'principal' ? outcome.principal.key : '';
    });
    expect(keys[0]).not.toBe('');
    expect(keys[0]).toBe(keys[1]);
  });

  it('reports keys that are gone or were changed, and lets new ones in', () => {
    const path = keyPath();
    const [kept, gone, changed, added] = [makeApiKey(), makeApiKey(), makeApiKey(), makeApiKey()];
    writeKeyFile(path, [entryOf(kept), entryOf(gone), entryOf(changed)]);
    const revoked: string[] = [];
    const identity = ring(path, (ids) => revoked.push(...ids));
    writeKeyFile(path, [entryOf(kept), entryOf(changed, { scopes: [] }), entryOf(added)]);
    identity.reload();
    expect(revoked.toSorted()).toEqual([`key:${gone.id}`, `key:${changed.id}`].toSorted());
    expect(verdictOf(identity, `Bearer ${gone.key}`).kind).toBe('refused');
    expect(verdictOf(identity, `Bearer ${added.key}`).kind).toBe('principal');
  });

  it('notices a change of the file by itself', async () => {
    const path = keyPath();
    const made = makeApiKey();
    writeKeyFile(path, [entryOf(made)]);
    const noticed = new Promise<ReadonlySet<string>>((resolve) => {
      ring(path, resolve);
    });
    writeKeyFile(path, []);
    expect([...(await touchedUntil(path, noticed))]).toEqual([`key:${made.id}`]);
  });

  it('notices a change that came before its first look', () => {
    const path = keyPath();
    const { key, ...made } = makeApiKey();
    writeKeyFile(path, [entryOf(made)]);
    const clock = new VirtualClock();
    const gone: string[] = [];
    const onRevoked = (ids: ReadonlySet<string>): void => void gone.push(...ids);
    const keys = new KeyRing({ path, clock, telemetry: SILENT, onRevoked });
    onTestFinished(() => keys.close());
    writeKeyFile(path, []);
    clock.advance(1000);
    expect(gone).toEqual([`key:${made.id}`]);
    expect(verdictOf(keys, `Bearer ${key}`).kind).toBe('refused');
  });

  it('notices nothing once it is closed, and keeps no process alive before', async () => {
    const path = keyPath();
    writeKeyFile(path, [entryOf(makeApiKey())]);
    const resources = process.getActiveResourcesInfo();
    const revoked: string[] = [];
    const closed = ring(path, () => revoked.push('closed'));
    expect(process.getActiveResourcesInfo()).toEqual(resources);
    const noticed = new Promise<void>((resolve) => {
      ring(path, () => resolve());
    });
    closed.close();
    writeKeyFile(path, []);
    await touchedUntil(path, noticed);
    expect([revoked, closed.size]).toEqual([[], 1]);
  });

  it('tells which of its keys others lack, or have otherwise', () => {
    const path = keyPath();
    const [same, changed, gone] = [makeApiKey(), makeApiKey(), makeApiKey()];
    writeKeyFile(path, [entryOf(same), entryOf(changed), entryOf(gone)]);
    const before = ring(path);
    const idsOf = (...made: readonly { id: string }[]): string[] =>
      made.map(({ id }) => `key:${id}`);
    expect(before.missingIn([])).toEqual(idsOf(same, changed, gone));
    expect(before.missingIn([ring(path)])).toEqual([]);
    writeKeyFile(path, [entryOf(same), entryOf(changed, { scopes: [] })]);
    const after = ring(path);
    expect(before.missingIn([after])).toEqual(idsOf(changed, gone));
    const empty = keyPath();
    writeKeyFile(empty, []);
    expect(before.missingIn([ring(empty), after])).toEqual(idsOf(changed, gone));
  });

  it('keeps its keys while the file is broken, and does not start with a broken one', () => {
    const path = keyPath();
    const made = makeApiKey();
    writeKeyFile(path, [entryOf(made)]);
    const identity = ring(path);
    writeFileSync(path, '{');
    identity.reload();
    expect(verdictOf(identity, `Bearer ${made.key}`).kind).toBe('principal');
    expect(() => ring(path)).toThrow('is not JSON');
  });

  it('reads a file that could not be read again each second, and complains of it once', () => {
    const path = keyPath();
    const made = makeApiKey();
    writeKeyFile(path, [entryOf(made)]);
    const clock = new VirtualClock();
    const faults: unknown[] = [];
    const revoked: string[] = [];
    const telemetry: Telemetry = {
      ...SILENT,
      log: (_, event) => void (event === 'keys_unreadable' && faults.push(event)),
    };
    const keys = new KeyRing({ path, clock, telemetry, onRevoked: (ids) => revoked.push(...ids) });
    onTestFinished(() => keys.close());
    writeFileSync(path, '{');
    keys.reload();
    clock.advance(5000);
    writeFileSync(path, '{"keys":[]}');
    clock.advance(999);
    expect([faults.length, revoked]).toEqual([1, []]);
    clock.advance(1);
    expect(revoked).toEqual([`key:${made.id}`]);
    writeFileSync(path, '{');
    keys.reload();
    keys.reload();
    expect([faults.length, clock.pending]).toEqual([2, 1]);
    keys.close();
    expect(clock.pending).toBe(0);
    writeKeyFile(path, [entryOf(made)]);
    clock.advance(1000);
    expect(keys.size).toBe(0);
  });

  it.runIf(process.getuid !== undefined)('refuses a file that others can write to', () => {
    const path = keyPath();
    writeKeyFile(path, []);
    chmodSync(path, 0o666);
    expect(readKeyFile(path)).toMatchObject({ kind: 'failed' });
  });
});

describe('several ways to come in', () => {
  it('the first that knows the credential decides', () => {
    const path = keyPath();
    const made = makeApiKey();
    writeKeyFile(path, [entryOf(made)]);
    const identity = firstMatch([staticToken('0123456789abcdef'), ring(path)]);
    expect(verdictOf(identity, 'Bearer 0123456789abcdef')).toMatchObject({
      principal: { issuer: 'static-token' },
    });
    expect(verdictOf(identity, `Bearer ${made.key}`)).toMatchObject({
      principal: { issuer: 'api-keys' },
    });
  });

  it('a credential none knows is refused once, with one challenge where they agree', () => {
    const path = keyPath();
    writeKeyFile(path, []);
    const identity = firstMatch([staticToken('0123456789abcdef'), ring(path)]);
    const challenge = 'Bearer realm="tidegate", error="invalid_token"';
    expect(verdictOf(identity, 'Bearer wrong-wrong-wrong')).toEqual({
      kind: 'refused',
      refusal: { error: 'UNAUTHORIZED', headers: ['WWW-Authenticate', challenge] },
      why: 'unknown',
    });
    expect(identity.isOpen).toBe(false);
  });

  it('two credentials in one request are refused by the first, whoever else might know one', () => {
    const path = keyPath();
    const made = makeApiKey();
    writeKeyFile(path, [entryOf(made)]);
    const identity = firstMatch([staticToken('0123456789abcdef'), ring(path)]);
    const sent = [`Bearer ${made.key}`, 'Bearer 0123456789abcdef'];
    expect(verdictOf(identity, ...sent)).toMatchObject({ refusal: { error: 'HEADER_REPEATED' } });
  });
});

describe('what a ring of keys says', () => {
  const challengeOf = (outcome: IdentityOutcome): readonly string[] | undefined =>
    outcome.kind === 'refused' ? outcome.refusal.headers : undefined;

  it('is one challenge to whom sends nothing, and another to whom sends what does not count', () => {
    const path = keyPath();
    const made = makeApiKey();
    writeKeyFile(path, [entryOf(made)]);
    const keys = new KeyRing({
      path,
      clock: new VirtualClock(),
      telemetry: SILENT,
      onRevoked() {},
    });
    onTestFinished(() => keys.close());
    const nothing = ['WWW-Authenticate', 'Bearer realm="tidegate"'];
    const wrong = ['WWW-Authenticate', 'Bearer realm="tidegate", error="invalid_token"'];
    expect(challengeOf(verdictOf(keys))).toEqual(nothing);
    expect(challengeOf(verdictOf(keys, `Basic ${made.key}`))).toEqual(nothing);
    for (const token of ['undefined', 'a', makeApiKey().key, `${made.key}x`]) {
      expect(challengeOf(verdictOf(keys, `Bearer ${token}`))).toEqual(wrong);
    }
    expect(verdictOf(keys, `Bearer ${made.key}`)).toMatchObject({
      kind: 'principal',
      principal: { tenant: 'acme', issuer: 'api-keys', subject: 'build', clientId: '' },
      grant: { expiresAt: Infinity },
    });
  });

  it('ends with a key, to the millisecond', () => {
    const path = keyPath();
    const made = makeApiKey();
    const end = Date.parse('2030-01-01T00:00:00.000Z');
    writeKeyFile(path, [entryOf(made, { expires: '2030-01-01T00:00:00.000Z' })]);
    let now = end - 1;
    const clock = new VirtualClock();
    const parts = { path, clock, telemetry: SILENT, onRevoked() {}, now: () => now };
    const keys = new KeyRing(parts);
    onTestFinished(() => keys.close());
    const before = verdictOf(keys, `Bearer ${made.key}`);
    expect(before).toMatchObject({ grant: { expiresAt: clock.now() + 1 } });
    now = end;
    const after = verdictOf(keys, `Bearer ${made.key}`);
    expect(after).toMatchObject({ kind: 'refused', why: 'expired' });
    expect(challengeOf(after)).toEqual(challengeOf(verdictOf(keys, 'Bearer wrong')));
  });

  it('is by the clock of the machine, where no other is given', () => {
    const path = keyPath();
    const [over, good] = [makeApiKey(), makeApiKey()];
    const ends = (ms: number): string => new Date(Date.now() + ms).toISOString();
    writeKeyFile(path, [
      entryOf(over, { expires: ends(-1000) }),
      entryOf(good, { expires: ends(60_000) }),
    ]);
    const clock = new VirtualClock();
    const keys = new KeyRing({ path, clock, telemetry: SILENT, onRevoked() {} });
    onTestFinished(() => keys.close());
    expect(verdictOf(keys, `Bearer ${over.key}`)).toMatchObject({ why: 'expired' });
    expect(verdictOf(keys, `Bearer ${good.key}`).kind).toBe('principal');
  });

  it('is said by itself too, for others that refuse', () => {
    const path = keyPath();
    const keys = ring(path);
    const challenges = [[], ['Bearer a']].map((sent) => keys.refusalOf(headWith(...sent)).headers);
    expect(challenges).toEqual([
      ['WWW-Authenticate', 'Bearer realm="tidegate"'],
      ['WWW-Authenticate', 'Bearer realm="tidegate", error="invalid_token"'],
    ]);
  });

  it('is told of what the file holds, and of nothing that is not gone', () => {
    const path = keyPath();
    const log: unknown[] = [];
    const revoked: unknown[] = [];
    const telemetry: Telemetry = { ...SILENT, log: (...all) => void log.push(all) };
    const onRevoked = (ids: ReadonlySet<string>): void => void revoked.push([...ids]);
    const added: unknown[] = [];
    const onAdded = (ids: readonly string[]): void => void added.push(ids);
    const keys = new KeyRing({ path, clock: new VirtualClock(), telemetry, onRevoked, onAdded });
    onTestFinished(() => keys.close());
    expect(keys.size).toBe(0);
    const [one, other] = [makeApiKey(), makeApiKey()];
    writeKeyFile(path, [entryOf(one), entryOf(other)]);
    keys.reload();
    expect([keys.size, revoked]).toEqual([2, []]);
    writeKeyFile(path, [entryOf(one)]);
    keys.reload();
    expect([keys.size, revoked]).toEqual([1, [[`key:${other.id}`]]]);
    writeFileSync(path, '{');
    keys.reload();
    expect([keys.size, revoked.length]).toEqual([1, 1]);
    rmSync(path);
    keys.reload();
    expect([keys.size, revoked[1]]).toEqual([0, [`key:${one.id}`]]);
    writeKeyFile(path, [entryOf(other)]);
    keys.reload();
    expect(added).toEqual([[`key:${one.id}`, `key:${other.id}`], [`key:${other.id}`]]);
    expect(log).toEqual([
      ['info', 'keys_read', { keys: 2, revoked: 0 }],
      ['info', 'keys_read', { keys: 1, revoked: 1 }],
      ['error', 'keys_unreadable', { reason: `${path} is not JSON.` }],
      ['info', 'keys_read', { keys: 0, revoked: 1 }],
      ['info', 'keys_read', { keys: 1, revoked: 0 }],
    ]);
  });
});
