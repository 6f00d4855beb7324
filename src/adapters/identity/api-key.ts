/**
 * An API key: a name anybody may know and a secret nobody keeps. The name leads to the entry, so
 * that no list is searched with a secret; of the secret there is only a hash. The secret is 256
 * random bits, so that a slow hash would cost every request and protect nothing more.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What is kept of a key. */
export interface ApiKeyEntry {
  /** Eight characters; names the key in logs, in the record and to be revoked. */
  readonly id: string;
  /** SHA-256 of the whole key, base64url. */
  readonly digest: string;
  readonly tenant: string;
  /** Whose it is. Two keys of one subject are one principal: that is how keys are rotated. */
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  /** When it ends, in ISO 8601; undefined for never. */
  readonly expires: string | undefined;
  readonly created: string;
}

const KEY = /^tgk_([A-Za-z0-9_-]{8})_[A-Za-z0-9_-]{43}$/;

/** A new key as text, which is shown once, and the two things of it that are kept. */
export function makeApiKey(): {
  readonly key: string;
  readonly id: string;
  readonly digest: string;
} {
  const id = makeId();
  const key = `tgk_${id}_${randomBytes(32).toString('base64url')}`;
  return { key, id, digest: digestOf(key) };
}

/** A word on a command line: one that began with a hyphen would be taken for an option. */
function makeId(): string {
  const id = randomBytes(6).toString('base64url');
  return id.startsWith('-') ? makeId() : id;
}

/** The id inside a text that has the form of a key; undefined for any other. */
export function apiKeyId(text: string): string | undefined {
  return KEY.exec(text)?.[1];
}

export function isApiKey(text: string, { digest }: Pick<ApiKeyEntry, 'digest'>): boolean {
  const given = Buffer.from(digestOf(text));
  const kept = Buffer.from(digest);
  return given.length === kept.length && timingSafeEqual(given, kept);
}

function digestOf(key: string): string {
  return hash('sha256', key, 'base64url');
}
