/**
 * The public keys of one issuer, from where it publishes them. Fetched when first needed and again
 * as they age or a token names a key that is not known; one fetch at a time, however many wait. A
 * token can make us ask, but not where: `jku`, `x5u` and keys inside of tokens are never looked at.
 * @see https://www.rfc-editor.org/rfc/rfc7517#section-5
 */
import { CredentialError, credentialFault } from '../credentials/credential-error.ts';
import type { CryptoKey, JSONWebKeySet, JWK, JWSHeaderParameters } from 'jose';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/ports.ts';
import type { GuardedFetch } from '../credentials/guarded-fetch.ts';
import { discoverJwksUri } from './discover-jwks.ts';

export type KeyOutcome =
  | { readonly kind: 'key'; readonly key: CryptoKey }
  /** The issuer has no such key. */
  | { readonly kind: 'unknown' }
  /** Its keys cannot be had. */
  | { readonly kind: 'unavailable' };

export interface IssuerKeysParts {
  readonly issuer: string;
  /** Undefined: as the issuer's metadata says. */
  readonly jwksUri?: string | undefined;
  readonly fetch: GuardedFetch;
  readonly clock: Clock;
  /** Told when keys could not be fetched, or are none; a sentence without secrets. */
  readonly onFailure: (detail: string) => void;
}

/** Milliseconds after which keys are fetched again while those that are there go on to serve. */
const FRESH_MS = 300_000;
/** Milliseconds after which they are fetched before they serve. */
const AGE_MS_MAX = 600_000;
/** Milliseconds they serve while they cannot be fetched. */
const STALE_MS_MAX = 3_600_000;
/** Milliseconds without another fetch after one that failed, or found no key that was asked for. */
const COOL_DOWN_MS = 30_000;
/** Milliseconds for which a key that the issuer does not have is not asked for again. */
const UNKNOWN_MS = 60_000;
const UNKNOWN_MAX = 1000;
const KEYS_MAX = 100;

type FindKey = (header: JWSHeaderParameters) => Promise<CryptoKey>;

interface KeySet {
  readonly find: FindKey;
  readonly jwks: JSONWebKeySet;
  readonly fetchedAt: number;
  /** Another number means other keys. */
  readonly version: number;
}

export class IssuerKeys {
  readonly #parts: IssuerKeysParts;
  #set: KeySet | undefined;
  #jwksUri: string | undefined;
  #fetching: Promise<void> | undefined;
  #quietUntil = -Infinity;
  /** Whether the last fetch failed. */
  #hasFailed = false;
  readonly #unknown = new Map<string, number>();

  constructor(parts: IssuerKeysParts) {
    this.#parts = parts;
    this.#jwksUri = parts.jwksUri;
  }

  /** Which keys serve now; undefined for none. What others verified must be verified again. */
  get version(): number | undefined {
    const set = this.#usable;
    if (set !== undefined && this.#ageOf(set) >= FRESH_MS) void this.#refresh();
    return set?.version;
  }

  /** Never rejects. */
  async keyFor(header: JWSHeaderParameters): Promise<KeyOutcome> {
    const before = this.#set;
    await this.#renew();
    const known = await this.#find(header);
    if (known !== undefined) return { kind: 'key', key: known };
    if (this.#usable === undefined) return { kind: 'unavailable' };
    const { kid } = header;
    if (kid === undefined || this.#isKnownMissing(kid)) return { kind: 'unknown' };
    if (this.#set === before) await this.#refresh();
    const found = await this.#find(header);
    if (found !== undefined) return { kind: 'key', key: found };
    if (this.#hasFailed) return { kind: 'unavailable' };
    if (this.#set !== before) this.#missing(kid);
    return { kind: 'unknown' };
  }

  get #usable(): KeySet | undefined {
    const set = this.#set;
    return set !== undefined && this.#ageOf(set) < STALE_MS_MAX ? set : undefined;
  }

  /** Undefined when no key fits, or more than one. */
  async #find(header: JWSHeaderParameters): Promise<CryptoKey | undefined> {
    try {
      return await this.#usable?.find(header);
    } catch {
      return undefined;
    }
  }

  #ageOf({ fetchedAt }: KeySet): number {
    return this.#parts.clock.now() - fetchedAt;
  }

  async #renew(): Promise<void> {
    const age = this.#set === undefined ? Infinity : this.#ageOf(this.#set);
    if (age >= AGE_MS_MAX) await this.#refresh();
    else if (age >= FRESH_MS) void this.#refresh();
  }

  /** Waits for the fetch that is under way, or for another unless it is too soon for one. */
  async #refresh(): Promise<void> {
    if (this.#fetching === undefined && this.#parts.clock.now() < this.#quietUntil) return;
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    await this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { clock, onFailure } = this.#parts;
    try {
      const jwks = await this.#fetchJwks();
      const before = this.#set;
      const isSame = before !== undefined && isDeepStrictEqual(before.jwks, jwks);
      const { createLocalJWKSet } = await import('jose');
      const find = isSame ? before.find : createLocalJWKSet(jwks);
      const version = isSame ? before.version : (before?.version ?? 0) + 1;
      this.#set = { find, jwks, fetchedAt: clock.now(), version };
      this.#hasFailed = false;
      if (jwks.keys.length === 0) onFailure('None of the keys verifies signatures.');
    } catch (error) {
      this.#hasFailed = true;
      this.#quietUntil = clock.now() + COOL_DOWN_MS;
      // An issuer may have moved its keys.
      this.#jwksUri = this.#parts.jwksUri;
      onFailure(credentialFault(error));
    }
  }

  async #fetchJwks(): Promise<JSONWebKeySet> {
    const { issuer, fetch } = this.#parts;
    this.#jwksUri ??= await discoverJwksUri(issuer, fetch);
    const response = await fetch(this.#jwksUri, { headers: { accept: 'application/json' } });
    if (response.status !== 200)
      throw new CredentialError(`The issuer's keys answer ${response.status}.`);
    return publicKeys(await response.json());
  }

  #isKnownMissing(kid: string): boolean {
    const until = this.#unknown.get(kid);
    return until !== undefined && this.#parts.clock.now() < until;
  }

  /** Whoever invents keys makes us ask once in a while, and no more. */
  #missing(kid: string): void {
    const now = this.#parts.clock.now();
    this.#quietUntil = Math.max(this.#quietUntil, now + COOL_DOWN_MS);
    for (const oldest of this.#unknown.keys()) {
      if (this.#unknown.size < UNKNOWN_MAX) break;
      this.#unknown.delete(oldest);
    }
    this.#unknown.set(kid, now + UNKNOWN_MS);
  }
}

/**
 * Only what verifies signatures of others: a symmetric key in public is everybody's. None is an
 * answer, too: an issuer that withdraws all of its keys is believed.
 */
function publicKeys(value: unknown): JSONWebKeySet {
  const keys: unknown = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length > KEYS_MAX)
    throw new CredentialError('These are no keys.');
  const fit = keys.filter(
    (key: JWK | null) =>
      (key?.kty === 'RSA' || key?.kty === 'EC' || key?.kty === 'OKP') &&
      (key.use === undefined || key.use === 'sig') &&
      key.d === undefined,
  ) as JWK[];
  return { keys: fit };
}
