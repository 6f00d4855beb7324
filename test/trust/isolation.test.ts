/**
 * A hundred clients of ten tenants, of all eras at once, who all use the same ids, while
 * connections are cut, servers die, trust is revoked and configs are loaded anew. Every payload
 * says whose it is; nobody may see one of another.
 *
 * Bounded by count. `TIDEGATE_ISOLATION_SECONDS` makes it run for that long instead, and
 * `TIDEGATE_SEED` repeats a run.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createGateway } from 'tidegate/gateway';
import { serve } from 'tidegate/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/server/endpoint.ts';
import type { Identity } from '../../src/core/ports.ts';
import { principalOf } from '../../src/core/principal.ts';
import { canaryOf } from '../../src/testing/canary.ts';
import { SeededRandom } from '../../src/testing/seeded-random.ts';
import { configOf, serverOf } from '../gateway/gateway-host.ts';
import { ROOT } from '../source-files.ts';
import { HandUpstream } from '../wire/hand-upstream.ts';
import { modernServer } from '../wire/modern-server.ts';
import { eventually } from '../wire/signal.ts';
import type { Json, WireReply, WireRequest } from '../wire/wire-reply.ts';
import { WireServer } from '../wire/wire-server.ts';
import { type Client, clientOf, leaksTo, senderOf } from './isolation-clients.ts';

const TENANTS = 10;
const CLIENTS = 100;
const ROUNDS = 12;
const ERAS = ['2024', '2025', '2026'] as const;
const SECONDS = Number(process.env['TIDEGATE_ISOLATION_SECONDS'] ?? 0);
const SEED = Number(process.env['TIDEGATE_SEED'] ?? 1);
const TEST_MS_MAX = 120_000 + SECONDS * 1000;
/** Milliseconds in which a server that died again and again is started again. */
const SETTLE_MS_MAX = 60_000;
/** Milliseconds between two looks of a server that answers by itself. */
const PUMP_MS = 2;

/** `<tenant>-<subject>`: every tenant has people of the same names. */
function tenants(): Identity {
  return {
    verify(head, done) {
      const token = /^Bearer (t\d+)-(c\d+)$/.exec(head.header('authorization') ?? '');
      const [, tenant = '', subject = ''] = token ?? [];
      const parts = { tenant, issuer: 'i', subject, clientId: 'c' };
      if (token === null) done({ kind: 'refused', refusal: { error: 'UNAUTHORIZED' } });
      else done({ kind: 'principal', principal: principalOf(parts) });
    },
  };
}

/** What a call of a server in the test's hand has in common, whatever its era. */
interface Answerable {
  readonly params: Json;
  readonly connection: object;
  say(text: string): void;
}

/** Answers whatever comes with what it said, and tells on which conversation whose calls came. */
class Pump {
  readonly tenantsOf = new Map<object, Set<string>>();
  readonly #timer: NodeJS.Timeout;
  #done = 0;
  #doneLegacy = 0;

  constructor(
    calls: readonly Answerable[],
    legacy: readonly Answerable[],
    answer: (call: Answerable) => void,
  ) {
    this.#timer = setInterval(() => {
      for (; this.#done < calls.length; this.#done += 1) this.#see(calls[this.#done], answer);
      for (; this.#doneLegacy < legacy.length; this.#doneLegacy += 1) {
        this.#see(legacy[this.#doneLegacy], answer);
      }
    }, PUMP_MS);
    onTestFinished(() => clearInterval(this.#timer));
  }

  #see(call: Answerable | undefined, answer: (call: Answerable) => void): void {
    if (call === undefined) return;
    const [tenant = ''] = senderOf(call.params).split('-');
    const seen = this.tenantsOf.get(call.connection) ?? new Set();
    this.tenantsOf.set(call.connection, seen.add(tenant));
    answer(call);
  }
}

function echo(call: Answerable): void {
  call.say(JSON.stringify(call.params['arguments']));
}

async function hundred(server: WireServer): Promise<readonly Client[]> {
  return Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => {
      const name = `t${i % TENANTS}-c${Math.floor(i / TENANTS)}`;
      return clientOf(server, ERAS[i % ERAS.length] ?? '2025', name);
    }),
  );
}

/** Everybody calls, some stumble, and now and then something breaks. */
async function live(
  clients: readonly Client[],
  random: SeededRandom,
  breakSomething: () => void,
): Promise<number> {
  const end = performance.now() + SECONDS * 1000;
  let calls = 0;
  for (let round = 0; round < ROUNDS || performance.now() < end; round += 1) {
    const acts = clients.map(async (client) => {
      if (random.fraction() < 0.15) await client.stumble();
      await client.call(round);
    });
    breakSomething();
    await Promise.all(acts);
    calls += acts.length;
  }
  return calls;
}

/** Nothing breaks any more: everybody hears of a call of his own. */
async function settle(clients: readonly Client[]): Promise<void> {
  const last = 1_000_000;
  await Promise.all(
    clients.map(async (client) => {
      // The first may tell a client only that its session is gone, or that its server is started
      // again in a while.
      const endsAt = Date.now() + SETTLE_MS_MAX;
      while (!client.heard().includes(canaryOf(client.name, last))) {
        if (Date.now() > endsAt) throw new Error(`Waited in vain for ${client.name}.`);
        await client.call(last);
        await delay(20);
      }
    }),
  );
}

function leaksOf(clients: readonly Client[]): readonly string[] {
  return clients.flatMap((each) => leaksTo(each).map((owner) => `${each.name} saw ${owner}`));
}

describe.each(['shared', 'tenant', 'principal'] as const)('with isolation %s', (isolation) => {
  it(
    `V22 V25 V26 nobody sees a byte of another while everything breaks (seed ${SEED})`,
    { timeout: TEST_MS_MAX },
    async () => {
      const random = new SeededRandom(SEED);
      const { server, upstream } = await modernServer({ isolation, identity: tenants() });
      const pump = new Pump(upstream.calls, upstream.legacy.calls, echo);
      const clients = await hundred(server);
      let deaths = 0;
      const calls = await live(clients, random, () => {
        const subject = `c${Math.floor(random.fraction() * TENANTS)}`;
        server.endpoint.revoke((principal) => principal.subject === subject);
        const open = [...upstream.legacy.open, ...upstream.connections.filter((c) => !c.isOver)];
        // One that dies all the time is not started again at once, and then serves nobody.
        if (isolation !== 'shared' || deaths < 3) {
          deaths += 1;
          open[Math.floor(random.fraction() * open.length)]?.die();
        }
      });
      await settle(clients);
      expect(leaksOf(clients)).toEqual([]);
      expect(calls).toBeGreaterThanOrEqual(CLIENTS * ROUNDS);
      const shares = [...pump.tenantsOf.values()].map(({ size }) => size);
      if (isolation === 'shared') expect(Math.max(...shares)).toBe(TENANTS);
      else expect(Math.max(...shares)).toBe(1);
    },
  );
});

class GatewayDoor extends WireServer {
  override send(request: WireRequest): WireReply {
    const { path } = request;
    return super.send({ ...request, path: path.startsWith('/files/') ? path : `/files${path}` });
  }
}

it(
  `V26 nobody sees a byte of another while configs are loaded anew (seed ${SEED})`,
  { timeout: TEST_MS_MAX },
  async () => {
    const random = new SeededRandom(SEED);
    const path = join(ROOT, 'test/fixtures/gateway/echoing.mjs');
    const source = { kind: 'module', path, exportName: 'buildServer' } as const;
    let reloads = 0;
    const config = (): ReturnType<typeof configOf> =>
      configOf({
        files: serverOf(source, {
          isolation: 'tenant',
          limits: { pendingPerOwnerMax: 200 + (reloads % 2) },
        }),
      });
    const gateway = createGateway(config(), { identity: tenants() });
    const served = await serve(gateway, { port: 0, drainMs: 0 });
    const endpoint = undefined as unknown as Endpoint;
    const server = new GatewayDoor(served.port, new HandUpstream(), endpoint, () => served.close());
    onTestFinished(() => server.close());
    const clients = await hundred(server);
    await live(clients, random, () => {
      reloads += 1;
      expect(gateway.reload(config())).toMatchObject({ kind: 'applied', changed: ['files'] });
      gateway.revoke({ subjects: ['c3'] });
      gateway.reinstate({ subjects: ['c3'] });
    });
    await settle(clients);
    expect(leaksOf(clients)).toEqual([]);
  },
);

it('a server that answers with the words of another is caught', async () => {
  const { server, upstream } = await modernServer({ isolation: 'shared', identity: tenants() });
  let before = '';
  new Pump(upstream.calls, upstream.legacy.calls, (call) => {
    const own = JSON.stringify(call.params['arguments']);
    call.say(before);
    before = own;
  });
  const clients = await Promise.all(ERAS.map((era, i) => clientOf(server, era, `t${i}-c0`)));
  for (let round = 0; round < 2; round += 1) {
    await Promise.all(clients.map((client) => client.call(round)));
  }
  await eventually(() => leaksOf(clients).length > 0, 'a leak that was made on purpose');
});
