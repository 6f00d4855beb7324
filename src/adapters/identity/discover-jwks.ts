/**
 * Where an issuer keeps its keys, as it says itself. It is believed only if it names itself exactly
 * as the operator named it, and only its keys are taken from it.
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3.3
 */
import { CredentialError } from '../credentials/credential-error.ts';
import type { GuardedFetch } from '../credentials/guarded-fetch.ts';

/** @throws Error when no metadata can be had, or it is another issuer's. */
export async function discoverJwksUri(issuer: string, fetch: GuardedFetch): Promise<string> {
  for (const url of metadataUrls(issuer)) {
    const response = await fetch(url, { headers: { accept: 'application/json' } });
    if (response.status >= 400 && response.status < 500) continue;
    if (response.status !== 200)
      throw new CredentialError(`The issuer answers ${response.status}.`);
    const metadata: unknown = await response.json();
    return jwksUriOf(metadata, issuer);
  }
  throw new CredentialError('The issuer has no metadata.');
}

/** The order is the specification's of MCP, which clients follow, too. */
function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const urls = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  return [...new Set(urls)];
}

function jwksUriOf(metadata: unknown, issuer: string): string {
  if (typeof metadata !== 'object' || metadata === null) throw new CredentialError('Not metadata.');
  const { issuer: named, jwks_uri: uri } = metadata as Record<string, unknown>;
  if (named !== issuer) throw new CredentialError('The metadata is of another issuer.');
  if (typeof uri !== 'string' || !URL.canParse(uri))
    throw new CredentialError('The metadata names no keys.');
  return uri;
}
