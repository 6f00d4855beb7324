import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepToken, tokenFilePath, type TokenFileOutcome } from './token-file.ts';

let home: string;
let path: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tidegate-token-'));
  path = join(home, '.config', 'tidegate', 'token');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function reason(outcome: TokenFileOutcome): string {
  if (outcome.kind !== 'failed') throw new Error('expected a failure');
  return outcome.reason;
}

function plant(text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

describe('tokenFilePath', () => {
  it('follows XDG_CONFIG_HOME when it is absolute, and ~/.config otherwise', () => {
    const at = (value: string | undefined): string =>
      tokenFilePath({ XDG_CONFIG_HOME: value }, 'linux', '/home/u');
    expect(at('/conf')).toBe('/conf/tidegate/token');
    expect(at(undefined)).toBe('/home/u/.config/tidegate/token');
    expect(at('')).toBe('/home/u/.config/tidegate/token');
    expect(at('relative')).toBe('/home/u/.config/tidegate/token');
  });

  it('follows APPDATA on Windows', () => {
    expect(tokenFilePath({ APPDATA: 'C:\\Data' }, 'win32', 'C:\\u')).toBe(
      'C:\\Data\\tidegate\\token',
    );
    expect(tokenFilePath({}, 'win32', 'C:\\u')).toBe('C:\\u\\AppData\\Roaming\\tidegate\\token');
  });
});

describe('keepToken', () => {
  it('makes a token of 256 bits once and keeps it for its owner alone', () => {
    const first = keepToken(path);
    expect(first).toMatchObject({ kind: 'token', isNew: true });
    if (first.kind !== 'token') throw new Error('unreachable');
    expect(first.token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(keepToken(path)).toEqual({ kind: 'token', token: first.token, isNew: false });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(path))).toEqual(['token']);
  });

  it('V06 makes another token for another user', () => {
    const other = join(home, 'other', 'token');
    expect(keepToken(path)).not.toEqual(keepToken(other));
  });

  it('reads a token with a line break after it', () => {
    plant('0123456789abcdef\r\n');
    expect(keepToken(path)).toMatchObject({ token: '0123456789abcdef', isNew: false });
  });

  it.each([0o640, 0o604, 0o620, 0o666])('refuses a file with mode %o', (mode) => {
    plant('0123456789abcdef', mode);
    expect(reason(keepToken(path))).toContain('Others can read');
    expect(readFileSync(path, 'utf8')).toBe('0123456789abcdef');
  });

  it('refuses a symbolic link and leaves its target alone', () => {
    const target = join(home, 'target');
    writeFileSync(target, '0123456789abcdef', { mode: 0o600 });
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    symlinkSync(target, path);
    expect(reason(keepToken(path))).toContain('symbolic link');
    rmSync(target);
    expect(reason(keepToken(path))).toContain('symbolic link');
    expect(existsSync(target)).toBe(false);
  });

  it('refuses what is not a file', () => {
    mkdirSync(path, { recursive: true });
    expect(reason(keepToken(path))).toContain('is not a file');
  });

  it('refuses a folder in which others could replace the token', () => {
    mkdirSync(dirname(path), { recursive: true });
    chmodSync(dirname(path), 0o770);
    expect(reason(keepToken(path))).toContain('chmod 700');
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['', 'is empty'],
    ['  \n', 'is empty'],
    ['s3cret', 'is shorter'],
    ['x'.repeat(100_000), 'is longer'],
    ['two words in the file', 'holds a character'],
  ])('refuses a file that holds %j, without repeating it', (text, fault) => {
    plant(text);
    const said = reason(keepToken(path));
    expect(said).toContain(fault);
    expect(said).toContain('remove the file');
    if (text.trim() !== '') expect(said).not.toContain(text.trim());
  });

  it('keeps nothing in the current folder where there is no home', () => {
    const said = reason(keepToken(tokenFilePath({}, 'linux', '')));
    expect(said).toContain('set HOME or TIDEGATE_TOKEN');
    expect(existsSync(tokenFilePath({}, 'linux', ''))).toBe(false);
  });

  it('says what to do where nothing can be kept', () => {
    writeFileSync(join(home, 'file'), '');
    const said = reason(keepToken(join(home, 'file', 'tidegate', 'token')));
    expect(said).toContain('set TIDEGATE_TOKEN');
  });
});
