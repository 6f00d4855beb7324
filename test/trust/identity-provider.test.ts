/** Behind a certified provider: discovery, tokens of one server, rotation, and what slows it down. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from 'tidegate/gateway';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../gateway/gateway-host.ts';
import { ROOT } from '../source-files.ts';
import { Holder } from './holder.ts';
import { IdentityProvider } from './identity-provider.ts';
import { Issuer, PUBLIC_URL } from './issuer.ts';
import { behind, hostOf, open, openAs, TokenSession, trusting } from './token-gateway.ts';

const FILES = `${PUBLIC_URL}/files/mcp`;

function tokensOf({ url }: IdentityProvider) {
  return behind({
    kind: 'jwt',
    issuer: url,
    allowedHosts: ['127.0.0.1'],
    requiredScopes: ['mcp'],
  });
}

describe('behind a certified provider', () => {
  it('whoever has its token for this server is let in', async () => {
    const provider = await IdentityProvider.start();
    const host = await hostOf(tokensOf(provider));
    expect((await open(host, await provider.token(FILES))).status).toBe(200);
    const sibling = await provider.token(`${PUBLIC_URL}/other/mcp`);
    expect((await open(host, sibling)).status).toBe(401);
    const metadata = host.send({
      path: '/.well-known/oauth-protected-resource/files/mcp',
    });
    expect(await metadata.json()).toMatchObject({ authorization_servers: [provider.url] });
  });

  it('a config file is all it takes, and claims are where policies look for them', async () => {
    const provider = await IdentityProvider.start();
    const path = join(temporaryFolder(), 'tidegate.yaml');
    const child = join(ROOT, 'test/fixtures/gateway/child.mjs');
    writeFileSync(
      path,
      `listen: { port: 0, publicUrl: "${PUBLIC_URL}", drain: 500ms }
auth:
  - token: a-token-of-some-length
  - jwt:
      issuer: ${provider.url}
      algorithms: [RS256]
      tenant: { claim: client_id }
      scopes: { claim: scope }
      groups: { claim: groups }
      claims: { by: client_id }
policy:
  allow:
    - { tenants: [cli], claims: { by: cli }, servers: [files], tools: [now] }
servers:
  files: { command: "${process.execPath}", args: ["${child}"] }
`,
    );
    const read = loadConfig(path, {});
    if (read.kind === 'faulty') throw new Error(JSON.stringify(read.problems));
    const host = await hostOf(read.config);
    const session = await TokenSession.open(host, await provider.token(FILES));
    expect((await session.call().whole()).text).toContain('child');
    const stranger = await TokenSession.open(host, 'a-token-of-some-length');
    expect((await stranger.call().whole()).status).toBe(403);
  });

  it('opaque tokens are asked about, and one that was taken back is refused', async () => {
    const provider = await IdentityProvider.start();
    const host = await hostOf(
      behind({
        kind: 'introspection',
        url: `${provider.url}/token/introspection`,
        issuer: provider.url,
        client: { id: 'gateway', secret: 'secret' },
        subject: 'client_id',
        allowedHosts: ['127.0.0.1'],
        keptMsMax: 100,
      }),
    );
    const token = await provider.token(`${FILES}?opaque`);
    expect(token).not.toContain('.');
    expect((await open(host, token)).status).toBe(200);
    await provider.revoke(token);
    await expect.poll(async () => (await open(host, token)).status, { timeout: 5000 }).toBe(401);
  });

  it('a token it bound to a key is taken with a proof of that key', async () => {
    const provider = await IdentityProvider.start();
    const host = await hostOf(tokensOf(provider));
    const holder = await Holder.make();
    const asking = { htm: 'POST', htu: `${provider.url}/token`, ath: undefined };
    const token = await provider.token(FILES, { dpop: await holder.proof('', asking) });
    expect((await open(host, token)).status).toBe(401);
    const proved = { authorization: `DPoP ${token}`, dpop: await holder.proof(token) };
    expect((await openAs(host, proved)).status).toBe(200);
    expect((await openAs(host, proved)).status).toBe(401);
  });

  it('rotation of its keys refuses nobody, however many are there', async () => {
    const provider = await IdentityProvider.start();
    const host = await hostOf(tokensOf(provider));
    const refused: number[] = [];
    let calls = 0;
    let isOver = false;
    const client = async (): Promise<void> => {
      const session = await TokenSession.open(host, await provider.token(FILES));
      while (!isOver) {
        session.token = await provider.token(FILES);
        for (let i = 0; i < 5; i += 1) {
          const { status } = await session.call().whole();
          calls += 1;
          if (status !== 200) refused.push(status);
        }
      }
    };
    const clients = Array.from({ length: 10 }, client);
    for (let rotation = 0; rotation < 4; rotation += 1) {
      const before = calls;
      await provider.rotate();
      await expect.poll(() => calls - before, { timeout: 10_000 }).toBeGreaterThan(50);
    }
    isOver = true;
    await Promise.all(clients);
    expect(refused).toEqual([]);
  });
});

describe('an issuer whose keys come slowly', () => {
  it('holds up its own tokens only, and not for ever', async () => {
    const issuer = await Issuer.start();
    const { auth } = trusting(issuer);
    const token = 'a-token-of-some-length';
    const host = await hostOf(behind({ kind: 'several', ways: [{ kind: 'token', token }, auth] }));
    issuer.answer = () => {};
    const began = performance.now();
    const held = [open(host, await issuer.token()), open(host, await issuer.token({ jti: 'b' }))];
    expect((await open(host, token)).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(4000);
    for (const reply of await Promise.all(held)) expect(reply.status).toBe(503);
    expect(issuer.asked.keys).toBe(1);
    expect(host.log.filter(({ event }) => event === 'issuer_keys_failed')).toHaveLength(1);
  });

  it('or without an end are given up, and what was known before goes on to serve', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    expect((await open(host, await issuer.token())).status).toBe(200);
    issuer.answer = (response) => {
      response.on('error', () => {});
      const more = (): void => {
        if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
      };
      more();
    };
    const unknown = await issuer.token({ header: { kid: 'unheard-of' } });
    expect((await open(host, unknown)).status).toBe(503);
    expect((await open(host, await issuer.token({ jti: 'b' }))).status).toBe(200);
  });

  it('a client that leaves meanwhile disturbs nobody', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { answer } = issuer;
    issuer.answer = (response, keys) => void gate.then(() => answer(response, keys));
    const headers = { authorization: `Bearer ${await issuer.token()}` };
    const gone = host.send({ path: '/files/sse', headers });
    const stays = host.send({ path: '/files/sse', headers });
    await expect.poll(() => issuer.asked.keys).toBe(1);
    gone.leave();
    release();
    expect((await stays.head()).status).toBe(200);
    await expect.poll(() => host.gateway.status.servers[0]?.streams).toBe(1);
  });
});
