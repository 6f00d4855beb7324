/**
 * The tokens clients came with, the newest of each principal: for exchanging them at an
 * authorization server that its operator named, and for nothing else. No token is sent on.
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-2.1
 */
import { checkOption, having } from '../../core/option-kinds.ts';
import type { Clock, Identity, IdentityOutcome, OpenDoor, Principal } from '../../core/ports.ts';
import type { RefusingDoor } from '../../core/refusing-door.ts';
import type { ResourceDoor } from '../../core/resource-door.ts';

interface Kept {
  token: string;
  /** Milliseconds of the clock after which it does not count. */
  until: number;
}

/** Milliseconds a token is kept after its last use, unless it expires before. */
const IDLE_MS = 3_600_000;
/**
 * Of all tenants together: each request notes its own anew before anything is exchanged for it, so
 * that nobody misses for long what others pushed out.
 */
const PRINCIPALS_MAX = 20_000;

export class SubjectTokens {
  /** Whether anything is noted: no token is held that nobody exchanges. Default true. */
  isWanted = true;
  readonly #clock: Pick<Clock, 'now'>;
  /** The longest unused first. */
  readonly #kept = new Map<string, Kept>();

  /** @param clock - the one of the endpoint, by which tokens expire. Default: the machine's. */
  constructor(clock: Pick<Clock, 'now'> = performance) {
    checkOption('The clock', clock, having('now'));
    this.#clock = clock;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** @param expiresAt - milliseconds of the clock after which it does not count. */
  remember({ key }: Principal, token: string, expiresAt: number = Infinity): void {
    if (!this.isWanted) return;
    const until = Math.min(this.#clock.now() + IDLE_MS, expiresAt);
    this.#kept.delete(key);
    this.#kept.set(key, { token, until });
    const [oldest] = this.#kept;
    if (this.#kept.size > PRINCIPALS_MAX && oldest !== undefined) this.#kept.delete(oldest[0]);
    this.#dropOver();
  }

  /** The newest token of a principal; undefined when there is none that counts. */
  find({ key }: Principal): string | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.until > this.#clock.now()) return kept?.token;
    this.#kept.delete(key);
    return undefined;
  }

  forget({ key }: Principal): void {
    this.#kept.delete(key);
  }

  /** A few of the longest unused at each turn: what nobody comes back for is gone soon. */
  #dropOver(): void {
    const now = this.#clock.now();
    let looks = 0;
    for (const [key, { until }] of this.#kept) {
      if (looks >= 4) return;
      looks += 1;
      if (until <= now) this.#kept.delete(key);
    }
  }
}

/**
 * The same identity, which also notes the bearer token of whoever it lets in. For identities whose
 * tokens are of an authorization server: one of the operator's own proves nothing elsewhere.
 * @throws TypeError for what is no identity, or no `SubjectTokens`.
 */
export function rememberingIdentity(
  identity: Identity & Partial<OpenDoor & RefusingDoor & ResourceDoor>,
  tokens: SubjectTokens,
): Identity & OpenDoor & RefusingDoor & ResourceDoor {
  checkOption('The identity', identity, having('verify'));
  checkOption('The tokens', tokens, having('remember', 'find'));
  const noted = (asked: Identity & Partial<RefusingDoor>): Identity & RefusingDoor => ({
    refusalOf: (head) => asked.refusalOf?.(head) ?? { error: 'UNAUTHORIZED' },
    verify: (head, done) =>
      asked.verify(head, (outcome) => {
        // Whoever wrote it may say anything: its endpoint refuses what is no outcome.
        if (tokens.isWanted && isOfSomebody(outcome)) {
          const token = /^bearer +([^ ]+) *$/i.exec(head.header('authorization') ?? '')?.[1];
          const { principal, grant } = outcome;
          if (token !== undefined) tokens.remember(principal, token, grant?.expiresAt);
        }
        done(outcome);
      }),
  });
  return {
    ...noted(identity),
    isOpen: identity.isOpen === true,
    get authorization() {
      return identity.authorization;
    },
    at: (publicUrl) => noted(identity.at?.(publicUrl) ?? identity),
  };
}

function isOfSomebody(
  outcome: IdentityOutcome | undefined,
): outcome is IdentityOutcome & { readonly kind: 'principal' } {
  return outcome?.kind === 'principal' && typeof outcome.principal?.key === 'string';
}
