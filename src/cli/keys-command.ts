/** `tidegate keys`: the file of API keys, changed in one step that a serving gateway can see. */
import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { type ApiKeyEntry, makeApiKey } from '../adapters/identity/api-key.ts';
import { readKeyFile, writeKeyFile } from '../adapters/identity/key-file.ts';
import { lockKeyFile } from '../adapters/identity/key-file-lock.ts';
import type { AddKey, KeysOptions } from './keys-line.ts';

export interface KeysOutcome {
  readonly exitCode: 0 | 1;
  /** For standard output: a new key, or JSON. */
  readonly output: string;
  /** For standard error. */
  readonly text: string;
}

/** Milliseconds to wait for others who change the file: each takes a few. */
const LOCK_MS_MAX = 5000;

/**
 * @param now - wall-clock milliseconds.
 * @param lockMsMax - how long to wait while others change the file.
 */
export function keysCommand(
  options: KeysOptions,
  now: number,
  lockMsMax: number = LOCK_MS_MAX,
): KeysOutcome {
  const { file, action } = options;
  if (action === 'list') return withKeysOf(file, (keys) => listed(options, keys, now));
  try {
    if (!isFolder(dirname(file))) {
      return failed(`there is no folder ${dirname(file)} for ${basename(file)}.`);
    }
    const unlock = lockKeyFile(file, lockMsMax);
    if (unlock === undefined) {
      return failed(`Somebody else is changing ${file}; nothing was changed. Try again.`);
    }
    try {
      if (action === 'revoke') return withKeysOf(file, (keys) => revoked(options, keys));
      return withKeys(file, [], (keys) => added(options, options.isJson, keys, now));
    } finally {
      unlock();
    }
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    return failed(`${file} cannot be written (${code}).`);
  }
}

/** @param whenAbsent - the keys of a file that there is not. */
function withKeys(
  file: string,
  whenAbsent: readonly ApiKeyEntry[] | undefined,
  then: (keys: readonly ApiKeyEntry[]) => KeysOutcome,
): KeysOutcome {
  const read = readKeyFile(file);
  if (read.kind === 'failed') return failed(read.reason);
  const keys = read.kind === 'keys' ? read.keys : whenAbsent;
  return keys === undefined
    ? failed(`there is no file ${file}. Name yours with --file; tidegate keys add makes one.`)
    : then(keys);
}

/** Of a file that is meant to be there: no keys in one that is misspelt would say nothing. */
function withKeysOf(
  file: string,
  then: (keys: readonly ApiKeyEntry[]) => KeysOutcome,
): KeysOutcome {
  return withKeys(file, undefined, then);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function added(
  { file, tenant, subject, scopes, groups, lifeMs }: AddKey,
  isJson: boolean,
  keys: readonly ApiKeyEntry[],
  now: number,
): KeysOutcome {
  const { key, id, digest } = makeApiKey();
  const expires = lifeMs === undefined ? undefined : new Date(now + lifeMs).toISOString();
  const created = new Date(now).toISOString();
  const entry = { id, digest, tenant, subject, scopes, groups, expires, created };
  writeKeyFile(file, [...keys, entry]);
  const output = isJson ? `${JSON.stringify({ id, key, tenant, subject, expires })}\n` : `${key}\n`;
  const until = expires === undefined ? 'until it is revoked' : `until ${expires}`;
  const text =
    `Key ${id} of ${subject} (tenant ${tenant}) counts ${until}.\n` +
    `It is printed this once; ${resolve(file)} keeps only a hash.\n` +
    `A config beside that file takes its keys by auth: { keys: ${fromBeside(file)} }\n`;
  return { exitCode: 0, output, text };
}

/** The file as a config of its folder names it, in YAML. */
function fromBeside(file: string): string {
  const path = `./${basename(file)}`;
  return /^[\w./-]+$/.test(path) ? path : JSON.stringify(path);
}

function revoked(
  { file, id, isJson }: Extract<KeysOptions, { action: 'revoke' }>,
  keys: readonly ApiKeyEntry[],
): KeysOutcome {
  const left = keys.filter((each) => each.id !== id);
  if (left.length === keys.length) {
    // What was given is not said again: whoever gives the whole key gives its secret.
    return failed(
      `${file} has no key of that id, the eight characters after tgk_; ` +
        `tidegate keys list --file ${file} shows them.`,
    );
  }
  writeKeyFile(file, left);
  const output = isJson ? `${JSON.stringify({ id, left: left.length })}\n` : '';
  const text =
    `Key ${id} is revoked. ` + `A gateway that reads ${file} ends what it opened within 2 s.\n`;
  return { exitCode: 0, output, text };
}

function listed(
  { file, isJson }: Extract<KeysOptions, { action: 'list' }>,
  keys: readonly ApiKeyEntry[],
  now: number,
): KeysOutcome {
  if (isJson) {
    const shown = keys.map(({ digest: _digest, ...rest }) => rest);
    return { exitCode: 0, output: `${JSON.stringify(shown)}\n`, text: '' };
  }
  if (keys.length === 0) return { exitCode: 0, output: '', text: `${file} has no keys.\n` };
  const lines = keys.map(({ id, tenant, subject, scopes, expires }) => {
    const isOver = expires !== undefined && Date.parse(expires) <= now;
    const until = isOver ? `ended ${expires}` : (expires ?? 'no end');
    return [id, tenant, subject, scopes.join(' ') || '-', until].join('\t');
  });
  return {
    exitCode: 0,
    output: `id\ttenant\tsubject\tscopes\tends\n${lines.join('\n')}\n`,
    text: '',
  };
}

function failed(reason: string): KeysOutcome {
  return { exitCode: 1, output: '', text: `tidegate: ${reason}\n` };
}
