/**
 * A token that is kept until shortly before it expires, and fetched anew then or when the server
 * refuses it. Whoever needs one meanwhile waits for the same answer; after a failure nobody asks
 * again for a moment.
 */
import type { CredentialOutcome, CredentialRefusal, Credentials } from '../../core/credentials.ts';
import type { Clock } from '../../core/ports.ts';
import type { AccessToken } from './access-token.ts';
import { joinedScope, readChallenge } from './challenge.ts';
import { CredentialError, credentialFault } from './credential-error.ts';

/** Why a token is needed. */
export interface TokenNeed {
  /** Where a challenge said that the server describes itself. */
  readonly metadataUrl: string | undefined;
  /** Every scope that was ever asked for by a challenge. */
  readonly scope: string | undefined;
  /** Whether the server was asked and refused. */
  readonly isRefused: boolean;
  /** Whether it wants more than the token allows. */
  readonly isStepUp: boolean;
}

/** Undefined: there is none to be had, and that is no failure. */
export type ObtainToken = (need: TokenNeed) => Promise<AccessToken | undefined>;

/** Milliseconds a token is renewed before it expires, at most; a tenth of its life if less. */
const EARLY_MS = 60_000;
/** Milliseconds after a failure in which the same failure is the answer. */
const PAUSE_MS = 5000;
/** Milliseconds within which a second refusal says that no new token will do. */
const STUBBORN_MS = 10_000;
const SCOPE_CHARS_MAX = 4096;

type Done = (outcome: CredentialOutcome) => void;

export class RenewedCredential implements Credentials {
  readonly #obtain: ObtainToken;
  readonly #clock: Clock;
  readonly #onFailed: (detail: string) => void;
  #token: AccessToken | undefined;
  #staleAt = 0;
  #expiresAt = 0;
  #outcome: CredentialOutcome | undefined;
  #waiting: Done[] | undefined;
  #pausedUntil = -Infinity;
  #renewedAt = -Infinity;
  #metadataUrl: string | undefined;
  #scope: string | undefined;
  lastUsedAt: number;

  constructor(obtain: ObtainToken, clock: Clock, onFailed: (detail: string) => void) {
    this.#obtain = obtain;
    this.#clock = clock;
    this.#onFailed = onFailed;
    this.lastUsedAt = clock.now();
  }

  /** Whether somebody waits for it. */
  get isBusy(): boolean {
    return this.#waiting !== undefined;
  }

  authorize(done: Done): void {
    const now = this.#clock.now();
    this.lastUsedAt = now;
    const isFresh = this.#token === undefined ? now < this.#pausedUntil : now < this.#staleAt;
    if (this.#outcome !== undefined && isFresh) done(this.#outcome);
    else this.#renew(done, { isRefused: false, isStepUp: false });
  }

  refused({ status, challenge, value }: CredentialRefusal, done: Done): void {
    const now = this.#clock.now();
    this.lastUsedAt = now;
    const { metadataUrl, scope } = readChallenge(challenge);
    const wanted = joinedScope(this.#scope, scope);
    const isWider = wanted !== this.#scope && (wanted?.length ?? 0) <= SCOPE_CHARS_MAX;
    const current = this.#outcome?.kind === 'header' ? this.#outcome.value : undefined;
    // Others were refused before and there is a newer one by now.
    if (!isWider && current !== undefined && current !== value) {
      done({ kind: 'header', value: current });
      return;
    }
    if (!isWider && now - this.#renewedAt < STUBBORN_MS) {
      done({ kind: 'failed', detail: STUBBORN });
      return;
    }
    if (isWider) this.#scope = wanted;
    this.#metadataUrl = metadataUrl ?? this.#metadataUrl;
    this.#renew(done, { isRefused: true, isStepUp: status === 403 }, value !== undefined);
  }

  #renew(done: Done, why: Pick<TokenNeed, 'isRefused' | 'isStepUp'>, isAgain = false): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(done);
      return;
    }
    this.#waiting = [done];
    const need = { metadataUrl: this.#metadataUrl, scope: this.#scope, ...why };
    this.#obtain(need).then(
      (token) => {
        if (isAgain) this.#renewedAt = this.#clock.now();
        this.#settle(token, token === undefined ? { kind: 'none' } : headerOf(token));
      },
      (error: unknown) => {
        const detail = credentialFault(error);
        this.#onFailed(detail);
        const now = this.#clock.now();
        // What was renewed in good time still counts for a while.
        if (!why.isRefused && now < this.#expiresAt) this.#keep(now);
        else this.#settle(undefined, { kind: 'failed', detail });
      },
    );
  }

  #settle(token: AccessToken | undefined, outcome: CredentialOutcome): void {
    const now = this.#clock.now();
    const lifeMs = (token?.expiresIn ?? Infinity) * 1000;
    this.#token = token;
    this.#outcome = outcome;
    this.#staleAt = now + lifeMs - Math.min(EARLY_MS, lifeMs / 10);
    this.#pausedUntil = outcome.kind === 'none' ? Infinity : now + PAUSE_MS;
    this.#expiresAt = now + (token === undefined ? 0 : lifeMs);
    this.#answer(outcome);
  }

  #keep(now: number): void {
    this.#staleAt = Math.min(now + PAUSE_MS, this.#expiresAt);
    this.#answer(this.#outcome ?? { kind: 'none' });
  }

  #answer(outcome: CredentialOutcome): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const done of waiting) done(outcome);
  }
}

const STUBBORN = new CredentialError('The server refuses the token it was sent.').message;

function headerOf({ value }: AccessToken): CredentialOutcome {
  return { kind: 'header', value: `Bearer ${value}` };
}
