/**
 * The token that is made once and kept for the next start, readable by its owner alone.
 *
 * A file that others could have read or written is refused, not repaired: who has read it cannot be
 * known. Made under another name and linked into place, so that two first starts at once agree on
 * one token and none ever reads half of it.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { isAbsolute, posix, win32 } from 'node:path';
import { TOKEN_CHARS_MAX, tokenFault } from './static-token.ts';

export type TokenFileOutcome =
  | { readonly kind: 'token'; readonly token: string; readonly isNew: boolean }
  /** `reason` is one sentence that names the file and says what to do. */
  | { readonly kind: 'failed'; readonly reason: string };

/** Where the token is kept: the folder for a user's configuration on this platform. */
export function tokenFilePath(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  home: string,
): string {
  if (platform === 'win32') {
    const appData = env['APPDATA'] ?? win32.join(home, 'AppData', 'Roaming');
    return win32.join(appData, 'tidegate', 'token');
  }
  // The XDG base directory specification asks that a relative path be ignored.
  const xdg = env['XDG_CONFIG_HOME'] ?? '';
  const config = posix.isAbsolute(xdg) ? xdg : posix.join(home, '.config');
  return posix.join(config, 'tidegate', 'token');
}

/** Reads the token at `path`, and makes it when there is none. */
export function keepToken(path: string): TokenFileOutcome {
  // Without a home it would be a folder of wherever we were started.
  if (!isAbsolute(path)) {
    return failed('there is no home folder to keep a token in; set HOME or TIDEGATE_TOKEN.');
  }
  return readToken(path) ?? makeToken(path) ?? readToken(path) ?? failed(`${path} comes and goes.`);
}

/** Undefined when there is no such file. */
function readToken(path: string): TokenFileOutcome | undefined {
  let file: number;
  try {
    // O_NONBLOCK: a pipe planted at this path must not hold the start up. Both are absent on
    // Windows.
    const flags = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
    file = openSync(path, constants.O_RDONLY | flags);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return undefined;
    return code === 'ELOOP'
      ? failed(`${path} is a symbolic link; remove it, and the next start makes a new token.`)
      : failed(`The token in ${path} cannot be read (${code}); set TIDEGATE_TOKEN instead.`);
  }
  try {
    return readOpened(path, file);
  } finally {
    closeSync(file);
  }
}

function readOpened(path: string, file: number): TokenFileOutcome {
  const stat = fstatSync(file);
  if (!stat.isFile()) return failed(`${path} is not a file; remove it.`);
  if (!isOurs(stat)) return failed(`${path} belongs to another user; set TIDEGATE_TOKEN instead.`);
  if (areOthersAllowed(stat, 0o077)) {
    return failed(
      `Others can read ${path}; remove it, and the next start makes a new token, ` +
        `or run chmod 600 on it if it was never shared.`,
    );
  }
  // Never more than the bound is read; a byte beyond it is enough to be found too long.
  const bytes = Buffer.alloc(TOKEN_CHARS_MAX + 2);
  const token = bytes.toString('utf8', 0, readSync(file, bytes)).trim();
  const fault = tokenFault(token);
  return fault === undefined
    ? { kind: 'token', token, isNew: false }
    : failed(`The token in ${path} ${fault}; remove the file, and the next start makes a new one.`);
}

/** Undefined when somebody else made one first. */
function makeToken(path: string): TokenFileOutcome | undefined {
  const folder = path.startsWith('/') ? posix.dirname(path) : win32.dirname(path);
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const token = randomBytes(32).toString('base64url');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stat = statSync(folder);
    if (!isOurs(stat) || areOthersAllowed(stat, 0o022)) {
      return failed(`Others can write to ${folder}; run chmod 700 on it, or set TIDEGATE_TOKEN.`);
    }
    writeFileSync(draft, `${token}\n`, { flag: 'wx', mode: 0o600, flush: true });
    place(draft, path, `${token}\n`);
    return { kind: 'token', token, isNew: true };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return undefined;
    return failed(`A token cannot be kept in ${path} (${code}); set TIDEGATE_TOKEN instead.`);
  } finally {
    removeDraft(draft);
  }
}

function removeDraft(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // The folder itself could not be made; there is nothing to remove.
  }
}

/** Fails with EEXIST when `path` exists, whoever was first. */
function place(draft: string, path: string, text: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    // Some file systems have no hard links; creating the file itself is still exclusive there.
    if (codeOf(error) === 'EEXIST') throw error;
    writeFileSync(path, text, { flag: 'wx', mode: 0o600, flush: true });
  }
}

/**
 * Owners and modes mean nothing on Windows, where the profile folder is private by its access list.
 */
function isOurs(stat: Stats): boolean {
  return process.getuid === undefined || stat.uid === process.getuid();
}

function areOthersAllowed(stat: Stats, bits: number): boolean {
  return process.getuid !== undefined && (stat.mode & bits) !== 0;
}

function codeOf(error: unknown): string {
  const isCoded = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return isCoded ? String(error.code) : 'unknown error';
}

function failed(reason: string): TokenFileOutcome {
  return { kind: 'failed', reason };
}
