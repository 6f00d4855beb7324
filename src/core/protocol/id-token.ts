/**
 * Request ids as the JSON token they came as, so that `1` and `"1"` stay different and integers
 * beyond 2^53 stay exact.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#requests
 */
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/;
const STRING = /^"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"$/;

/** Whether an id of a request may look like this: a string, or an integer without an exponent. */
export function isIdToken(token: string): boolean {
  return token.startsWith('"') ? STRING.test(token) : INTEGER.test(token);
}
