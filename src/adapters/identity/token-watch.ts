/**
 * What a token opened ends with it, also where its client is quiet: tokens with anything open are
 * verified again when what was known of them is old, or when a key that verified them is gone.
 */
import type { Clock } from '../../core/ports.ts';
import { credentialIdOf } from './token-credential.ts';
import type { KnownToken, VerifiedTokens } from './verified-tokens.ts';

/** What credentials have open. */
export interface OpenedByTokens {
  /** Ids of all credentials with anything open. */
  ids(): ReadonlySet<string>;
  /** One of them counts no more, as its issuer says. */
  ended(issuer: string, credentialId: string): void;
}

export interface TokenWatchParts {
  readonly clock: Clock;
  readonly opened: OpenedByTokens;
  /** Milliseconds for which an answer counts; Infinity: until the token ends. */
  readonly keptMsMax: number;
}

/** Milliseconds between two looks: a part of the time for which an answer counts. */
const LOOK_MS_MAX = 5000;
const LOOK_MS_MIN = 1000;
/** Milliseconds for which it need not be gathered again what is open. */
const GATHERED_MS = 1000;
/** Questions at a time, apart from those that requests wait for. */
const ASKING_MAX = 8;

export class TokenWatch {
  readonly #parts: TokenWatchParts;
  readonly #lookMs: number;
  #tokens: VerifiedTokens | undefined;
  #isAsking = false;
  #gathered: { readonly ids: ReadonlySet<string>; readonly at: number } | undefined;
  #disarm: () => void = () => {};

  constructor(parts: TokenWatchParts) {
    this.#parts = parts;
    this.#lookMs = Math.max(LOOK_MS_MIN, Math.min(LOOK_MS_MAX, parts.keptMsMax / 4));
  }

  start(tokens: VerifiedTokens): void {
    this.#tokens = tokens;
    this.#arm();
  }

  close(): void {
    this.#tokens = undefined;
    this.#disarm();
  }

  /** Told of a token that counted. Whoever has nothing open loses nothing. */
  ended({ digest, facts }: KnownToken): void {
    const { opened } = this.#parts;
    const id = credentialIdOf(facts, digest);
    if (opened.ids().has(id)) opened.ended(facts.issuer, id);
  }

  /**
   * Whether it has anything open, as of a moment ago: asked for each new token where there are more
   * than are kept, and those that were new a moment ago are not let go.
   */
  isOpen({ digest, facts }: KnownToken): boolean {
    const { clock, opened } = this.#parts;
    const at = clock.now();
    if (this.#gathered === undefined || at - this.#gathered.at >= GATHERED_MS) {
      this.#gathered = { ids: opened.ids(), at };
    }
    return this.#gathered.ids.has(credentialIdOf(facts, digest));
  }

  #arm(): void {
    this.#disarm = this.#parts.clock.after(this.#lookMs, () => {
      this.#arm();
      this.#look();
    });
  }

  #look(): void {
    const tokens = this.#tokens;
    if (tokens === undefined || tokens.size === 0 || this.#isAsking) return;
    // What is open is gathered from every endpoint, so only where a token is in doubt.
    let open: ReadonlySet<string> | undefined;
    const due = tokens.doubted(({ digest, facts }) => {
      open ??= this.#parts.opened.ids();
      return open.has(credentialIdOf(facts, digest));
    });
    if (due.length > 0) void this.#ask(due);
  }

  async #ask(due: readonly KnownToken[]): Promise<void> {
    this.#isAsking = true;
    const left = due.values();
    const turns = Array.from({ length: ASKING_MAX }, async () => {
      for (const each of left) await this.#tokens?.again(each);
    });
    await Promise.all(turns);
    this.#isAsking = false;
  }
}
