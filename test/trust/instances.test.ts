/**
 * Upstream instances by account, over real sockets: how each era is told that there are too many,
 * and that whatever ends one makes room for the next.
 */
import { describe, expect, it } from 'vitest';
import { RateGate } from '../../src/adapters/gate/rate-gate.ts';
import type { Rates } from '../../src/adapters/gate/rate-rules.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import type { AuditEntry, AuditTrail } from '../../src/core/access.ts';
import type { Telemetry } from '../../src/core/ports.ts';
import { eventually, childOf } from '../gateway/gateway-host.ts';
import { callNow as callNow2026, listenTo } from '../wire/client-2026.ts';
import { callNow, initialize, postOf, Session2024, Session2025 } from '../wire/conversation.ts';
import { modernServer } from '../wire/modern-server.ts';
import type { WireReply } from '../wire/wire-reply.ts';
import { type WireServer, wireServer } from '../wire/wire-server.ts';
import { credentials } from './credentials.ts';
import { called, caller2025, caller2026, listed, officeOf, policyHost } from './policy-gateway.ts';

interface Seen {
  readonly gate: RateGate;
  readonly audit: AuditTrail;
  readonly identity: ReturnType<typeof credentials>;
  /** Limits that refused somebody. */
  readonly counted: unknown[];
  readonly denied: (string | undefined)[];
}

function guards(rates: Rates): Seen {
  const counted: unknown[] = [];
  const denied: (string | undefined)[] = [];
  const telemetry: Telemetry = { ...silent, count: (_name, { limit }) => counted.push(limit) };
  const random = { sessionId: () => '', fraction: () => 0 };
  const record = ({ event, refusal }: AuditEntry): void => {
    if (event === 'denied') denied.push(refusal);
  };
  return {
    gate: new RateGate(rates, { random, telemetry }),
    audit: { fault: () => undefined, record },
    identity: credentials(),
    counted,
    denied,
  };
}

const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

function open2025(server: WireServer, token: string): Promise<WireReply> {
  return server.fetch(postOf('/mcp', initialize('2025-11-25'), bearer(token)));
}

function open2024(server: WireServer, token: string): Promise<WireReply> {
  const headers = { accept: 'text/event-stream', ...bearer(token) };
  return server.fetch({ path: '/sse', headers });
}

function expectRefused(reply: WireReply, id: unknown): void {
  expect(reply.status).toBe(429);
  expect(Number(reply.header('retry-after'))).toBeGreaterThan(0);
  expect(JSON.parse(reply.text)).toMatchObject({ id, error: { code: -32003 } });
}

describe('too many instances', () => {
  it('in 2025 refuse initialize, count and record it, and leave the others alone', async () => {
    const seen = guards({ principal: { instancesMax: 1, callsMax: 1, sessionsMax: 2 } });
    const server = await wireServer(seen);
    const alice = await Session2025.open(server, { token: 'alice' });
    expectRefused(await open2025(server, 'alice'), 0);
    expect(seen.counted).toEqual(['principal.instancesMax']);
    expect(seen.denied).toEqual(['TOO_MANY_INSTANCES']);
    expect((await open2025(server, 'bob')).status).toBe(200);
    // Neither the place of the call nor that of the session was kept.
    expect((await alice.post(callNow(1)).whole()).status).toBe(200);
    await alice.end().whole();
    expect((await open2025(server, 'alice')).status).toBe(200);
  });

  it('in 2024 end the stream at once with the time to come again', async () => {
    const server = await wireServer(guards({ tenant: { instancesMax: 1 } }));
    const first = await Session2024.initialized(server, { token: 'alice' });
    const second = await open2024(server, 'bob');
    expect(second.status).toBe(200);
    expect(second.text).toMatch(/^retry: \d{4,}\n\n$/);
    expect(first.stream.isEnded).toBe(false);
  });

  it('in 2026 refuse the request, and whoever has an instance goes on', async () => {
    const seen = guards({ tenant: { instancesMax: 1, callsMax: 1 } });
    const { server } = await modernServer({ ...seen, isolation: 'principal' });
    expect((await server.fetch(callNow2026(1, { token: 'alice' }))).status).toBe(200);
    expectRefused(await server.fetch(callNow2026(2, { token: 'bob' })), 2);
    expectRefused(await server.fetch(listenTo(3, {}, { token: 'bob' })), 3);
    expect((await server.fetch(callNow2026(4, { token: 'alice' }))).status).toBe(200);
    expect(seen.denied).toEqual(['TOO_MANY_INSTANCES', 'TOO_MANY_INSTANCES']);
    expect(seen.counted).toEqual(['tenant.instancesMax', 'tenant.instancesMax']);
  });

  it('across eras are refused alike', async () => {
    const rates = { tenant: { instancesMax: 1 } };
    const hand = { capabilities: {} };
    const old = await wireServer({ ...guards(rates), hand, isolation: 'principal' });
    expect((await old.fetch(callNow2026(1, { token: 'alice' }))).status).toBe(200);
    expectRefused(await old.fetch(callNow2026(2, { token: 'bob' })), 2);
    const young = await modernServer({ ...guards(rates), server: { isDual: false } });
    await Session2025.open(young.server, { token: 'alice' });
    expectRefused(await open2025(young.server, 'bob'), 0);
  });

  it('are none of those who share one', async () => {
    const rates = { principal: { instancesMax: 0 }, tenant: { instancesMax: 1 } };
    const server = await wireServer({ ...guards(rates), isolation: 'tenant' });
    await Session2025.open(server, { token: 'alice' });
    await Session2025.open(server, { token: 'bob' });
    const shared = { principal: rates.principal, tenant: rates.principal, server: rates.tenant };
    const all = await wireServer({ ...guards(shared), isolation: 'shared' });
    await Session2025.open(all, { token: 'alice' });
    expect((await open2025(all, 'bob')).status).toBe(200);
  });

  it("are those of clients: what we ask a server ourselves is on nobody's account", async () => {
    const server = await wireServer(guards({ server: { instancesMax: 0 } }));
    expect('error' in (await server.endpoint.ready())).toBe(false);
    expectRefused(await open2025(server, 'alice'), 0);
  });
});

describe('the place of an instance', () => {
  it('is kept while it is started again, and free when its session ends', async () => {
    const server = await wireServer(guards({ tenant: { instancesMax: 1 } }));
    const alice = await Session2025.open(server, { token: 'alice' });
    server.upstream.newest.die();
    expectRefused(await open2025(server, 'bob'), 0);
    await alice.end().whole();
    expect((await open2025(server, 'bob')).status).toBe(200);
  });

  it('is free when it could not be started', async () => {
    const server = await wireServer(guards({ tenant: { instancesMax: 1 } }));
    await server.endpoint.ready();
    server.upstream.isBroken = true;
    const failed = await open2025(server, 'alice');
    expect(failed.text).toContain('-32010');
    server.upstream.isBroken = false;
    expect((await open2025(server, 'bob')).status).toBe(200);
  });

  it('is free when the credential is revoked', async () => {
    const server = await wireServer(guards({ tenant: { instancesMax: 1 } }));
    await Session2025.open(server, { token: 'alice' });
    server.endpoint.revoke(({ subject }) => subject === 'alice');
    expect((await open2025(server, 'bob')).status).toBe(200);
  });

  it('is free when a reload has replaced its server', async () => {
    const tenants = { instancesMax: 1 };
    const host = await policyHost({ rates: { tenant: tenants } }, { one: childOf() });
    const first = await caller2025(host, 'one', 'acme/ann');
    expect(first.isOpen).toBe(true);
    expect((await caller2025(host, 'one', 'acme/bob')).isOpen).toBe(false);
    host.gateway.reload({ ...host.config, servers: [{ ...childOf({ NEW: '1' }), name: 'one' }] });
    await eventually(
      async () => (await caller2025(host, 'one', 'acme/bob')).isOpen,
      'a place after the server before has ended',
    );
  });

  it('behind /all is taken at each server, for whoever called, and not by /all itself', async () => {
    const servers = {
      one: officeOf({}, { isolation: 'principal' }),
      two: officeOf({}, { isolation: 'principal' }),
    };
    const rates = { tenant: { instancesMax: 3 } };
    const host = await policyHost({ all: { servers: undefined }, rates }, servers);
    const ann = caller2026(host, 'all', 'acme/ann');
    const bob = caller2026(host, 'all', 'acme/bob');
    await eventually(async () => (await listed(ann, 'tools/list')).length === 8, 'both servers');
    await eventually(async () => (await listed(bob, 'tools/list')).length === 4, 'one server');
    const carl = caller2026(host, 'all', 'bolt/carl');
    await eventually(async () => (await listed(carl, 'tools/list')).length === 8, 'both servers');
    expect((await called(ann, 'two__wipe')).status).toBe(200);
  });
});
