import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiKeyEntry } from './api-key.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';

const KEY: ApiKeyEntry = {
  id: 'abcdefgh',
  digest: 'd',
  tenant: 'acme',
  subject: 'ann',
  scopes: ['s'],
  groups: [],
  expires: undefined,
  created: '2026-01-01T00:00:00.000Z',
};

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-keys-'));
  path = join(folder, 'keys.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

function plant(value: unknown): void {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  writeFileSync(path, text, { mode: 0o600 });
}

const withKey = (more: object): unknown => ({ keys: [{ ...KEY, ...more }] });

describe('a file of keys', () => {
  it('is read as it was written, by its owner alone', () => {
    const keys = [KEY, { ...KEY, id: 'other', expires: '2027-01-01T00:00:00Z' }];
    writeKeyFile(path, keys);
    expect(readKeyFile(path)).toEqual({ kind: 'keys', keys });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version: 1 });
    expect(readFileSync(path, 'utf8').endsWith('}\n')).toBe(true);
    writeKeyFile(path, []);
    expect(readKeyFile(path)).toEqual({ kind: 'keys', keys: [] });
    expect(readdirSync(folder)).toEqual(['keys.json']);
  });

  it('stays where a link to it leads, and as readable as it was', () => {
    plant({ keys: [] });
    chmodSync(path, 0o640);
    const link = join(folder, 'link.json');
    symlinkSync(path, link);
    writeKeyFile(link, [KEY]);
    expect(readKeyFile(path)).toEqual({ kind: 'keys', keys: [KEY] });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder).toSorted()).toEqual(['keys.json', 'link.json']);
  });

  it.runIf(process.getuid?.() === 0)('stays with whom it belongs to', () => {
    plant({ keys: [] });
    chownSync(path, 65_533, 65_534);
    writeKeyFile(path, [KEY]);
    expect(statSync(path)).toMatchObject({ uid: 65_533, gid: 65_534 });
  });

  it('that cannot be put in place is as it was, and leaves nothing behind', () => {
    mkdirSync(path);
    expect(() => writeKeyFile(path, [KEY])).toThrow();
    expect(readdirSync(folder)).toEqual(['keys.json']);
  });

  it.runIf(process.platform === 'linux')('is left open by nobody', () => {
    writeKeyFile(path, [KEY]);
    readKeyFile(path);
    chmodSync(path, 0o666);
    readKeyFile(path);
    const open = readdirSync('/proc/self/fd').map((file) => {
      try {
        return readlinkSync(`/proc/self/fd/${file}`);
      } catch {
        return '';
      }
    });
    expect(open.filter((each) => each.startsWith(folder))).toEqual([]);
  });

  it('may be absent', () => {
    expect(readKeyFile(path)).toEqual({ kind: 'absent' });
  });

  it('that cannot be read says why', () => {
    plant({ keys: [] });
    expect(readKeyFile(join(path, 'x'))).toEqual({
      kind: 'failed',
      reason: `${path}/x cannot be read (ENOTDIR).`,
      what: 'cannot be read (ENOTDIR)',
    });
  });

  it('is no folder, and of no size without end', () => {
    mkdirSync(path);
    expect(readKeyFile(path)).toMatchObject({ reason: `${path} is no file of keys.` });
    rmSync(path, { recursive: true });
    plant('{"keys":[]}');
    truncateSync(path, 16 * 1024 * 1024 + 1);
    expect(readKeyFile(path)).toMatchObject({ reason: `${path} is no file of keys.` });
    truncateSync(path, 16 * 1024 * 1024);
    expect(readKeyFile(path)).toMatchObject({ reason: `${path} is not JSON.` });
  });

  it.each([0o620, 0o602, 0o660, 0o622])('that others can write to lets nobody in: %o', (mode) => {
    plant({ keys: [] });
    chmodSync(path, mode);
    expect(readKeyFile(path)).toMatchObject({
      kind: 'failed',
      reason: `${path} can be written to by others, who would let themselves in; run chmod 600 on it.`,
    });
  });

  it('that others can only read is taken: it holds hashes', () => {
    plant({ keys: [] });
    for (const mode of [0o644, 0o755]) {
      chmodSync(path, mode);
      expect(readKeyFile(path).kind).toBe('keys');
    }
  });

  it.each([
    ['{', 'is not JSON'],
    ['null', 'has no list of keys'],
    ['{}', 'has no list of keys'],
    ['{"keys":{}}', 'has no list of keys'],
    ['{"keys":[null]}', 'has a faulty key, number 1'],
    ['{"keys":["x"]}', 'has a faulty key, number 1'],
    [{ keys: [KEY, {}] }, 'has a faulty key, number 2'],
    [{ keys: [KEY, KEY] }, 'repeats a key'],
    ...['id', 'digest', 'tenant', 'subject', 'created'].flatMap((name) =>
      [undefined, 7, ''].map((wrong) => [withKey({ [name]: wrong }), 'has a faulty key, number 1']),
    ),
    ...['scopes', 'groups'].flatMap((name) =>
      [undefined, 'a', [7]].map((wrong) => [
        withKey({ [name]: wrong }),
        'has a faulty key, number 1',
      ]),
    ),
    [withKey({ expires: 'soon' }), 'has a faulty key, number 1'],
    [withKey({ expires: 7 }), 'has a faulty key, number 1'],
  ])('with %j is refused whole: it %s', (value, what) => {
    plant(value);
    expect(readKeyFile(path)).toEqual({
      kind: 'failed',
      reason: `${path} ${String(what)}.`,
      what,
    });
  });
});
