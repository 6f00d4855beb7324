/** A remote server called with a token of ours, from the authorization server it names. */
import { describe, expect, it } from 'vitest';
import type { RemoteOptions } from 'tidegate';
import { dialModern, dialSession, server2025 } from '../upstreams/http/hand-server.ts';
import { AuthorizationServer, CLIENT } from './authorization-server.ts';
import { GuardedServer } from './guarded-server.ts';

const CREDENTIAL = { kind: 'client-credentials', ...CLIENT } as const;
const OPTIONS: RemoteOptions = { credential: CREDENTIAL };

async function both(): Promise<{ issuer: AuthorizationServer; guarded: GuardedServer }> {
  const issuer = await AuthorizationServer.start();
  return { issuer, guarded: await GuardedServer.start(issuer) };
}

describe('a token of our own', () => {
  it('is found by what the server says of itself, and is for that server', async () => {
    const { issuer, guarded } = await both();
    const { call } = dialModern(guarded.url, OPTIONS);
    expect(await call(1)).toEqual({ of: 'tools/call' });
    expect(await call(2)).toEqual({ of: 'tools/call' });
    expect(issuer.tokenRequests).toMatchObject([
      { params: { grant_type: 'client_credentials', resource: guarded.url } },
    ]);
    expect(guarded.shown.every((header) => header?.startsWith('Bearer access-'))).toBe(true);
  });

  it('is fetched once for calls that need it at once', async () => {
    const { issuer, guarded } = await both();
    const { call } = dialModern(guarded.url, OPTIONS);
    await Promise.all([1, 2, 3, 4, 5].map((id) => call(id)));
    expect(issuer.tokenRequests).toHaveLength(1);
  });

  it('serves a session of 2025, its stream and its goodbye', async () => {
    const { guarded } = await both();
    guarded.answer = server2025(() => false);
    const { call, connection, recorder } = await dialSession(guarded.url, OPTIONS);
    expect(await call(1)).toEqual({ of: 'tools/call' });
    connection.close();
    await recorder.closed();
    expect(guarded.shown).not.toContain(undefined);
    expect(guarded.tokens()).toHaveLength(1);
  });

  it('is renewed once when it is refused, and the call is sent again', async () => {
    const { issuer, guarded } = await both();
    const { call } = dialModern(guarded.url, OPTIONS);
    await call(1);
    guarded.revoked.add(guarded.tokens()[0] ?? '');
    expect(await call(2)).toEqual({ of: 'tools/call' });
    expect(issuer.tokenRequests).toHaveLength(2);
    expect(guarded.shown).toHaveLength(3);
  });

  it('asks for more when the server wants more, without losing what it had', async () => {
    const { issuer, guarded } = await both();
    const credential = { ...CREDENTIAL, scope: 'read' };
    const { call } = dialModern(guarded.url, { credential });
    await call(1);
    guarded.needs = ['write'];
    expect(await call(2)).toEqual({ of: 'tools/call' });
    expect(issuer.tokenRequests.map(({ params }) => params['scope'])).toEqual([
      'read',
      'read write',
    ]);
  });

  it('that no renewal helps costs its call, and no storm follows', async () => {
    const { issuer, guarded } = await both();
    guarded.isClosed = true;
    const { call } = dialModern(guarded.url, OPTIONS);
    const refused = { code: -32010, message: expect.stringContaining('refuses') as string };
    await call(1);
    expect(await call(2)).toMatchObject(refused);
    for (let id = 3; id < 10; id += 1) await call(id);
    expect(issuer.tokenRequests.length).toBeLessThan(4);
    expect(guarded.shown.length).toBeLessThan(20);
  });

  it('comes from the authorization server that the operator named, whatever others say', async () => {
    const { issuer, guarded } = await both();
    guarded.description = { authorization_servers: ['http://127.0.0.1:1'] };
    const credential = { ...CREDENTIAL, issuer: issuer.issuer };
    const { call } = dialModern(guarded.url, { credential });
    expect(await call(1)).toEqual({ of: 'tools/call' });
  });

  it('that cannot be had costs the calls that need it, and the next one asks again', async () => {
    const { issuer, guarded } = await both();
    issuer.special = (path, response) =>
      path === '/token' && Boolean(response.writeHead(500).end());
    const { call, recorder } = dialModern(guarded.url, OPTIONS);
    for (let id = 1; id < 6; id += 1) expect(await call(id)).toMatchObject({ code: -32010 });
    expect(issuer.tokenRequests).toHaveLength(0);
    expect(issuer.paths.filter((path) => path === '/token')).toHaveLength(1);
    expect(recorder.closes()).toEqual([]);
  });
});

interface Trick {
  readonly issuer: AuthorizationServer;
  readonly guarded: GuardedServer;
  readonly other: AuthorizationServer;
}

type Deceit = readonly [what: string, play: (trick: Trick) => void, said: RegExp];

const METADATA = 'http://169.254.169.254/latest/meta-data';

const DECEITS: readonly Deceit[] = [
  [
    'a token endpoint at another origin',
    ({ issuer, other }) => {
      issuer.metadata = { token_endpoint: `${other.issuer}/token` };
    },
    /token endpoint is not at the authorization server's own origin/,
  ],
  [
    'a token endpoint at a private address',
    ({ issuer }) => {
      issuer.metadata = { token_endpoint: 'https://10.0.0.1/token' };
    },
    /token endpoint may not be called/,
  ],
  [
    'a token endpoint without TLS',
    ({ issuer }) => {
      issuer.metadata = { token_endpoint: 'http://login.example.com/token' };
    },
    /token endpoint may not be called/,
  ],
  [
    'metadata of another issuer',
    ({ issuer, other }) => {
      issuer.metadata = { issuer: other.issuer, token_endpoint: `${other.issuer}/token` };
    },
    /issuer differs/,
  ],
  [
    'an authorization server at the address of cloud metadata',
    ({ guarded }) => {
      guarded.description = { authorization_servers: [METADATA] };
    },
    /authorization server may not be called/,
  ],
  [
    'a description of another server',
    ({ guarded }) => {
      guarded.description = { resource: 'https://bank.example.com/mcp' };
    },
    /describes itself as another server/,
  ],
  [
    'metadata that redirects to a private address',
    ({ issuer }) => {
      issuer.special = (path, response) =>
        path.startsWith('/.well-known/') &&
        Boolean(response.writeHead(302, { location: METADATA }).end());
    },
    /redirects to another origin/,
  ],
  [
    'a token endpoint that redirects',
    ({ issuer, other }) => {
      issuer.special = (path, response) =>
        path === '/token' &&
        Boolean(response.writeHead(307, { location: `${other.issuer}/token` }).end());
    },
    /redirects what may not be redirected/,
  ],
  [
    'metadata without an end',
    ({ issuer }) => {
      issuer.special = (path, response) => {
        if (!path.startsWith('/.well-known/')) return false;
        const more = (): void => {
          if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
        };
        more();
        return true;
      };
    },
    /more than belongs/,
  ],
  [
    'a token of another type',
    ({ issuer }) => {
      issuer.answer = { token_type: 'DPoP' };
    },
    /token of another type/,
  ],
  [
    'a token that would be a second header',
    ({ issuer }) => {
      issuer.answer = { access_token: 'a\r\nX-Evil: 1' };
    },
    /no header can carry/,
  ],
  [
    'an answer that is no token',
    ({ issuer }) => {
      issuer.answer = { access_token: 7 };
    },
    /not of its protocol/,
  ],
  [
    'a refusal that repeats the secret',
    ({ issuer }) => {
      issuer.special = (path, response) => {
        if (path !== '/token') return false;
        response.writeHead(400, { 'content-type': 'application/json' });
        const description = `no ${CLIENT.clientSecret}`;
        response.end(JSON.stringify({ error: 'invalid_client', error_description: description }));
        return true;
      };
    },
    /refused: invalid_client/,
  ],
];

describe('an authorization server that cannot be believed', () => {
  it.each(DECEITS)('V38: %s is refused, said, and gets no secret', async (_what, play, said) => {
    const { issuer, guarded } = await both();
    const other = await AuthorizationServer.start();
    play({ issuer, guarded, other });
    const { call, sight } = dialModern(guarded.url, OPTIONS);
    const answer = await call(1);
    expect(answer).toMatchObject({ code: -32010, message: expect.stringMatching(said) as string });
    expect(other.tokenRequests).toEqual([]);
    expect(guarded.shown).toEqual([]);
    const visible = JSON.stringify([answer, sight]);
    expect(visible).toContain('upstream_credential_failed');
    for (const secret of issuer.secrets()) expect(visible).not.toContain(secret);
  });

  it('V38: a server that names another one later gets no secret sent there', async () => {
    const { guarded } = await both();
    const other = await AuthorizationServer.start();
    const { call } = dialModern(guarded.url, OPTIONS);
    await call(1);
    guarded.description = { authorization_servers: [other.issuer] };
    guarded.metadataUrl = `${guarded.metadataUrl}?moved`;
    guarded.revoked.add(guarded.tokens()[0] ?? '');
    expect(await call(2)).toMatchObject({
      message: expect.stringContaining('another authorization server than before') as string,
    });
    expect(other.tokenRequests).toEqual([]);
  });

  it('V38: a description at another origin is not even asked for', async () => {
    const { guarded } = await both();
    const other = await AuthorizationServer.start();
    guarded.metadataUrl = `${other.issuer}/about`;
    guarded.isClosed = true;
    const { call } = dialModern(guarded.url, OPTIONS);
    expect(await call(1)).toMatchObject({
      message: expect.stringContaining('described by another origin') as string,
    });
    expect(other.paths).toEqual([]);
  });
});
