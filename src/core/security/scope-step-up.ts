/**
 * What a credential that allows too little is told to ask for. Clients replace what they asked for
 * before by what is named here, so one list must do: it holds what every request needs and what the
 * credential has, or one of them would be missing next.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization#runtime-insufficient-scope-errors
 */

/** Characters of scopes that are named only because the credential has them. */
const GRANTED_CHARS_MAX = 2048;

/**
 * @param needed - named whatever they are.
 * @param granted - named as long as there is room, and only if they can be asked for.
 */
export function scopesToAskFor(
  needed: readonly string[],
  granted: readonly string[],
): readonly string[] {
  const scopes = new Set(needed);
  let room = GRANTED_CHARS_MAX;
  for (const scope of granted) {
    if (scopes.has(scope) || scope.length >= room || !isScopeToken(scope)) continue;
    scopes.add(scope);
    room -= scope.length + 1;
  }
  return [...scopes];
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-3.3 */
function isScopeToken(scope: string): boolean {
  return /^[\u0021\u0023-\u005b\u005d-\u007e]+$/.test(scope);
}
