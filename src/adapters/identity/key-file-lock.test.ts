import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { lockKeyFile, lockPathOf } from './key-file-lock.ts';

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

it('a file of keys is changed by one at a time, whatever name he knows it by', () => {
  const folder = folderOf();
  const path = join(folder, 'keys.json');
  const link = join(folder, 'link.json');
  writeFileSync(path, '{}');
  symlinkSync(path, link);
  const unlock = lockKeyFile(path, 0);
  expect(lockKeyFile(path, 40)).toBeUndefined();
  expect(lockKeyFile(link, 0)).toBeUndefined();
  unlock?.();
  expect(readdirSync(folder).toSorted()).toEqual(['keys.json', 'link.json']);
  const again = lockKeyFile(link, 0);
  expect(again).toBeTypeOf('function');
  again?.();
});

it('a lock whose maker was killed keeps nobody out for good', () => {
  const path = join(folderOf(), 'keys.json');
  expect(lockKeyFile(path, 0)).toBeTypeOf('function');
  const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1000);
  utimesSync(lockPathOf(path), ago(20), ago(20));
  expect(lockKeyFile(path, 0)).toBeUndefined();
  utimesSync(lockPathOf(path), ago(31), ago(31));
  expect(lockKeyFile(path, 1000)).toBeTypeOf('function');
  expect(lockKeyFile(path, 0)).toBeUndefined();
  expect(readdirSync(join(path, '..'))).toEqual(['keys.json.lock']);
});

it('where nothing can be written it says so', () => {
  const folder = folderOf();
  expect(() => lockKeyFile(join(folder, 'absent', 'keys.json'), 0)).toThrow('ENOENT');
  mkdirSync(join(folder, 'keys.json.lock'));
  expect(lockKeyFile(join(folder, 'keys.json'), 0)).toBeUndefined();
});
