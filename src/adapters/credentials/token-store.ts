/**
 * Tokens of a person, kept for the next start: a file a server in a folder of its owner, readable
 * by nobody else. A file that others could have read or written is not used, as if there were none.
 * Written under another name and moved into place, so that nobody ever reads half of one; processes
 * that refresh at once take turns, and after a bounded wait the last one wins.
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CredentialError } from './credential-error.ts';
import { takeLockFile } from './lock-file.ts';

export interface StoredTokens {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly accessToken: string;
  /** Milliseconds since 1970; undefined where nobody said. */
  readonly expiresAt?: number | undefined;
  readonly scope?: string | undefined;
  readonly refreshToken?: string | undefined;
}

const FILE_BYTES_MAX = 131_072;
/** Milliseconds to wait for another process: it may be waiting for a person to sign in. */
const LOCK_MS_MAX = 330_000;
/** Milliseconds between two signs that the holder lives: the lock of one that died is stale. */
const LOCK_ALIVE_MS = 10_000;

export class TokenStore {
  readonly #folder: string;
  readonly #path: string;

  /**
   * @param folder - made with mode 0700 if it is not there.
   * @param url - the server the tokens are for.
   * @param clientId - the client they are issued to; undefined for one that registers itself.
   */
  constructor(folder: string, url: string, clientId: string | undefined) {
    const name = createHash('sha256')
      .update(JSON.stringify([url, clientId ?? null]))
      .digest('hex');
    this.#folder = folder;
    this.#path = join(folder, `${name}.json`);
  }

  /** Undefined when there are none, or none that can be trusted. */
  async read(): Promise<StoredTokens | undefined> {
    const text = await readPrivate(this.#path);
    if (text === undefined) return undefined;
    try {
      const value: unknown = JSON.parse(text);
      return isStored(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  /** @throws CredentialError when they cannot be kept. */
  async write(tokens: StoredTokens): Promise<void> {
    const draft = `${this.#path}.${randomBytes(6).toString('hex')}`;
    try {
      await this.#makeFolder();
      await writeFile(draft, JSON.stringify(tokens), { flag: 'wx', mode: 0o600, flush: true });
      await rename(draft, this.#path);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      if (error instanceof CredentialError) throw error;
      throw new CredentialError(`Tokens cannot be kept in ${this.#folder} (${codeOf(error)}).`);
    }
  }

  /** Runs `task` while no other process does the same. */
  async alone<T>(task: () => Promise<T>): Promise<T> {
    const lock = `${this.#path}.lock`;
    const isOurs = await this.#lock(lock);
    const alive = setInterval(() => {
      if (isOurs) utimes(lock, new Date(), new Date()).catch(() => {});
    }, LOCK_ALIVE_MS);
    alive.unref();
    try {
      return await task();
    } finally {
      clearInterval(alive);
      if (isOurs) await rm(lock, { force: true }).catch(() => {});
    }
  }

  async #lock(path: string): Promise<boolean> {
    await this.#makeFolder();
    const end = performance.now() + LOCK_MS_MAX;
    while (performance.now() < end) {
      try {
        if (takeLockFile(path)) return true;
      } catch {
        return false;
      }
      await sleep(50, undefined, { ref: false });
    }
    return false;
  }

  async #makeFolder(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const found = await stat(this.#folder);
    if (isPrivate(found, 0o022)) return;
    throw new CredentialError(`Others can write to ${this.#folder}; run chmod 700 on it.`);
  }
}

/** Undefined for what is no file of ours alone. A pipe planted there must not hold anything up. */
async function readPrivate(path: string): Promise<string | undefined> {
  const flags = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const file = await open(path, constants.O_RDONLY | flags).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const found = await file.stat();
    if (!found.isFile() || !isPrivate(found, 0o077) || found.size > FILE_BYTES_MAX)
      return undefined;
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Owners and modes mean nothing on Windows, where the profile is private by its access list. */
function isPrivate(found: { readonly uid: number; readonly mode: number }, bits: number): boolean {
  if (process.getuid === undefined) return true;
  return found.uid === process.getuid() && (found.mode & bits) === 0;
}

function isStored(value: unknown): value is StoredTokens {
  const { issuer, clientId, accessToken, refreshToken } = (value ?? {}) as Record<string, unknown>;
  const isText = [issuer, clientId, accessToken].every((each) => typeof each === 'string');
  return isText && (refreshToken === undefined || typeof refreshToken === 'string');
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : 'unknown error';
}
