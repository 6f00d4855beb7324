/**
 * Request ids as the JSON token they came as, so that `1` and `"1"` stay different and integers
 * beyond 2^53 stay exact.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#requests
 */
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/;

/**
 * Whether a token may be an id: a string, or an integer without fraction and exponent.
 * @param token - one token of a text that is known to be JSON.
 */
export function isIdToken(token: string): boolean {
  return token.startsWith('"') || INTEGER.test(token);
}
