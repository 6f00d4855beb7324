/**
 * Where an issuer keeps its keys, as it says itself. It is believed only if it names itself exactly
 * as the operator named it, and only its keys are taken from it.
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3.3
 */
import { isLedHome } from '../../core/security/listen-host.ts';
import { CredentialError } from '../credentials/credential-error.ts';
import type { GuardedFetch } from '../credentials/guarded-fetch.ts';

/** @throws Error when no metadata can be had, or it is another issuer's. */
export async function discoverJwksUri(issuer: string, fetch: GuardedFetch): Promise<string> {
  let fault = 'The issuer has no metadata.';
  for (const url of metadataUrls(issuer)) {
    const response = await fetch(url, { headers: { accept: 'application/json' } });
    const metadata = response.status === 200 ? await metadataIn(response) : undefined;
    if (metadata !== undefined) return jwksUriOf(metadata, issuer);
    const isNone = response.status >= 400 && response.status < 500;
    if (response.status === 200) fault = 'The issuer answers with no metadata.';
    else if (!isNone) fault = `The issuer answers ${response.status}.`;
  }
  throw new CredentialError(fault);
}

/** Undefined for what is none: many answer for every path, with a page for people. */
async function metadataIn(response: Response): Promise<Metadata | undefined> {
  try {
    const value: unknown = await response.json();
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
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

interface Metadata {
  readonly issuer?: unknown;
  readonly jwks_uri?: unknown;
}

function jwksUriOf({ issuer: named, jwks_uri: uri }: Metadata, issuer: string): string {
  if (named !== issuer) throw new CredentialError('The metadata is of another issuer.');
  if (typeof uri !== 'string' || !URL.canParse(uri))
    throw new CredentialError('The metadata names no keys.');
  if (isLedHome(new URL(uri).hostname, new URL(issuer).hostname))
    throw new CredentialError('The metadata leads to this machine; say where its keys are.');
  return uri;
}
