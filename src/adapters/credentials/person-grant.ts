/**
 * Tokens of the person in front of this machine: kept from the last time, refreshed, or asked for
 * by a login when a server refuses to go on without.
 */
import type { AccessToken } from './access-token.ts';
import type { AuthorizationServer } from './authorization-server.ts';
import { joinedScope } from './challenge.ts';
import { CredentialError } from './credential-error.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import { login, type LoginOptions } from './login.ts';
import type { OAuthClient } from './oauth-client.ts';
import type { TokenNeed } from './renewed-credential.ts';
import type { StoredTokens, TokenStore } from './token-store.ts';

export interface PersonOptions extends LoginOptions {
  readonly scope: string | undefined;
}

/** Milliseconds before its end that a kept token is not begun with. */
const EARLY_MS = 30_000;

export class PersonGrant {
  readonly #oauth: OAuthClient;
  readonly #store: TokenStore;
  readonly #fetch: GuardedFetch;
  readonly #options: PersonOptions;
  /** The token that was given out last: when it is refused, the kept one may be newer. */
  #given: string | undefined;

  constructor(oauth: OAuthClient, store: TokenStore, fetch: GuardedFetch, options: PersonOptions) {
    this.#oauth = oauth;
    this.#store = store;
    this.#fetch = fetch;
    this.#options = options;
  }

  /** Undefined while nobody has signed in and the server did not ask for it. */
  async obtain(need: TokenNeed): Promise<AccessToken | undefined> {
    const kept = await this.#store.read();
    if (kept === undefined && !need.isRefused) return undefined;
    const token = await this.#store.alone(() => this.#current(need));
    this.#given = token?.value;
    return token;
  }

  async #current(need: TokenNeed): Promise<AccessToken | undefined> {
    // Read again: another process may have refreshed it while this one waited.
    const kept = await this.#store.read();
    if (kept !== undefined && !need.isStepUp) {
      const isSpent = need.isRefused && kept.accessToken === this.#given;
      if (!isSpent && isFresh(kept)) return tokenOf(kept);
      const refreshed = await this.#refreshed(kept, need);
      if (refreshed !== undefined) return refreshed;
    }
    if (!need.isRefused) return undefined;
    const server = await this.#oauth.server(need.metadataUrl);
    const before = kept?.issuer === server.issuer ? kept.scope : undefined;
    const asked = joinedScope(this.#options.scope, need.isStepUp ? before : undefined, need.scope);
    const scope = lasting(asked ?? server.scope, server);
    const { token, client } = await login(this.#oauth, server, scope, this.#fetch, this.#options);
    await this.#keep(server, client.client_id, client.client_secret, token);
    return token;
  }

  /** Undefined where there is nothing to refresh, or the authorization server will not. */
  async #refreshed(kept: StoredTokens, need: TokenNeed): Promise<AccessToken | undefined> {
    const { refreshToken, clientId, clientSecret } = kept;
    // Once a token was refused, whoever issued it may speak for the server no longer.
    const isDoubted = need.isRefused && !need.isStepUp;
    const server = await this.#oauth.server(need.metadataUrl, isDoubted);
    if (refreshToken === undefined) return undefined;
    // What one authorization server issued is shown to no other.
    if (kept.issuer !== server.issuer) return undefined;
    const secret = clientSecret === undefined ? {} : { client_secret: clientSecret };
    const params = { grant_type: 'refresh_token', refresh_token: refreshToken };
    try {
      const client = { client_id: clientId, ...secret };
      const token = await this.#oauth.request(server, client, params, undefined);
      const next = { ...token, refreshToken: token.refreshToken ?? refreshToken };
      const scope = token.scope ?? kept.scope;
      await this.#keep(server, clientId, clientSecret, { ...next, scope });
      return next;
    } catch (error) {
      // A server that is down will be back: nobody has to sign in for that.
      if (error instanceof CredentialError) throw error;
      return undefined;
    }
  }

  #keep(
    { issuer }: AuthorizationServer,
    clientId: string,
    clientSecret: string | undefined,
    { value, expiresIn, scope, refreshToken }: AccessToken,
  ): Promise<void> {
    const expiresAt = expiresIn === undefined ? undefined : Date.now() + expiresIn * 1000;
    const client = { clientId, clientSecret };
    return this.#store.write({
      issuer,
      ...client,
      accessToken: value,
      expiresAt,
      scope,
      refreshToken,
    });
  }
}

function isFresh({ expiresAt }: StoredTokens): boolean {
  return expiresAt === undefined || expiresAt - EARLY_MS > Date.now();
}

function tokenOf({ accessToken, expiresAt, scope, refreshToken }: StoredTokens): AccessToken {
  const expiresIn = expiresAt === undefined ? undefined : (expiresAt - Date.now()) / 1000;
  return { value: accessToken, expiresIn, scope, refreshToken };
}

/**
 * Where there are tokens that outlive a login, one is asked for.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess
 */
function lasting(scope: string | undefined, { metadata }: AuthorizationServer): string | undefined {
  const isOffered = metadata.scopes_supported?.includes('offline_access') === true;
  return isOffered && scope !== undefined ? joinedScope(scope, 'offline_access') : scope;
}
