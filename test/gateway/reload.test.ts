import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { initialize, note, postOf } from '../wire/conversation.ts';
import { survivors } from '../upstreams/processes.ts';
import {
  BEARER,
  childOf,
  configOf,
  eventually,
  gatewayHost,
  GatewaySession,
  pidsIn,
  temporaryFolder,
} from './gateway-host.ts';

describe('a reload', () => {
  it('touches no process, session and stream of a server that did not change', async () => {
    const pids = join(temporaryFolder(), 'pids');
    const stays = childOf({ PID_FILE: pids, GREETING: 'stays' });
    const host = await gatewayHost(configOf({ stays, goes: childOf() }));
    const session = await GatewaySession.open(host, 'stays');
    const stream = await session.listen().head();
    const held = session.call('hold');
    const [first] = host.gateway.status.servers;
    const before = pidsIn(pids);
    // Equal, and not the same object.
    const again = structuredClone(stays);
    expect(host.gateway.reload(configOf({ stays: again, comes: childOf() }))).toEqual({
      kind: 'applied',
      added: ['comes'],
      changed: [],
      removed: ['goes'],
      kept: 1,
      needsRestart: [],
    });
    expect(await session.said('release')).toBe('done');
    expect((await held.whole()).text).toContain('released');
    expect(stream.isEnded).toBe(false);
    expect(pidsIn(pids)).toEqual(before);
    expect(host.gateway.status.servers[0]?.sessions).toBe(first?.sessions);
    const comes = await GatewaySession.open(host, 'comes');
    expect(await comes.said('now')).toMatch(/^child/);
  });

  it('drains a server that vanished: calls finish, streams end, its processes go', async () => {
    const pids = join(temporaryFolder(), 'pids');
    const goes = childOf({ PID_FILE: pids });
    const host = await gatewayHost(configOf({ goes, stays: childOf() }));
    const session = await GatewaySession.open(host, 'goes');
    const stream = await session.listen().head();
    const held = session.call('hold');
    await eventually(() => host.gateway.status.servers[0]?.pending === 1, 'the call');
    expect(host.gateway.reload(configOf({ stays: childOf() }))).toMatchObject({
      removed: ['goes'],
    });
    const opening = postOf('/goes/mcp', initialize('2025-11-25'), BEARER);
    expect((await host.send(opening).whole()).status).toBe(404);
    expect(await session.said('release')).toBe('done');
    expect((await held.whole()).text).toContain('released');
    expect((await stream.whole()).isBroken).toBe(false);
    await eventually(() => host.gateway.status.leaving === 0, 'the end of the drain');
    expect(await survivors(pidsIn(pids), 5000)).toEqual([]);
    expect((await session.post(note('notifications/initialized')).whole()).status).toBe(404);
  });

  it('serves a changed server anew at once, while the old one finishes its calls', async () => {
    const host = await gatewayHost(configOf({ one: childOf({ GREETING: 'old' }) }));
    const old = await GatewaySession.open(host, 'one');
    const held = old.call('hold');
    await eventually(() => host.gateway.status.servers[0]?.pending === 1, 'the call');
    const outcome = host.gateway.reload(configOf({ one: childOf({ GREETING: 'new' }) }));
    expect(outcome).toMatchObject({ changed: ['one'], kept: 0 });
    const fresh = await GatewaySession.open(host, 'one');
    expect(await fresh.said('now')).toMatch(/^new/);
    expect(await old.said('now')).toMatch(/^old/);
    expect(await old.said('release')).toBe('done');
    expect((await held.whole()).text).toContain('released');
    await eventually(() => host.gateway.status.leaving === 0, 'the end of the drain');
    expect(await fresh.said('now')).toMatch(/^new/);
  });

  it('takes another token from the next request on, and ends what the one before opened', async () => {
    const servers = { one: childOf() };
    const host = await gatewayHost(configOf(servers));
    const session = await GatewaySession.open(host, 'one');
    const stream = await session.listen().head();
    const token = 'another-token-0123456789';
    const outcome = host.gateway.reload(configOf(servers, { auth: { kind: 'token', token } }));
    expect(outcome).toMatchObject({ kind: 'applied', kept: 1 });
    expect((await session.call('now').whole()).status).toBe(401);
    const fresh = { authorization: `Bearer ${token}` };
    const opening = postOf('/one/mcp', initialize('2025-11-25'), fresh);
    expect((await host.send(opening).whole()).status).toBe(200);
    expect((await stream.whole()).text).toMatch(/retry: \d+\n\n$/);
  });

  it('says what of the listener counts from the next start', async () => {
    const host = await gatewayHost(configOf({ one: childOf() }));
    const { listen } = configOf({});
    const moved = { ...listen, port: 1, publicUrl: 'http://localhost:1' };
    const outcome = host.gateway.reload(configOf({ one: childOf() }, { listen: moved }));
    expect(outcome).toMatchObject({
      kept: 1,
      needsRestart: ['listen.port', 'listen.publicUrl'],
    });
  });

  it('is refused as a whole when a name is unfit or the gateway ends', async () => {
    const host = await gatewayHost(configOf({ one: childOf() }));
    for (const name of ['All', 'all', 'healthz', '-', '__proto__', 'x'.repeat(65)]) {
      const outcome = host.gateway.reload(configOf({ two: childOf(), [name]: childOf() }));
      expect(outcome.kind).toBe('refused');
    }
    expect(host.gateway.status.servers.map(({ name }) => name)).toEqual(['one']);
    await host.close();
    expect(host.gateway.reload(configOf({ one: childOf() })).kind).toBe('refused');
  });

  it('is refused as a whole when a server has limits that there are not', async () => {
    const pids = join(temporaryFolder(), 'pids');
    const one = childOf();
    const host = await gatewayHost(configOf({ one }));
    const session = await GatewaySession.open(host, 'one');
    const odd = childOf({}, { limits: { callsMaxx: 1 } as object });
    const auth = { kind: 'token', token: 'another-token-0123456789' } as const;
    const servers = { one, fit: childOf({ PID_FILE: pids }), odd };
    expect(host.gateway.reload(configOf(servers, { auth }))).toEqual({
      kind: 'refused',
      reason: 'There is no limit named callsMaxx.',
    });
    expect(host.gateway.status.servers.map(({ name }) => name)).toEqual(['one']);
    expect(await session.said('now')).toBeDefined();
    await host.close();
    expect(await survivors(pidsIn(pids), 5000)).toEqual([]);
  });

  it('of fifty servers opens and asks only those that changed', async () => {
    const pids = join(temporaryFolder(), 'pids');
    const many = (greeting: string) =>
      Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [
          `server-${index}`,
          childOf({ PID_FILE: pids, GREETING: index === 49 ? greeting : 'same' }),
        ]),
      );
    const host = await gatewayHost(configOf(many('first')));
    await eventually(
      () => host.gateway.status.servers.every(({ upstream }) => upstream === 'up'),
      'fifty servers',
    );
    const before = pidsIn(pids).length;
    const start = performance.now();
    expect(host.gateway.reload(configOf(many('second')))).toMatchObject({
      changed: ['server-49'],
      kept: 49,
    });
    expect(performance.now() - start).toBeLessThan(1000);
    await eventually(
      () => host.gateway.status.servers.every(({ upstream }) => upstream === 'up'),
      'the changed server',
    );
    // A server is asked by two conversations at most.
    expect(pidsIn(pids).length - before).toBeLessThanOrEqual(2);
  }, 60_000);
});
