/** What a reload that changes who may come in leaves alone, and what it ends. */
import { join } from 'node:path';
import type { AuthConfig, IntrospectionAuthConfig, JwtAuthConfig } from 'tidegate/gateway';
import { describe, expect, it } from 'vitest';
import { type ApiKeyEntry, makeApiKey } from '../../src/adapters/identity/api-key.ts';
import { writeKeyFile } from '../../src/adapters/identity/key-file.ts';
import { eventually, temporaryFolder } from '../gateway/gateway-host.ts';
import { listenTo } from '../wire/client-2026.ts';
import { Holder } from './holder.ts';
import { Introspection } from './introspection-endpoint.ts';
import { Issuer, PUBLIC_URL } from './issuer.ts';
import { behind, hostOf, open, openAs, TokenSession, trusting } from './token-gateway.ts';

const KEYS = ['kept', 'gone'].map((subject) => {
  const { key, id, digest } = makeApiKey();
  const created = '2026-01-01T00:00:00.000Z';
  const entry: ApiKeyEntry = {
    id,
    digest,
    tenant: 'acme',
    subject,
    scopes: [],
    groups: [],
    expires: undefined,
    created,
  };
  return { key, entry };
});
const [KEPT, GONE] = KEYS as [(typeof KEYS)[0], (typeof KEYS)[0]];
const ENTRIES = KEYS.map(({ entry }) => entry);
const TOKEN = { kind: 'token', token: 'static-token-0123456789' } as const;

const several = (...ways: readonly AuthConfig[]): AuthConfig => ({ kind: 'several', ways });

describe('a reload that changes another way in', () => {
  it.each([
    [
      'the key is gone from its file',
      (keys: string) => several({ kind: 'keys', path: keys }, TOKEN),
    ],
    [
      'another file is named, which lacks it',
      (_: string, other: string) => ({ kind: 'keys', path: other }) as const,
    ],
  ])('ends what was opened with a key at once, when %s', async (_, after) => {
    const folder = temporaryFolder();
    const [path, other] = [join(folder, 'keys.json'), join(folder, 'other.json')];
    for (const each of [path, other]) writeKeyFile(each, ENTRIES);
    const host = await hostOf(behind({ kind: 'keys', path }));
    const sessions = await Promise.all(KEYS.map(({ key }) => TokenSession.open(host, key)));
    const streams = await Promise.all(sessions.map((each) => each.listen().head()));
    for (const each of [path, other]) writeKeyFile(each, [KEPT.entry]);
    host.gateway.reload({ ...host.config, auth: after(path, other) });
    await streams[1]?.whole();
    expect((await open(host, GONE.key)).status).toBe(401);
    expect((await open(host, KEPT.key)).status).toBe(200);
    expect(streams[0]?.isEnded).toBe(false);
  });

  it('ends what was opened with keys that count no more', async () => {
    const path = join(temporaryFolder(), 'keys.json');
    writeKeyFile(path, ENTRIES);
    const host = await hostOf(behind({ kind: 'keys', path }));
    const session = await TokenSession.open(host, KEPT.key);
    const stream = await session.listen().head();
    host.gateway.reload({ ...host.config, auth: TOKEN });
    await stream.whole();
    expect((await session.call().whole()).status).toBe(401);
  });

  it('takes no proof again that was used, and goes on with a provider that is away', async () => {
    const issuer = await Issuer.start();
    const config = trusting(issuer);
    const host = await hostOf(config);
    const holder = await Holder.make();
    const bound = await issuer.token({ cnf: { jkt: holder.jkt } });
    const proof = { authorization: `DPoP ${bound}`, dpop: await holder.proof(bound) };
    expect((await openAs(host, proof)).status).toBe(200);
    const known = await issuer.token();
    expect((await open(host, known)).status).toBe(200);
    issuer.answer = (response) => response.writeHead(500).end();
    // Equal, and not the same object.
    host.gateway.reload({ ...config, auth: several(TOKEN, structuredClone(config.auth)) });
    expect((await open(host, TOKEN.token)).status).toBe(200);
    expect((await openAs(host, proof)).status).toBe(401);
    expect((await open(host, known)).status).toBe(200);
    expect(issuer.asked.keys).toBe(1);
  });

  it.each<[string, (jwt: JwtAuthConfig) => readonly AuthConfig[]]>([
    ['no longer names its issuer', () => []],
    ['needs a scope that it lacks', (jwt) => [{ ...jwt, requiredScopes: ['mcp'] }]],
    ['maps its claims otherwise', (jwt) => [{ ...jwt, tenant: { claim: 'org' } }]],
  ])('ends what a token opened when the config %s, and nothing else', async (_, after) => {
    const issuer = await Issuer.start();
    const jwt = trusting(issuer).auth as JwtAuthConfig;
    const host = await hostOf(behind(several(TOKEN, jwt)));
    const token = await issuer.token();
    const sessions = [
      await TokenSession.open(host, TOKEN.token),
      await TokenSession.open(host, token),
    ] as const;
    const streams = await Promise.all(sessions.map((each) => each.listen().head()));
    const request = listenTo(1, { toolsListChanged: true }, { token });
    const listen = host.send({ ...request, path: '/files/mcp' });
    await listen.message(0);
    const call = await sessions[1].call('hold').head();
    host.gateway.reload({ ...host.config, auth: several(TOKEN, ...after(jwt)) });
    for (const each of [streams[1], call]) {
      await each?.whole();
      expect(each?.text).toMatch(/retry: \d+\n\n$/);
    }
    await listen.whole();
    expect(listen.messages.at(-1)).toMatchObject({ id: 1, result: { resultType: 'complete' } });
    // It is given up at the server, too.
    await eventually(() => host.gateway.status.servers[0]?.pending === 0, 'the end of the call');
    expect((await sessions[0].call().whole()).status).toBe(200);
    expect(streams[0]?.isEnded).toBe(false);
  });

  it('verifies the same token afresh where it may still count', async () => {
    const issuer = await Issuer.start();
    const jwt = trusting(issuer).auth as JwtAuthConfig;
    const host = await hostOf(behind(jwt));
    const session = await TokenSession.open(host, await issuer.token());
    const stream = await session.listen().head();
    host.gateway.reload({ ...host.config, auth: { ...jwt, audiences: ['api'] } });
    await stream.whole();
    expect((await session.call().whole()).status).toBe(200);
    expect((await session.listen().head()).status).toBe(200);
  });

  it('ends what an opaque token opened when another endpoint is to be asked', async () => {
    const endpoint = await Introspection.start();
    const exp = Math.floor(Date.now() / 1000) + 300;
    endpoint.says = () => ({ active: true, sub: 'ada', aud: `${PUBLIC_URL}/files/mcp`, exp });
    const asking: IntrospectionAuthConfig = {
      kind: 'introspection',
      url: endpoint.url,
      issuer: 'https://idp.example.test',
      client: { id: 'gateway', secret: 'secret' },
      allowedHosts: ['127.0.0.1'],
    };
    const host = await hostOf(behind(asking));
    const session = await TokenSession.open(host, 'opaque-token');
    const stream = await session.listen().head();
    const other = await Introspection.start();
    host.gateway.reload({ ...host.config, auth: { ...asking, url: other.url } });
    await stream.whole();
    expect((await session.call().whole()).status).toBe(401);
  });

  it('that cannot be done closes nothing that serves', async () => {
    const path = join(temporaryFolder(), 'keys.json');
    writeKeyFile(path, [KEPT.entry]);
    const keys = { kind: 'keys', path } as const;
    const host = await hostOf(behind(several(keys, TOKEN)));
    const broken = several(keys, { kind: 'keys', path: join(path, 'x') });
    expect(host.gateway.reload({ ...host.config, auth: broken }).kind).toBe('refused');
    expect((await open(host, KEPT.key)).status).toBe(200);
    expect((await open(host, TOKEN.token)).status).toBe(200);
    // Its file is looked at as before.
    writeKeyFile(path, []);
    await expect
      .poll(async () => (await open(host, KEPT.key)).status, { timeout: 15_000 })
      .toBe(401);
  });
});
