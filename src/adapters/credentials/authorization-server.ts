/**
 * Which authorization server speaks for an MCP server, and what it says of itself. Nothing of it is
 * believed that could lead a secret astray: its issuer must be its address, and its endpoints must
 * be of its own origin.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#authorization-server-discovery
 */
import type {
  AuthorizationServerMetadata,
  OAuthProtectedResourceMetadata,
} from '@modelcontextprotocol/client';
import type { SsrfGuard } from '../outbound/ssrf-guard.ts';
import { CredentialError } from './credential-error.ts';
import type { GuardedFetch } from './guarded-fetch.ts';

export interface AuthorizationServer {
  readonly issuer: string;
  readonly metadata: AuthorizationServerMetadata;
  /**
   * What tokens are asked for: as the server writes it, to the letter.
   * @see https://www.rfc-editor.org/rfc/rfc8707
   */
  readonly resource: string;
  /** What the MCP server says it knows, space-separated; undefined when it says nothing. */
  readonly scope: string | undefined;
}

export interface DiscoveryQuestion {
  /** The MCP server. */
  readonly url: string;
  /** The authorization server, where its operator named it. */
  readonly issuer: string | undefined;
  /** Where a challenge said that the server describes itself. */
  readonly metadataUrl: string | undefined;
}

/** @throws CredentialError and what the SDK's checks throw. */
export async function discover(
  question: DiscoveryQuestion,
  fetch: GuardedFetch,
  guard: SsrfGuard,
): Promise<AuthorizationServer> {
  const sdk = await import('@modelcontextprotocol/client');
  const described = question.issuer === undefined ? await resourceOf(question, fetch) : undefined;
  const own = sdk.resourceUrlFromServerUrl(question.url);
  if (described !== undefined) {
    const isOurs = sdk.checkResourceAllowed({
      requestedResource: own,
      configuredResource: described.resource,
    });
    if (!isOurs) throw new CredentialError('The server describes itself as another server.');
  }
  const named = question.issuer ?? described?.authorization_servers?.[0];
  const issuer = named ?? new URL('/', question.url).href;
  // Where the operator named it, nobody else did.
  checkUrl(issuer, question.issuer ?? question.url, 'authorization server', guard);
  const found = await sdk.discoverAuthorizationServerMetadata(issuer, { fetchFn: fetch });
  const metadata = found ?? (named === undefined ? usualMetadata(issuer) : undefined);
  if (metadata === undefined) {
    throw new CredentialError(`${new URL(issuer).host} has no authorization server metadata.`);
  }
  checkEndpoints(metadata, guard);
  return {
    issuer: metadata.issuer,
    metadata,
    resource: described?.resource ?? own.href,
    scope: described?.scopes_supported?.join(' '),
  };
}

/**
 * Where everything is that an MCP server of 2025-03-26 is its own authorization server for, when it
 * says nothing of it.
 * @see https://modelcontextprotocol.io/specification/2025-03-26/basic/authorization#fallbacks-for-servers-without-metadata-discovery
 */
function usualMetadata(issuer: string): AuthorizationServerMetadata {
  const at = (path: string): string => new URL(path, issuer).href;
  return {
    issuer,
    authorization_endpoint: at('/authorize'),
    token_endpoint: at('/token'),
    registration_endpoint: at('/register'),
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  };
}

/** Undefined for a server of a revision that does not describe itself. */
async function resourceOf(
  { url, metadataUrl }: DiscoveryQuestion,
  fetch: GuardedFetch,
): Promise<OAuthProtectedResourceMetadata | undefined> {
  if (metadataUrl !== undefined && new URL(metadataUrl).origin !== new URL(url).origin) {
    throw new CredentialError('The server has itself described by another origin.');
  }
  const sdk = await import('@modelcontextprotocol/client');
  let isAbsent = true;
  const watched: GuardedFetch = async (target, init) => {
    const response = await fetch(target, init);
    isAbsent = response.status >= 400 && response.status < 500;
    return response;
  };
  try {
    const options = metadataUrl === undefined ? {} : { resourceMetadataUrl: metadataUrl };
    return await sdk.discoverOAuthProtectedResourceMetadata(url, options, watched);
  } catch (error) {
    // Only a plain "there is none" leads on to the older rule that the server is its own.
    if (error instanceof CredentialError || !isAbsent || metadataUrl !== undefined) throw error;
    return undefined;
  }
}

function checkEndpoints(metadata: AuthorizationServerMetadata, guard: SsrfGuard): void {
  const { origin } = new URL(metadata.issuer);
  const secret = [
    ['token endpoint', metadata.token_endpoint],
    ['registration endpoint', metadata.registration_endpoint],
  ] as const;
  for (const [what, url] of secret) {
    if (url === undefined) continue;
    checkUrl(url, metadata.issuer, what, guard);
    if (new URL(url).origin !== origin && !guard.isAllowed(new URL(url).hostname)) {
      throw new CredentialError(
        `The ${what} is not at the authorization server's own origin; allow its host to use it.`,
      );
    }
  }
  const { authorization_endpoint: page } = metadata;
  checkUrl(page, metadata.issuer, 'authorization endpoint', guard);
}

/** @param by - a URL of whoever named it. */
function checkUrl(text: string | undefined, by: string, what: string, guard: SsrfGuard): void {
  if (text === undefined) return;
  const isUrl = URL.canParse(text);
  const fault = isUrl ? guard.faultOfNamed(new URL(text), new URL(by)) : 'The URL is malformed.';
  if (fault !== undefined) throw new CredentialError(`The ${what} may not be called: ${fault}`);
}
