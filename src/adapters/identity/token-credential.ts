import type { TokenFacts } from './token-facts.ts';

const ID_CHARS_MAX = 256;

/**
 * Names the token of a credential for revocation and the record: as its issuer does, else by what
 * it is.
 * @param digest - of the whole token.
 */
export function credentialIdOf({ claims: { jti } }: TokenFacts, digest: string): string {
  const isName = typeof jti === 'string' && jti !== '' && jti.length <= ID_CHARS_MAX;
  return isName ? `jti:${jti}` : `token:${digest.slice(0, 22)}`;
}
