import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { initialize, postOf } from '../wire/conversation.ts';
import { survivors } from '../upstreams/processes.ts';
import { ROOT } from '../source-files.ts';
import {
  BEARER,
  childOf,
  configOf,
  eventually,
  gatewayHost,
  GatewaySession,
  pidsIn,
  serverOf,
  temporaryFolder,
  type GatewayHost,
} from './gateway-host.ts';

function stateOf(host: GatewayHost, name: string): string | undefined {
  return host.gateway.status.servers.find((each) => each.name === name)?.upstream;
}

async function ready(host: GatewayHost): Promise<number> {
  return (await host.send({ path: '/readyz' }).whole()).status;
}

describe('a server that cannot be started', () => {
  it('is answered with -32010, and disturbs no other', async () => {
    const source = {
      kind: 'command',
      command: 'no-such-command',
      args: [],
      env: {},
      cwd: undefined,
    } as const;
    const missing = join(temporaryFolder(), 'none.mjs');
    const host = await gatewayHost(
      configOf({
        works: childOf(),
        command: serverOf(source),
        module: serverOf({ kind: 'module', path: missing, exportName: 'default' }),
        wrong: serverOf({
          kind: 'module',
          path: join(ROOT, 'test/fixtures/gateway/module.mjs'),
          exportName: 'notAFunction',
        }),
        remote: serverOf({
          kind: 'url',
          url: 'http://10.0.0.1/mcp',
          headers: {},
          allowedHosts: [],
          ca: undefined,
          proxy: undefined,
          credential: undefined,
        }),
      }),
    );
    const session = await GatewaySession.open(host, 'works');
    for (const name of ['command', 'module', 'wrong', 'remote']) {
      const reply = await host
        .send(postOf(`/${name}/mcp`, initialize('2025-11-25'), BEARER))
        .whole();
      expect([name, reply.status]).toEqual([name, 502]);
      expect(await reply.json()).toMatchObject({ error: { code: -32010 } });
    }
    expect(await session.said('now')).toMatch(/^child/);
    expect(await ready(host)).toBe(503);
    await eventually(
      () => host.log.filter(({ event }) => event === 'server_down').length === 4,
      'four servers told of as down',
    );
  });

  it('is named in the log as in the config, though another runs the same program', async () => {
    const source = {
      kind: 'command',
      command: process.execPath,
      args: ['-e', 'console.log("no message")'],
      env: {},
      cwd: undefined,
    } as const;
    const host = await gatewayHost(configOf({ files: serverOf(source), mail: serverOf(source) }));
    await eventually(
      () =>
        ['files', 'mail'].every((server) =>
          host.log.some(
            (line) => line.event === 'upstream_line_skipped' && line['server'] === server,
          ),
        ),
      'a skipped line of each',
    );
  });

  it('does not make the gateway unready when it is not required', async () => {
    const broken = childOf({ FAILS: '1' }, { isRequired: false });
    const host = await gatewayHost(configOf({ works: childOf(), broken }));
    await eventually(() => stateOf(host, 'broken') === 'down', 'the broken server');
    await eventually(async () => (await ready(host)) === 200, 'readiness');
    expect(
      host.gateway.reload(configOf({ works: childOf(), broken: { ...broken, isRequired: true } })),
    ).toMatchObject({ kept: 2 });
    expect(await ready(host)).toBe(503);
  });

  it('is tried again at once by a reload, a mended module included', async () => {
    const path = join(temporaryFolder(), 'mended.mjs');
    writeFileSync(path, 'throw new Error("broken");');
    const config = configOf({
      module: serverOf(
        { kind: 'module', path, exportName: 'buildServer' },
        { limits: { restartsPerWindowMax: 1, restartPauseMs: 3_600_000 } },
      ),
    });
    const host = await gatewayHost(config);
    await eventually(() => stateOf(host, 'module') === 'looping', 'the failure');
    const fixture = join(ROOT, 'test/fixtures/gateway/module.mjs');
    writeFileSync(path, `export { buildServer } from ${JSON.stringify(fixture)};`);
    expect(host.gateway.reload(config)).toMatchObject({ kept: 1 });
    await eventually(() => stateOf(host, 'module') === 'up', 'the mended module');
    const session = await GatewaySession.open(host, 'module');
    expect(await session.said('now')).toBe('module now');
  });
});

describe('a server in a crash loop', () => {
  it('is left down for a while, is not ready, disturbs nobody, and comes back by itself', async () => {
    const folder = temporaryFolder();
    const pids = join(folder, 'pids');
    const broken = join(folder, 'broken');
    writeFileSync(broken, '');
    const limits = { restartsPerWindowMax: 3, restartPauseMs: 1500 };
    const host = await gatewayHost(
      configOf({
        works: childOf(),
        loops: childOf({ PID_FILE: pids, FAILS_WHILE: broken }, { limits }),
      }),
    );
    const session = await GatewaySession.open(host, 'works');
    const stream = await session.listen().head();
    await eventually(() => stateOf(host, 'loops') === 'looping', 'the crash loop');
    const reply = await host.send({ path: '/readyz' }).whole();
    expect(JSON.parse(reply.text)).toMatchObject({
      reason: 'of 2 required servers 1 end again and again',
    });
    const before = pidsIn(pids).length;
    for (let ask = 0; ask < 20; ask += 1) {
      const opening = postOf('/loops/mcp', initialize('2025-11-25'), BEARER);
      expect((await host.send(opening).whole()).status).toBe(502);
    }
    // Asking starts nothing: at most the one look after a pause came in between.
    expect(pidsIn(pids).length - before).toBeLessThanOrEqual(2);
    rmSync(broken);
    await eventually(() => stateOf(host, 'loops') === 'up', 'the recovery');
    expect(await (await GatewaySession.open(host, 'loops')).said('now')).toMatch(/^child/);
    await eventually(
      () => host.log.some(({ event, server }) => event === 'server_up' && server === 'loops'),
      'the recovery in the log',
    );
    expect(await ready(host)).toBe(200);
    expect(stream.isEnded).toBe(false);
  });

  it('is not one because a client ends its own process again and again', async () => {
    const limits = { restartsPerWindowMax: 2 };
    const host = await gatewayHost(configOf({ one: childOf({}, { limits }) }));
    for (let end = 0; end < 4; end += 1) {
      const session = await GatewaySession.open(host, 'one');
      expect(await session.said('die')).toBe('error -32010');
    }
    expect(stateOf(host, 'one')).toBe('up');
    expect(await (await GatewaySession.open(host, 'one')).said('now')).toMatch(/^child/);
  });
});

describe('processes', () => {
  it('are all gone when the gateway is, those of servers that leave included', async () => {
    const pids = join(temporaryFolder(), 'pids');
    const one = childOf({ PID_FILE: pids });
    const host = await gatewayHost(configOf({ one, two: childOf({ PID_FILE: pids }) }));
    const held = (await GatewaySession.open(host, 'one')).call('hold');
    await GatewaySession.open(host, 'two');
    await eventually(() => host.gateway.status.servers[0]?.pending === 1, 'the call');
    host.gateway.reload(configOf({ two: childOf({ PID_FILE: pids }) }));
    expect(host.gateway.status.leaving).toBe(1);
    await host.close();
    await held.whole();
    expect(await survivors(pidsIn(pids), 5000)).toEqual([]);
  });

  it('of a shared server end when nobody needed them for as long as was asked', async () => {
    const pids = join(temporaryFolder(), 'pids');
    const shared = childOf(
      { PID_FILE: pids },
      { isolation: 'shared', limits: { sharedIdleMs: 50 } },
    );
    const host = await gatewayHost(configOf({ shared }));
    const session = await GatewaySession.open(host, 'shared');
    expect(await session.said('now')).toMatch(/^child/);
    expect(host.gateway.status.servers[0]?.upstreamInstances).toBe(1);
    await session.end().whole();
    await eventually(() => host.gateway.status.servers[0]?.upstreamInstances === 0, 'its end');
    expect(await survivors(pidsIn(pids), 5000)).toEqual([]);
    expect(await (await GatewaySession.open(host, 'shared')).said('now')).toMatch(/^child/);
  });
});
