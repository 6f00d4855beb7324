/**
 * The file of API keys: JSON, readable by its owner alone. It holds hashes, so whoever reads it
 * gets no key; whoever writes it lets himself in, so others may not.
 */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import type { ApiKeyEntry } from './api-key.ts';

export type KeyFileOutcome =
  | { readonly kind: 'keys'; readonly keys: readonly ApiKeyEntry[] }
  /** There is no file yet. */
  | { readonly kind: 'absent' }
  /**
   * `reason` is one sentence that names the file and says what to do; `what` is the rest of one
   * that names it otherwise.
   */
  | { readonly kind: 'failed'; readonly reason: string; readonly what: string };

/** Bytes a file of keys may have: some forty thousand keys. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

export function readKeyFile(path: string): KeyFileOutcome {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { kind: 'absent' };
    return failed(path, `cannot be read (${code})`);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.size > FILE_BYTES_MAX) {
      return failed(path, 'is no file of keys');
    }
    if (process.getuid !== undefined && (stat.mode & 0o022) !== 0) {
      const what = 'can be written to by others, who would let themselves in; run chmod 600 on it';
      return failed(path, what);
    }
    return parseKeys(readFileSync(file, 'utf8'), path);
  } finally {
    closeSync(file);
  }
}

/**
 * Written whole under another name and put in place at once: a reader never sees half of it. It
 * stays where it is and whose it is: a gateway that runs as somebody else must be able to read it.
 * @throws Error when it cannot be written, or not be given to whom it belonged.
 */
export function writeKeyFile(path: string, keys: readonly ApiKeyEntry[]): void {
  const before = statSync(path, { throwIfNoEntry: false });
  const place = before === undefined ? path : realpathSync(path);
  const draft = `${place}.${randomBytes(6).toString('hex')}`;
  const text = `${JSON.stringify({ version: 1, keys }, null, 2)}\n`;
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeFileSync(file, text);
    if (before !== undefined) {
      fchownSync(file, before.uid, before.gid);
      fchmodSync(file, before.mode & 0o777);
    }
    fsyncSync(file);
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

function failed(path: string, what: string): KeyFileOutcome {
  return { kind: 'failed', reason: `${path} ${what}.`, what };
}

function parseKeys(text: string, path: string): KeyFileOutcome {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failed(path, 'is not JSON');
  }
  const { keys } = (value ?? {}) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) return failed(path, 'has no list of keys');
  const wrong = keys.findIndex((each) => !isEntry(each));
  if (wrong !== -1) return failed(path, `has a faulty key, number ${wrong + 1}`);
  const entries = keys as readonly ApiKeyEntry[];
  const ids = new Set(entries.map(({ id }) => id));
  if (ids.size < entries.length) return failed(path, 'repeats a key');
  return { kind: 'keys', keys: entries };
}

function isEntry(value: unknown): value is ApiKeyEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { id, digest, tenant, subject, scopes, groups, expires, created } = value as Readonly<
    Record<string, unknown>
  >;
  const texts = [id, digest, tenant, subject, created];
  return (
    texts.every((each) => typeof each === 'string' && each !== '') &&
    [scopes, groups].every(isListOfText) &&
    (expires === undefined || (typeof expires === 'string' && !Number.isNaN(Date.parse(expires))))
  );
}

function isListOfText(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
