/**
 * Whose a JWT says it is, before anybody verified it: a token of another issuer is for another way
 * in, and is none of the failures of this one. What it says is believed for nothing else.
 */
import type { JsonBounds } from '../../core/protocol/json-tokens.ts';
import { scanJson } from '../../core/protocol/json-scan.ts';

/** `ours` is for us to verify, `foreign` for others, and `unfit` can be no such token. */
export type Belonging = 'ours' | 'foreign' | 'unfit';

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/** Whether a text has the form of one. */
export function isJwt(text: string): boolean {
  return JWT.test(text);
}

/**
 * Nobody counts these looks, so each must cost less than what is counted. Claims that are beyond
 * this are verified, which is.
 */
const CLAIMS: JsonBounds = {
  depthMax: 16,
  keysMax: 256,
  stringCharsMax: 16_384,
  batchMessagesMax: 0,
};

export function jwtBelonging(token: string, issuers: ReadonlySet<unknown>): Belonging {
  const [, payload = ''] = token.split('.', 2);
  const text = Buffer.from(payload, 'base64url').toString();
  const { kind } = scanJson(text, CLAIMS);
  if (kind === 'refused') return 'ours';
  if (kind !== 'object') return 'unfit';
  try {
    const { iss } = JSON.parse(text) as { readonly iss?: unknown };
    return issuers.has(iss) ? 'ours' : 'foreign';
  } catch {
    return 'unfit';
  }
}
