/** The grants a client has by itself: its own credentials, and the exchange of a caller's token. */
import type { AccessToken } from './access-token.ts';
import { joinedScope } from './challenge.ts';
import { CredentialError } from './credential-error.ts';
import type { OAuthClient } from './oauth-client.ts';
import type { TokenNeed } from './renewed-credential.ts';

export interface GrantClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Asked for, space-separated; undefined: what the server asks for, or says it knows. */
  readonly scope: string | undefined;
}

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4 */
export async function clientCredentialsToken(
  oauth: OAuthClient,
  client: GrantClient,
  need: TokenNeed,
): Promise<AccessToken> {
  const server = await oauth.server(need.metadataUrl);
  const scope = joinedScope(client.scope, need.scope) ?? server.scope;
  return oauth.request(server, identified(client), { grant_type: 'client_credentials' }, scope);
}

/** @see https://www.rfc-editor.org/rfc/rfc8693#section-2.1 */
export async function exchangedToken(
  oauth: OAuthClient,
  client: GrantClient & { readonly audience: string | undefined },
  subjectToken: string | undefined,
  need: TokenNeed,
): Promise<AccessToken> {
  if (subjectToken === undefined) {
    throw new CredentialError('The caller has no token that could be exchanged; sign in again.');
  }
  const server = await oauth.server(need.metadataUrl);
  const { audience } = client;
  const params = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    requested_token_type: ACCESS_TOKEN,
    ...(audience === undefined ? {} : { audience }),
  };
  const scope = joinedScope(client.scope, need.scope) ?? server.scope;
  const token = await oauth.request(server, identified(client), params, scope);
  if (token.value === subjectToken) {
    throw new CredentialError("The authorization server gave the caller's own token back.");
  }
  return token;
}

function identified({ clientId, clientSecret }: GrantClient): {
  readonly client_id: string;
  readonly client_secret: string;
} {
  return { client_id: clientId, client_secret: clientSecret };
}
