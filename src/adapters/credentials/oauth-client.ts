/**
 * Our side of one authorization server: found once, asked for tokens by every grant there is. The
 * official SDK's client builds the requests and reads the answers; what may be believed and where
 * a secret may go is decided here.
 */
import type { fetchToken, OAuthClientInformationMixed } from '@modelcontextprotocol/client';
import type { SsrfGuard } from '../outbound/ssrf-guard.ts';
import { type AccessToken, accessTokenOf } from './access-token.ts';
import { type AuthorizationServer, discover } from './authorization-server.ts';
import { CredentialError } from './credential-error.ts';
import type { GuardedFetch } from './guarded-fetch.ts';

export interface OAuthClientOptions {
  /** The MCP server. */
  readonly url: string;
  /** The authorization server; undefined: the one the server names. */
  readonly issuer: string | undefined;
  /**
   * Whether the server may come to name another authorization server: only where nothing was
   * entrusted to the first one.
   */
  readonly mayMove: boolean;
  readonly fetch: GuardedFetch;
  readonly guard: SsrfGuard;
}

/** Milliseconds after which the authorization server is looked up again. */
const KNOWN_MS_MAX = 3_600_000;

export class OAuthClient {
  readonly #options: OAuthClientOptions;
  #found: Promise<AuthorizationServer> | undefined;
  #foundAt = 0;
  #metadataUrl: string | undefined;
  /** The first one found: a secret that was shown to it is shown to no other. */
  #issuer: string | undefined;

  constructor(options: OAuthClientOptions) {
    this.#options = options;
  }

  /**
   * @param metadataUrl - where a challenge said that the server describes itself.
   * @param isDoubted - whether the server refused what this one issued, and may name another now.
   */
  server(metadataUrl: string | undefined, isDoubted = false): Promise<AuthorizationServer> {
    const now = performance.now();
    const isNews = metadataUrl !== undefined && metadataUrl !== this.#metadataUrl;
    if (this.#found !== undefined && !isNews && !isDoubted && now - this.#foundAt < KNOWN_MS_MAX) {
      return this.#found;
    }
    this.#metadataUrl = metadataUrl ?? this.#metadataUrl;
    const found = this.#discover();
    this.#found = found;
    this.#foundAt = now;
    found.catch(() => {
      if (this.#found === found) this.#found = undefined;
    });
    return found;
  }

  async #discover(): Promise<AuthorizationServer> {
    const { url, issuer, mayMove, fetch, guard } = this.#options;
    const found = await discover({ url, issuer, metadataUrl: this.#metadataUrl }, fetch, guard);
    this.#issuer ??= found.issuer;
    if (found.issuer === this.#issuer || mayMove) return found;
    throw new CredentialError('The server names another authorization server than before.');
  }

  /**
   * One token request.
   * @param scope - what is asked for.
   * @throws CredentialError and what the SDK throws.
   */
  async request(
    server: AuthorizationServer,
    client: OAuthClientInformationMixed,
    params: Readonly<Record<string, string>>,
    scope: string | undefined,
  ): Promise<AccessToken> {
    const sdk = await import('@modelcontextprotocol/client');
    // The SDK would write the resource as a URL parser does, which is not always as it is
    // published.
    const all = { ...params, resource: server.resource };
    const tokens = await sdk.fetchToken(tokenProvider(client, all, scope), server.issuer, {
      metadata: server.metadata,
      fetchFn: this.#options.fetch,
    });
    return accessTokenOf(tokens, scope);
  }
}

/** What the SDK asks a provider for when it requests a token, and nothing it might store. */
function tokenProvider(
  client: OAuthClientInformationMixed,
  params: Readonly<Record<string, string>>,
  scope: string | undefined,
): Provider {
  const unused = (): never => {
    throw new Error('A token request stores nothing.');
  };
  return {
    redirectUrl: undefined,
    clientMetadata: { redirect_uris: [] },
    clientInformation: () => client,
    tokens: () => undefined,
    saveTokens: unused,
    redirectToAuthorization: unused,
    saveCodeVerifier: unused,
    codeVerifier: unused,
    prepareTokenRequest: () =>
      new URLSearchParams({ ...params, ...(scope === undefined ? {} : { scope }) }),
  };
}

type Provider = Parameters<typeof fetchToken>[0];
