/**
 * Tenants see the servers they were given and nothing of each other: a server of another tenant is
 * a name there is not, a child serves one tenant, and who is suspended is out at once.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GatewayConfig, TenantConfig } from 'tidegate/gateway';
import { initialize, postOf } from '../wire/conversation.ts';
import { childOf, configOf, eventually, pidsIn, temporaryFolder } from '../gateway/gateway-host.ts';
import {
  called,
  caller2025,
  caller2026,
  JSON_ALONE,
  listed,
  officeOf,
  policyHost,
} from './policy-gateway.ts';

/** A remote server that says which credential it was shown, and notes each. */
async function credentialLog(): Promise<{ url: string; seen: Set<string> }> {
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const key = String(request.headers['x-key']);
      seen.add(key);
      const { id, method } = JSON.parse(body) as { id?: unknown; method: string };
      const result = RESULTS[method]?.(key);
      const answer = result === undefined ? { error: { code: -32601, message: 'no' } } : { result };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id: id ?? null, ...answer }));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, seen };
}

const RESULTS: Readonly<Record<string, (key: string) => unknown>> = {
  'server/discover': () => ({
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {} },
    serverInfo: { name: 'log', version: '1' },
    ttlMs: 0,
    cacheScope: 'private',
  }),
  'tools/list': () => ({
    resultType: 'complete',
    tools: [{ name: 'who', inputSchema: { type: 'object' } }],
    ttlMs: 0,
    cacheScope: 'private',
  }),
  'tools/call': (key) => ({ resultType: 'complete', content: [{ type: 'text', text: key }] }),
};

function tenantOf(more: Partial<TenantConfig> = {}): TenantConfig {
  return {
    servers: undefined,
    isSuspended: false,
    limits: undefined,
    credentials: {},
    ...more,
  };
}

const TENANTS: GatewayConfig['tenants'] = {
  acme: tenantOf({ servers: ['one'] }),
  bolt: tenantOf({ servers: ['one', 'two'] }),
};

describe('a server that a tenant does not see', () => {
  it('is answered like a name there is not, byte for byte', async () => {
    const host = await policyHost({ tenants: TENANTS }, { one: officeOf(), two: officeOf() });
    const ask = async (path: string) => {
      const bearer = { authorization: 'Bearer acme/ann' };
      const reply = await host.send(postOf(path, initialize('2025-11-25'), bearer)).whole();
      return [reply.status, reply.text, reply.header('www-authenticate')];
    };
    expect(await ask('/two/mcp')).toEqual(await ask('/nothing/mcp'));
    expect((await ask('/one/mcp'))[0]).toBe(200);
  });

  it('is in no merged list, and comes and goes with a reload', async () => {
    const servers = { one: officeOf(), two: officeOf() };
    const all = { servers: undefined };
    const host = await policyHost({ tenants: TENANTS, all }, servers);
    const acme = caller2026(host, 'all', 'acme/ann');
    const bolt = caller2026(host, 'all', 'bolt/ann');
    expect(await listed(acme, 'tools/list')).toHaveLength(4);
    expect(await listed(bolt, 'tools/list')).toHaveLength(8);
    expect((await called(acme, 'two__wipe')).answer.error).toMatchObject({ code: -32602 });
    host.gateway.reload({ ...host.config, tenants: { acme: tenantOf() } });
    await eventually(
      async () => (await listed(acme, 'tools/list')).length === 8,
      'the second server for its new tenant',
    );
    expect((await called(bolt, 'one__wipe')).answer.error).toMatchObject({ code: -32602 });
  });

  it('is none for whoever is of a tenant nobody named', async () => {
    const host = await policyHost({ tenants: TENANTS }, { one: officeOf(), two: officeOf() });
    const ask = async (token: string) => {
      const bearer = { authorization: `Bearer ${token}` };
      return (await host.send(postOf('/one/mcp', initialize('2025-11-25'), bearer)).whole()).status;
    };
    expect(await ask('other/ann')).toBe(404);
    host.gateway.reload({ ...host.config, tenants: { ...TENANTS, '*': tenantOf() } });
    expect(await ask('other/ann')).toBe(200);
  });
});

describe('a server that a tenant sees no more', () => {
  it.each([
    ['that is as it was', {}],
    ['that was changed and only waits for its end', { GREETING: 'new' }],
  ])('ends what that tenant has open there, at one %s', async (_, env) => {
    const host = await policyHost({ tenants: TENANTS }, { one: childOf() });
    const acme = await caller2025(host, 'one', 'acme/ann');
    const bolt = await caller2025(host, 'one', 'bolt/ann');
    const held = [acme, bolt].map((caller) =>
      called(caller, 'hold').then(
        ({ answer }) => JSON.stringify(answer),
        () => 'cut off',
      ),
    );
    await eventually(() => host.gateway.status.servers[0]?.pending === 2, 'both calls');
    const changed = { ...host.config, ...configOf({ one: childOf(env) }) };
    const listen = { ...host.config.listen, drainMs: 20_000 };
    host.gateway.reload({ ...changed, listen, tenants: { bolt: tenantOf() } });
    expect(await held[0]).not.toContain('released');
    expect((await called(acme, 'release')).status).toBe(404);
    expect((await called(bolt, 'release')).status).toBe(200);
    expect(await held[1]).toContain('released');
  });

  it('answers it nothing, though what it was before still finishes the calls of others', async () => {
    const host = await policyHost({ tenants: TENANTS }, { two: childOf({ GREETING: 'old' }) });
    const [acme, bolt] = [tenantOf({ servers: ['two'] }), tenantOf({ servers: ['two'] })];
    host.gateway.reload({ ...host.config, tenants: { acme, bolt } });
    const one = await caller2025(host, 'two', 'acme/ann', JSON_ALONE);
    const other = await caller2025(host, 'two', 'bolt/ann', JSON_ALONE);
    const held = [called(one, 'hold'), called(other, 'hold')];
    await eventually(() => host.gateway.status.servers[0]?.pending === 2, 'both calls');
    const listen = { ...host.config.listen, drainMs: 60_000 };
    const changed = configOf({ two: childOf({ GREETING: 'new' }) }, { listen, tenants: { bolt } });
    expect(host.gateway.reload(changed)).toMatchObject({ changed: ['two'] });
    expect((await held[0])?.answer.error).toMatchObject({ code: -32001 });
    expect(host.gateway.status.leaving).toBe(1);
    await called(other, 'release');
    expect((await held[1])?.answer.result).toBeDefined();
    await eventually(() => host.gateway.status.leaving === 0, 'the end of the drain');
  });
});

describe('a tenant that is suspended', () => {
  it('is out at once, and its streams end; others notice nothing', async () => {
    const host = await policyHost({ tenants: TENANTS }, { one: officeOf(), two: officeOf() });
    const acme = await caller2025(host, 'one', 'acme/ann');
    const bolt = await caller2025(host, 'one', 'bolt/ann');
    const stream = await acme.listen().head();
    const tenants = { ...TENANTS, acme: tenantOf({ servers: ['one'], isSuspended: true }) };
    host.gateway.reload({ ...host.config, tenants });
    await stream.whole();
    expect((await called(acme, 'wipe')).status).toBe(401);
    expect((await called(bolt, 'wipe')).status).toBe(200);
    host.gateway.reload(host.config);
    expect((await caller2025(host, 'one', 'acme/ann')).isOpen).toBe(true);
  });

  it('is every one that is not named, where the entry of all others says so', async () => {
    const host = await policyHost(
      { tenants: { ...TENANTS, '*': tenantOf() } },
      { one: officeOf() },
    );
    const acme = await caller2025(host, 'one', 'acme/ann');
    const stranger = await caller2025(host, 'one', 'globex/gil');
    const stream = await stranger.listen().head();
    const tenants = { ...TENANTS, '*': tenantOf({ isSuspended: true }) };
    host.gateway.reload({ ...host.config, tenants });
    await stream.whole();
    expect((await called(stranger, 'wipe')).status).toBe(401);
    expect((await caller2025(host, 'one', 'hooli/gil')).isOpen).toBe(false);
    expect((await called(acme, 'wipe')).status).toBe(200);
  });
});

describe('a child', () => {
  it('V28 under isolation tenant serves one tenant, whatever its people are called', async () => {
    const file = `${temporaryFolder()}/pids`;
    const one = childOf({ PID_FILE: file }, { isolation: 'tenant' });
    const host = await policyHost({ tenants: { '*': tenantOf() } }, { one });
    const said = async (token: string) => {
      const { answer } = await called(await caller2025(host, 'one', token), 'now');
      return (answer.result as { content: { text: string }[] }).content[0]?.text;
    };
    const [ann, bob, stranger] = [
      await said('acme/ann'),
      await said('acme/bob'),
      await said('bolt/ann'),
    ];
    expect(ann).toBe(bob);
    expect(stranger).not.toBe(ann);
    expect(pidsIn(file).length).toBeGreaterThanOrEqual(2);
  });

  it('is never one for all where there are tenants', async () => {
    const shared = officeOf({}, { isolation: 'shared' });
    const refused = policyHost({ tenants: TENANTS }, { one: shared, two: officeOf() });
    await expect(refused).rejects.toThrow('one: Tenants may not share');
    const alone = await policyHost({ tenants: { acme: tenantOf() } }, { one: shared });
    const tenants = { acme: tenantOf(), bolt: tenantOf() };
    const outcome = alone.gateway.reload({ ...alone.config, tenants });
    expect(outcome).toMatchObject({ kind: 'refused' });
  });
});

describe('limits of one tenant', () => {
  it('count for it in place of those of all', async () => {
    const tenants = {
      acme: tenantOf({ limits: { sessionsMax: 1 } }),
      '*': tenantOf(),
    };
    const host = await policyHost({ tenants, rates: { tenant: { sessionsMax: 2 } } });
    const open = async (token: string) => {
      const bearer = { authorization: `Bearer ${token}` };
      const path = '/office/mcp';
      const reply = await host.send(postOf(path, initialize('2025-11-25'), bearer)).whole();
      return reply.status;
    };
    expect([await open('acme/ann'), await open('acme/bob')]).toEqual([200, 429]);
    expect([await open('bolt/a'), await open('bolt/b'), await open('bolt/c')]).toEqual([
      200, 200, 429,
    ]);
  });
});

describe('a server at a URL', () => {
  it('V28 is shown the credential of the tenant, and one tenant is never shown as another', async () => {
    const { url, seen } = await credentialLog();
    const remote = {
      ...officeOf(),
      source: {
        kind: 'url' as const,
        url,
        headers: { 'X-Key': 'of-all' },
        allowedHosts: [],
        ca: undefined,
        proxy: undefined,
        credential: undefined,
        tenants: {
          acme: { headers: { 'x-key': 'of-acme' }, credential: undefined },
          bolt: { headers: { 'x-key': 'of-bolt' }, credential: undefined },
        },
      },
      isolation: 'tenant' as const,
    };
    const host = await policyHost({}, { remote });
    // What it speaks is asked with what is shown for everybody.
    await called(caller2026(host, 'remote', 'other/bob'), 'who');
    for (const tenant of ['acme', 'bolt', 'other']) {
      seen.clear();
      const caller = caller2026(host, 'remote', `${tenant}/ann`);
      const { answer } = await called(caller, 'who');
      const key = tenant === 'other' ? 'of-all' : `of-${tenant}`;
      expect((answer.result as { content: { text: string }[] }).content[0]?.text).toBe(key);
      expect([...seen]).toEqual([key]);
    }
  });
});
