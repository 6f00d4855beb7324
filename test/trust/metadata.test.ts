import { describe, expect, it } from 'vitest';
import { challenge } from '../../src/core/security/challenge.ts';
import { metadataAt, metadataUrl } from '../../src/core/security/protected-resource.ts';
import { initialize, postOf } from '../wire/conversation.ts';
import { Issuer, PUBLIC_URL } from './issuer.ts';
import { hostOf, LISTEN, openAs, trusting } from './token-gateway.ts';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

describe('what a server says of where its tokens come from', () => {
  it('is open to everybody, for each server, and for the address a client knows', async () => {
    const issuer = await Issuer.start();
    const config = trusting(issuer, { requiredScopes: ['mcp'] }, { all: { servers: undefined } });
    const host = await hostOf(config);
    const told = async (path: string) => {
      const reply = await host.send({ path: WELL_KNOWN + path }).whole();
      return { status: reply.status, body: JSON.parse(reply.text) as Record<string, unknown> };
    };
    for (const path of ['/files/mcp', '/other/sse', '/all/mcp']) {
      expect(await told(path)).toEqual({
        status: 200,
        body: {
          resource: PUBLIC_URL + path,
          authorization_servers: [issuer.url],
          bearer_methods_supported: ['header'],
          scopes_supported: ['mcp'],
          dpop_signing_alg_values_supported: ['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA'],
          dpop_bound_access_tokens_required: false,
        },
      });
    }
    expect((await told('/files')).body['resource']).toBe(`${PUBLIC_URL}/files/mcp`);
    for (const path of ['', '/nothing/mcp', '/files/other', '/file', '/files/mcp/more']) {
      expect((await told(path)).status, path).toBe(401);
    }
    const post = host.send({ method: 'POST', path: `${WELL_KNOWN}/files/mcp` });
    expect((await post.whole()).status).toBe(405);
  });

  it('is at the root, too, of a gateway with one server', async () => {
    const issuer = await Issuer.start();
    const config = trusting(issuer);
    const host = await hostOf({ ...config, servers: config.servers.slice(0, 1) });
    for (const path of [WELL_KNOWN, `${WELL_KNOWN}/`]) {
      const reply = await host.send({ path }).whole();
      expect(JSON.parse(reply.text)).toMatchObject({ resource: `${PUBLIC_URL}/files/mcp` });
    }
  });

  it('V39: comes from the config, whatever a request says of itself', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    const honest = await openAs(host, {});
    const bytes = honest.header('www-authenticate');
    expect(bytes).toContain(`resource_metadata="${PUBLIC_URL}${WELL_KNOWN}/files/mcp"`);
    const spoofs = [
      { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'http' },
      { forwarded: 'host=evil.test;proto=http' },
      { host: `localhost:${host.port}` },
      { 'x-original-url': '/evil', 'x-forwarded-prefix': '/evil' },
      { authorization: 'Basic "><evil", resource_metadata="https://evil.test' },
    ];
    for (const headers of spoofs) {
      const reply = await openAs(host, headers);
      expect(reply.status).toBe(401);
      expect(reply.header('www-authenticate'), JSON.stringify(headers)).toBe(bytes);
    }
    const told = await host
      .send({ path: `${WELL_KNOWN}/files/mcp`, headers: { 'x-forwarded-host': 'evil.test' } })
      .whole();
    expect(told.text).not.toContain('evil');
  });

  it('V39: cannot add a parameter or a line to a challenge', () => {
    const said = challenge('Bearer', {
      error: 'a", b="c',
      description: 'x\r\nSet-Cookie: y\u2028\u00e9',
      scopes: ['q"', '\\'],
    });
    expect(said).toBe(
      'Bearer realm="tidegate", error="a\\", b=\\"c", error_description="x??Set-Cookie: y??", ' +
        'scope="q\\" \\\\"',
    );
  });

  it('is between host and path of a public URL that has a path of its own', () => {
    const publicUrl = 'https://example.com/tools/files';
    const at = 'https://example.com/.well-known/oauth-protected-resource/tools/files';
    expect(metadataUrl(publicUrl, '/files/mcp')).toBe(`${at}/mcp`);
    expect(metadataUrl(publicUrl, '/files/messages')).toBe(`${at}/sse`);
    const facts = { issuers: ['https://i'], scopes: [], dpopAlgorithms: [], isDpopRequired: false };
    const question = { publicUrl, prefix: '/files', isOnly: false };
    for (const path of ['/tools/files/mcp', '/files/mcp']) {
      const text = metadataAt(`${WELL_KNOWN}${path}`, question, facts) ?? '';
      expect(JSON.parse(text)).toEqual({
        resource: `${publicUrl}/mcp`,
        authorization_servers: ['https://i'],
        bearer_methods_supported: ['header'],
      });
    }
  });
});

describe('a token in a URL', () => {
  it('is refused and never read, on every route', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    const token = await issuer.token();
    for (const path of ['/files/mcp', '/files/sse', '/files/messages', '/nothing', '/']) {
      const query = `${path}?a=b&access_token=${token}`;
      const headers = { authorization: `Bearer ${token}` };
      const reply = await host.send(postOf(query, initialize('2025-11-25'), headers)).whole();
      expect(reply.status, path).toBe(400);
      expect(reply.text).not.toContain(token);
    }
    expect(JSON.stringify(host.log)).not.toContain(token);
  });
});

it('without a public URL no token is for any server', async () => {
  const issuer = await Issuer.start();
  const listen = { ...LISTEN, publicUrl: undefined };
  const config = trusting(issuer, {}, { listen });
  const host = await hostOf(config);
  expect((await openAs(host, { authorization: `Bearer ${await issuer.token()}` })).status).toBe(
    401,
  );
});
