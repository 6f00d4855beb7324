/**
 * Identity by API keys of a file. The file is looked at every second: a key that was added counts
 * from then on, and one that was removed is refused from then on and reported, so that whatever it
 * opened can be ended.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 */
import { unwatchFile, watchFile } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Refusal } from '../../core/errors.ts';
import type { Clock, Identity, IdentityOutcome, RequestHead, Telemetry } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import type { RefusingDoor } from '../../core/refusing-door.ts';
import { apiKeyId, type ApiKeyEntry, isApiKey } from './api-key.ts';
import { bearerOf } from './bearer.ts';
import { readKeyFile } from './key-file.ts';

export interface KeyRingParts {
  readonly path: string;
  /** Expiry is told on this clock. */
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Told the credential ids of keys that are gone, as `Grant.credentialId` has them. */
  readonly onRevoked: (credentialIds: ReadonlySet<string>) => void;
  /** Told the ids of those that are new, the changed ones among them. */
  readonly onAdded?: ((credentialIds: readonly string[]) => void) | undefined;
  /** Wall-clock milliseconds. Default: the machine's. */
  readonly now?: (() => number) | undefined;
}

/** Milliseconds between two looks at the file. */
const LOOK_MS = 1000;

const CHALLENGE = 'Bearer realm="tidegate"';
const NOTHING_SENT = refused(CHALLENGE);
const WRONG = refused(`${CHALLENGE}, error="invalid_token"`, 'unknown');
const OVER = { ...WRONG, why: 'expired' };

/** The name of a key's credential in the record and for revocation. */
export function keyCredentialId(id: string): string {
  return `key:${id}`;
}

export class KeyRing implements Identity, RefusingDoor {
  readonly #parts: KeyRingParts;
  readonly #now: () => number;
  #keys: ReadonlyMap<string, ApiKeyEntry>;
  readonly #onChange = (): void => this.reload();
  /** Why the file could not be read the last time. */
  #fault: string | undefined;
  #forgetRetry = (): void => {};

  /** @throws Error when the file cannot be read: a closed door must not lack its lock. */
  constructor(parts: KeyRingParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    const read = readKeyFile(parts.path);
    if (read.kind === 'failed') throw new Error(read.reason);
    this.#keys = byId(read.kind === 'keys' ? read.keys : []);
    watchFile(parts.path, { interval: LOOK_MS, persistent: false }, this.#onChange);
    // What changed before the first look, which takes its turn behind other work, is none to it.
    this.#forgetRetry = parts.clock.after(LOOK_MS, this.#onChange);
  }

  get size(): number {
    return this.#keys.size;
  }

  verify(head: RequestHead, done: (outcome: IdentityOutcome) => void): void {
    const text = bearerOf(head);
    const entry = text === undefined ? undefined : this.#keys.get(apiKeyId(text) ?? '');
    if (text === undefined || entry === undefined || !isApiKey(text, entry)) {
      done(text === undefined ? NOTHING_SENT : WRONG);
      return;
    }
    const leftMs = entry.expires === undefined ? Infinity : Date.parse(entry.expires) - this.#now();
    done(leftMs <= 0 ? OVER : this.#welcome(entry, leftMs));
  }

  refusalOf(head: RequestHead): Refusal {
    return (bearerOf(head) === undefined ? NOTHING_SENT : WRONG).refusal;
  }

  /**
   * Reads the file again; one that cannot be read leaves the keys as they are, and is tried again:
   * what was changed about folders or rights is not seen by looking at the file.
   */
  reload(): void {
    const { path, clock, telemetry, onRevoked, onAdded } = this.#parts;
    const read = readKeyFile(path);
    this.#forgetRetry();
    if (read.kind === 'failed') {
      const isNews = read.reason !== this.#fault;
      if (isNews) telemetry.log('error', 'keys_unreadable', { reason: read.reason });
      this.#fault = read.reason;
      this.#forgetRetry = clock.after(LOOK_MS, this.#onChange);
      return;
    }
    this.#fault = undefined;
    const before = this.#keys;
    this.#keys = byId(read.kind === 'keys' ? read.keys : []);
    const gone = [...before.values()].filter((each) => !this.#holds(each));
    telemetry.log('info', 'keys_read', { keys: this.#keys.size, revoked: gone.length });
    if (gone.length > 0) onRevoked(new Set(gone.map(({ id }) => keyCredentialId(id))));
    const added = [...this.#keys.values()].filter(
      (each) => !isDeepStrictEqual(before.get(each.id), each),
    );
    if (added.length > 0) onAdded?.(added.map(({ id }) => keyCredentialId(id)));
  }

  /** Credential ids of keys of this one that are in none of the others, or are changed there. */
  missingIn(others: readonly KeyRing[]): readonly string[] {
    return [...this.#keys.values()]
      .filter((each) => !others.some((other) => other.#holds(each)))
      .map(({ id }) => keyCredentialId(id));
  }

  /** Stops looking at the file. */
  close(): void {
    this.#forgetRetry();
    unwatchFile(this.#parts.path, this.#onChange);
  }

  #holds(entry: ApiKeyEntry): boolean {
    return isDeepStrictEqual(this.#keys.get(entry.id), entry);
  }

  #welcome({ id, tenant, subject, scopes, groups }: ApiKeyEntry, leftMs: number): IdentityOutcome {
    return {
      kind: 'principal',
      principal: principalOf({ tenant, issuer: 'api-keys', subject, clientId: '' }),
      grant: {
        expiresAt: this.#parts.clock.now() + leftMs,
        scopes,
        groups,
        claims: {},
        credentialId: keyCredentialId(id),
      },
    };
  }
}

function byId(keys: readonly ApiKeyEntry[]): ReadonlyMap<string, ApiKeyEntry> {
  return new Map(keys.map((each) => [each.id, each]));
}

function refused(challenge: string, why?: string): IdentityOutcome & { readonly kind: 'refused' } {
  const headers = ['WWW-Authenticate', challenge];
  return { kind: 'refused', refusal: { error: 'UNAUTHORIZED', headers }, why };
}
