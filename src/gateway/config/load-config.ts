/** Reads a config from the disk. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { checkOption, word } from '../../core/option-kinds.ts';
import type { FileText } from './file-access.ts';
import { fileVersion, type FileVersions } from './file-version.ts';
import type { Variables } from './interpolate.ts';
import { type ConfigOutcome, readConfig } from './read-config.ts';

/** Bytes of a config file, or of one it names; more is no config. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

export type LoadedConfig = ConfigOutcome & {
  /**
   * Every file it was read from, itself and those it names, as they were just before they were
   * read: one that differs says something else.
   */
  readonly files: FileVersions;
};

/**
 * Reads and checks the config at a path. What is wrong with the file as a whole is one problem in
 * its first line.
 */
export function loadConfig(path: string, env: Variables): LoadedConfig {
  checkOption('The path', path, word);
  const files = new Map<string, string | undefined>();
  const own = resolve(path);
  const readFile = (each: string): FileText => {
    if (!files.has(each)) files.set(each, fileVersion(each));
    const isStray = each !== own && isAnybodys(each);
    return isStray
      ? unreadable('may be changed by anybody; use chmod o-w on it')
      : readTextFile(each);
  };
  return { ...load(path, env, readFile), files };
}

function load(path: string, env: Variables, readFile: (path: string) => FileText): ConfigOutcome {
  const file = readFile(resolve(path));
  if (file.kind === 'unreadable') return faultyFile(`The file ${file.fault}.`);
  if (isAnybodys(path)) {
    return faultyFile('Anybody may change this file, which says what is run. Use chmod o-w on it.');
  }
  return readConfig(file.text, { path, env, readFile });
}

function faultyFile(message: string): ConfigOutcome {
  return { kind: 'faulty', problems: [{ line: 1, column: 1, path: '', message }] };
}

/**
 * Whoever may write a config may run commands as us, and whoever may write policies may do what
 * they forbid. Windows has no such modes.
 */
function isAnybodys(path: string): boolean {
  if (process.platform === 'win32') return false;
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  return (mode & 0o002) !== 0;
}

/** The text of a file of bounded size; a fault follows "The file". */
export function readTextFile(path: string): FileText {
  try {
    const facts = statSync(path);
    if (facts.isDirectory()) return unreadable('is a folder');
    // Reading a pipe or a device may never end.
    if (!facts.isFile()) return unreadable('is not a regular file');
    if (facts.size > FILE_BYTES_MAX) return unreadable(`is larger than ${FILE_BYTES_MAX} bytes`);
    const bytes = readFileSync(path);
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return unreadable(FAULTS[codeOf(error)] ?? 'cannot be read');
  }
}

const FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  ENAMETOOLONG: 'has too long a name',
  ERR_INVALID_ARG_VALUE: 'has no valid name',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not text in UTF-8',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function unreadable(fault: string): FileText {
  return { kind: 'unreadable', fault };
}
