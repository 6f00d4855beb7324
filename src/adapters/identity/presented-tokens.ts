/**
 * What requests present as their token. A client sends the same header with every request of a
 * connection, and comparing two texts costs next to nothing beside matching and hashing one: a call
 * with a JWT cost 4.5 us more than one with a static token, and no longer does.
 */
import type { RequestHead } from '../../core/ports.ts';
import { authorizationOf, type PresentedToken, tokenIn } from './bearer.ts';
import type { Belonging, BelongingOf } from './jwt-belonging.ts';
import { tokenDigest } from './verified-tokens.ts';

export interface ReadToken extends PresentedToken {
  readonly digest: string;
}

/** A token that was read and is for us to verify, or what else it is; undefined for none. */
export type Presented = ReadToken | Exclude<Belonging, 'ours'> | undefined;

const TOKEN_CHARS_MAX = 16_384;

export class PresentedTokens {
  readonly #belongingOf: BelongingOf;
  readonly #isKnown: (digest: string) => boolean;
  /** The newest of each connection, gone with it. */
  readonly #newest = new WeakMap<object, { readonly value: string; readonly read: Presented }>();

  /**
   * @param belongingOf - whether a text may be such a token at all, and whose it says it is.
   * @param isKnown - whether a token with this digest was verified before: then it is ours, and is
   * not read again for each request of a connection that many share, as a proxy's is.
   */
  constructor(belongingOf: BelongingOf, isKnown: (digest: string) => boolean = () => false) {
    this.#belongingOf = belongingOf;
    this.#isKnown = isKnown;
  }

  of(head: RequestHead): Presented {
    const value = authorizationOf(head);
    if (value === undefined) return undefined;
    const { connection } = head;
    if (connection === undefined) return this.#read(value);
    const newest = this.#newest.get(connection);
    if (newest?.value === value) return newest.read;
    const read = this.#read(value);
    this.#newest.set(connection, { value, read });
    return read;
  }

  #read(value: string): Presented {
    const presented = tokenIn(value);
    if (presented === undefined) return undefined;
    const { token } = presented;
    if (token.length > TOKEN_CHARS_MAX) return 'unfit';
    let digest: string | undefined;
    const belonging = this.#belongingOf(token, () => {
      digest = tokenDigest(token);
      return this.#isKnown(digest);
    });
    return belonging === 'ours'
      ? { ...presented, digest: digest ?? tokenDigest(token) }
      : belonging;
  }
}
