/** A small authorization server on this machine, which can be made to misbehave. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TokenRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
}

export interface Issued {
  readonly scope: string;
  readonly resource: string;
  /** Of an exchange: for whom. */
  readonly subject: string;
}

interface Code {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly clientId: string;
  readonly scope: string;
  readonly resource: string;
}

export const CLIENT = { clientId: 'tidegate-test', clientSecret: 'canary-client-secret' };
const BASIC = `Basic ${Buffer.from(`${CLIENT.clientId}:${CLIENT.clientSecret}`).toString('base64')}`;

export class AuthorizationServer {
  readonly tokenRequests: TokenRequest[] = [];
  readonly paths: string[] = [];
  readonly registrations: Record<string, unknown>[] = [];
  /** Access tokens that count. */
  readonly issued = new Map<string, Issued>();
  readonly #codes = new Map<string, Code>();
  readonly #refreshTokens = new Map<string, Issued>();
  /** Replaces members of the metadata. */
  metadata: Record<string, unknown> = {};
  /** Replaces members of a token answer. */
  answer: Record<string, unknown> = {};
  expiresIn = 3600;
  /** Replaces members of the redirect of a login. */
  redirect: Record<string, string> = {};
  /** Answers in its place; true when it did. */
  special: (path: string, response: ServerResponse) => boolean = () => false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        const url = new URL(request.url ?? '', this.issuer);
        this.paths.push(url.pathname);
        if (this.special(url.pathname, response)) return;
        this.#serve(url, body, request.headers.authorization, response);
      });
    });
  }

  static async start(): Promise<AuthorizationServer> {
    const server = new AuthorizationServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    onTestFinished(() => server.stop());
    return server;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Every secret it ever gave out or was shown. */
  secrets(): readonly string[] {
    const shown = this.tokenRequests.flatMap(({ params }) =>
      ['code', 'refresh_token', 'subject_token', 'code_verifier'].flatMap((n) => params[n] ?? []),
    );
    return [CLIENT.clientSecret, ...this.issued.keys(), ...this.#refreshTokens.keys(), ...shown];
  }

  #serve(
    url: URL,
    body: string,
    authorization: string | undefined,
    response: ServerResponse,
  ): void {
    const { issuer } = this;
    switch (url.pathname) {
      case '/.well-known/oauth-authorization-server':
        json(response, 200, {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          registration_endpoint: `${issuer}/register`,
          response_types_supported: ['code'],
          code_challenge_methods_supported: ['S256'],
          authorization_response_iss_parameter_supported: true,
          ...this.metadata,
        });
        return;
      case '/authorize':
        this.#authorize(url, response);
        return;
      case '/register':
        this.registrations.push(JSON.parse(body) as Record<string, unknown>);
        json(response, 201, { ...JSON.parse(body), client_id: 'registered-client' });
        return;
      case '/token':
        this.#token(Object.fromEntries(new URLSearchParams(body)), authorization, response);
        return;
      default:
        response.writeHead(404).end();
    }
  }

  #authorize({ searchParams: asked }: URL, response: ServerResponse): void {
    const code = randomBytes(16).toString('hex');
    const redirectUri = asked.get('redirect_uri') ?? '';
    this.#codes.set(code, {
      challenge: asked.get('code_challenge') ?? '',
      redirectUri,
      clientId: asked.get('client_id') ?? '',
      scope: asked.get('scope') ?? '',
      resource: asked.get('resource') ?? '',
    });
    const back = new URL(redirectUri);
    const params = { code, state: asked.get('state') ?? '', iss: this.issuer, ...this.redirect };
    for (const [name, value] of Object.entries(params)) back.searchParams.set(name, value);
    response.writeHead(302, { location: back.href }).end();
  }

  #token(
    params: Record<string, string>,
    authorization: string | undefined,
    response: ServerResponse,
  ): void {
    this.tokenRequests.push({ params, authorization });
    const { scope = '', resource = '' } = params;
    switch (params['grant_type']) {
      case 'client_credentials':
        if (authorization !== BASIC) json(response, 401, { error: 'invalid_client' });
        else this.#issue(response, { scope, resource, subject: '' });
        return;
      case 'urn:ietf:params:oauth:grant-type:token-exchange': {
        const subject = params['subject_token'] ?? '';
        const isKnown = authorization === BASIC && subject.startsWith('subject-');
        if (isKnown) this.#issue(response, { scope, resource, subject });
        else json(response, 400, { error: 'invalid_grant', error_description: subject });
        return;
      }
      case 'refresh_token': {
        const known = this.#refreshTokens.get(params['refresh_token'] ?? '');
        this.#refreshTokens.delete(params['refresh_token'] ?? '');
        if (known === undefined) json(response, 400, { error: 'invalid_grant' });
        else this.#issue(response, known, true);
        return;
      }
      case 'authorization_code':
        this.#redeem(params, response);
        return;
      default:
        json(response, 400, { error: 'unsupported_grant_type' });
    }
  }

  #redeem(params: Record<string, string>, response: ServerResponse): void {
    const code = this.#codes.get(params['code'] ?? '');
    this.#codes.delete(params['code'] ?? '');
    const verifier = params['code_verifier'] ?? '';
    const isProven =
      code !== undefined &&
      createHash('sha256').update(verifier).digest('base64url') === code.challenge &&
      code.redirectUri === params['redirect_uri'] &&
      code.clientId === params['client_id'];
    if (!isProven) json(response, 400, { error: 'invalid_grant' });
    else this.#issue(response, { scope: code.scope, resource: code.resource, subject: '' }, true);
  }

  #issue(response: ServerResponse, issued: Issued, hasRefresh = false): void {
    const token = `access-${randomBytes(12).toString('hex')}`;
    this.issued.set(token, issued);
    const refresh = `refresh-${randomBytes(12).toString('hex')}`;
    if (hasRefresh) this.#refreshTokens.set(refresh, issued);
    json(response, 200, {
      access_token: token,
      token_type: 'Bearer',
      expires_in: this.expiresIn,
      ...(issued.scope === '' ? {} : { scope: issued.scope }),
      ...(hasRefresh ? { refresh_token: refresh } : {}),
      ...this.answer,
    });
  }
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
