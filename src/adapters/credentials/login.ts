/**
 * A person signs in: in a browser, at the server's authorization server, with PKCE. What comes back
 * is believed only with the state and the issuer of this very login.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
import { randomBytes } from 'node:crypto';
import type { OAuthClientInformationMixed } from '@modelcontextprotocol/client';
import type { AccessToken } from './access-token.ts';
import type { AuthorizationServer } from './authorization-server.ts';
import { CredentialError } from './credential-error.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import { LoginListener } from './login-listener.ts';
import type { OAuthClient } from './oauth-client.ts';

export interface LoginOptions {
  /** Default: one that registers itself. */
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  /** A client that describes itself at this URL, where the authorization server takes such. */
  readonly clientMetadataUrl?: string | undefined;
  /** Shows the page to sign in at: opens it in a browser, or prints it. */
  readonly show: (url: string) => void;
  /** Milliseconds a person may take. */
  readonly msMax: number;
  readonly signal: AbortSignal;
}

export interface Login {
  readonly token: AccessToken;
  readonly client: OAuthClientInformationMixed;
}

/** @throws CredentialError and what the SDK's checks throw. */
export async function login(
  oauth: OAuthClient,
  server: AuthorizationServer,
  scope: string | undefined,
  fetch: GuardedFetch,
  options: LoginOptions,
): Promise<Login> {
  const { metadata } = server;
  if (metadata.code_challenge_methods_supported?.includes('S256') !== true) {
    throw new CredentialError('The authorization server does not do PKCE with S256.');
  }
  const sdk = await import('@modelcontextprotocol/client');
  const state = randomBytes(32).toString('base64url');
  const listener = await LoginListener.open(state);
  try {
    const { redirectUri } = listener;
    const client = await clientOf(server, scope, redirectUri, fetch, options);
    const started = await sdk.startAuthorization(server.issuer, {
      metadata,
      clientInformation: client,
      redirectUrl: redirectUri,
      state,
      ...(scope === undefined ? {} : { scope }),
    });
    started.authorizationUrl.searchParams.set('resource', server.resource);
    options.show(started.authorizationUrl.href);
    const answer = await listener.answer(options.msMax, options.signal);
    const params = {
      grant_type: 'authorization_code',
      code: await codeIn(answer, server),
      code_verifier: started.codeVerifier,
      redirect_uri: redirectUri,
    };
    const token = await oauth.request(server, client, params, undefined);
    return { token: token.scope === undefined ? { ...token, scope } : token, client };
  } finally {
    listener.close();
  }
}

/** The issuer first: whatever else another server made the browser bring says nothing. */
async function codeIn(answer: URLSearchParams, server: AuthorizationServer): Promise<string> {
  const sdk = await import('@modelcontextprotocol/client');
  const iss = answer.get('iss') ?? undefined;
  sdk.validateAuthorizationResponseIssuer({
    iss,
    expectedIssuer: server.issuer,
    issParameterSupported: server.metadata.authorization_response_iss_parameter_supported === true,
  });
  const code = answer.get('code');
  if (code !== null) return code;
  const error = answer.get('error') ?? '';
  const said = /^[a-z_]{1,40}$/.test(error) ? `: ${error}` : '';
  throw new CredentialError(`The login was refused${said}.`);
}

async function clientOf(
  server: AuthorizationServer,
  scope: string | undefined,
  redirectUri: string,
  fetch: GuardedFetch,
  { clientId, clientSecret, clientMetadataUrl }: LoginOptions,
): Promise<OAuthClientInformationMixed> {
  const { metadata } = server;
  if (clientId !== undefined) {
    const secret = clientSecret === undefined ? {} : { client_secret: clientSecret };
    return { client_id: clientId, ...secret };
  }
  const takesUrls = metadata.client_id_metadata_document_supported === true;
  if (clientMetadataUrl !== undefined && takesUrls) return { client_id: clientMetadataUrl };
  if (metadata.registration_endpoint === undefined) {
    throw new CredentialError(
      'The authorization server knows no client of ours; give a client id.',
    );
  }
  return registered(metadata.registration_endpoint, redirectUri, scope, fetch);
}

/**
 * For authorization servers that know no other way to a client.
 * @see https://www.rfc-editor.org/rfc/rfc7591#section-3.1
 */
async function registered(
  endpoint: string,
  redirectUri: string,
  scope: string | undefined,
  fetch: GuardedFetch,
): Promise<OAuthClientInformationMixed> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({
      client_name: 'Tidegate',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      scope,
    }),
  });
  const said: unknown = response.ok ? await response.json() : {};
  const { client_id: id, client_secret: secret } = said as Record<string, unknown>;
  if (typeof id !== 'string') {
    throw new CredentialError(
      'The authorization server registers no clients; give a client id, or a token in a header.',
    );
  }
  return typeof secret === 'string' ? { client_id: id, client_secret: secret } : { client_id: id };
}
