import type { OAuthTokens } from '@modelcontextprotocol/client';
import { CredentialError } from './credential-error.ts';

export interface AccessToken {
  readonly value: string;
  /** Seconds it counts from when it was issued; undefined where nobody said. */
  readonly expiresIn: number | undefined;
  /** What it allows, where the server said; else what was asked for. */
  readonly scope: string | undefined;
  readonly refreshToken: string | undefined;
}

/**
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 */
const BEARER = /^[A-Za-z0-9\-._~+/]{1,16384}=*$/;

/**
 * The token of an answer.
 * @throws CredentialError unless it is a bearer token: of any other type it proves nothing by
 * itself, and may not be shown as if it did.
 */
export function accessTokenOf(tokens: OAuthTokens, asked: string | undefined): AccessToken {
  if (tokens.token_type.toLowerCase() !== 'bearer') {
    throw new CredentialError('The authorization server issued a token of another type.');
  }
  if (!BEARER.test(tokens.access_token)) {
    throw new CredentialError('The authorization server issued a token that no header can carry.');
  }
  const { expires_in: expiresIn } = tokens;
  const isTime = typeof expiresIn === 'number' && Number.isFinite(expiresIn) && expiresIn >= 0;
  return {
    value: tokens.access_token,
    expiresIn: isTime ? expiresIn : undefined,
    scope: tokens.scope ?? asked,
    refreshToken: tokens.refresh_token,
  };
}
