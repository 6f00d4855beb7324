/**
 * What requests present as their token. A client sends the same header with every request of a
 * connection, and comparing two texts costs next to nothing beside matching and hashing one: a call
 * with a JWT cost 4.5 us more than one with a static token, and no longer does.
 */
import type { RequestHead } from '../../core/ports.ts';
import { authorizationOf, type PresentedToken, tokenIn } from './bearer.ts';
import type { Belonging } from './jwt-belonging.ts';
import { tokenDigest } from './verified-tokens.ts';

/** What is to be known of the tokens of one way in. */
export interface TokenForm {
  /** Whether a text has their form; any other is left to other identities. */
  readonly isFit: (text: string) => boolean;
  /** Whose a token says it is. Default: all are ours. */
  readonly belongingOf?: ((token: string) => Belonging) | undefined;
}

export class ReadToken implements PresentedToken {
  readonly scheme: PresentedToken['scheme'];
  readonly token: string;
  readonly digest: string;
  readonly #belongingOf: TokenForm['belongingOf'];
  #belonging: Belonging | undefined;

  constructor({ scheme, token }: PresentedToken, belongingOf: TokenForm['belongingOf']) {
    this.scheme = scheme;
    this.token = token;
    this.digest = tokenDigest(token);
    this.#belongingOf = belongingOf;
  }

  /** Read when it is asked for, and once: it costs more than all else here. */
  get belonging(): Belonging {
    this.#belonging ??= this.#belongingOf?.(this.token) ?? 'ours';
    return this.#belonging;
  }
}

/** A token that may be one for us to verify, or none of such; undefined for no token at all. */
export type Presented = ReadToken | 'unfit' | undefined;

const TOKEN_CHARS_MAX = 16_384;

export class PresentedTokens {
  readonly #form: TokenForm;
  /** The newest of each connection, gone with it. */
  readonly #newest = new WeakMap<object, { readonly value: string; readonly read: Presented }>();

  constructor(form: TokenForm) {
    this.#form = form;
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
    const { isFit, belongingOf } = this.#form;
    const isOne = token.length <= TOKEN_CHARS_MAX && isFit(token);
    return isOne ? new ReadToken(presented, belongingOf) : 'unfit';
  }
}
