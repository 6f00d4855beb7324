import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Holdings } from '../adapters/gate/holdings.ts';
import type { RateRules, Rates } from '../adapters/gate/rate-rules.ts';
import { aesSeal } from '../adapters/system/aes-seal.ts';
import { silent } from '../adapters/telemetry/silent.ts';
import type { Refusal } from '../core/errors.ts';
import type { Account, Gate, Holding, Visitor } from '../core/gate.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import type { Principal, Upstream, UpstreamConnection, UpstreamEvents } from '../core/ports.ts';
import { principalOf } from '../core/principal.ts';
import { Message } from '../core/protocol/message.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { InstancePool } from './instance-pool.ts';
import type { CallOwner, UpstreamCall } from './upstream-call.ts';
import { InstancePlaces, type Isolation } from './instance-places.ts';
import type { LegacyMember, LegacyUpstream } from './legacy-upstream.ts';
import type { ModernUpstream } from './modern-upstream.ts';
import { Ticker } from './ticker.ts';

const BOUND: RateRules = { instancesMax: 2 };
const RATES: Rates = {
  address: { instancesMax: 3 },
  principal: BOUND,
  tenant: { instancesMax: 3 },
  server: { instancesMax: 5 },
};

/** Counts as the adapter does, and says no without saying when. */
class PlaceGate implements Gate {
  readonly holdings = new Holdings(RATES);
  refused = 0;

  take(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): Refusal | undefined {
    if (this.holdings.take(visitor, holding, accounts) === undefined) return undefined;
    this.refused += 1;
    return { error: 'TOO_MANY_INSTANCES' };
  }

  hasPlace(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): boolean {
    return this.holdings.full(visitor, holding, accounts) === undefined;
  }

  giveBack(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): void {
    this.holdings.giveBack(visitor, holding, accounts);
  }

  arrive(): void {}
  enter(): void {}
  open(): void {}
  spend(): void {}
  full(): undefined {}
}

interface Live {
  readonly caller: Principal | undefined;
  readonly tenant: string | undefined;
  die(): void;
}

/** Answers handshakes a millisecond later, and nothing else. */
class ShyUpstream implements Upstream {
  readonly kind = 'stdio';
  readonly name = 'shy';
  readonly live = new Set<Live>();
  failsToStart = false;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  connect(
    _era: string,
    events: UpstreamEvents,
    caller?: Principal,
    tenant?: string,
  ): UpstreamConnection {
    const end = (cause: 'exited' | 'start-failed' | 'closed'): void => {
      if (this.live.delete(live)) events.onClosed(cause, 'it ended');
    };
    const live: Live = { caller, tenant, die: () => end('exited') };
    this.live.add(live);
    if (this.failsToStart) this.#clock.after(0, () => end('start-failed'));
    const answer = (message: Message): void => {
      const result = RESULTS[message.method ?? ''];
      if (result === undefined || !this.live.has(live)) return;
      events.onMessage(Message.result(message.id ?? 'null', JSON.stringify(result)));
    };
    return {
      send: (message) => {
        if (message.kind === 'request') this.#clock.after(1, () => answer(message));
        return 'sent';
      },
      close: () => end('closed'),
    };
  }

  close(): Promise<void> {
    for (const each of this.live) each.die();
    return Promise.resolve();
  }
}

const RESULTS: Readonly<Record<string, object>> = {
  initialize: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {} },
  'server/discover': { supportedVersions: ['2026-07-28'], capabilities: {} },
};

/** Three people of two tenants, at two addresses. */
const VISITORS: readonly Visitor[] = (
  [
    ['a', 'ann', '192.0.2.1'],
    ['a', 'bob', '192.0.2.1'],
    ['b', 'ann', '192.0.2.2'],
  ] as const
).map(([tenant, subject, address]) => ({
  address,
  principal: principalOf({ tenant, issuer: 'i', subject, clientId: '' }),
  server: 'files',
}));

/** What clients declare decides which of them share an upstream session across eras. */
const DECLARED = ['{}', '{"elicitation":{}}', '{"sampling":{}}'];

function modernRequest(declared: number): Message {
  const meta = `{"io.modelcontextprotocol/clientCapabilities":${DECLARED[declared] ?? '{}'}}`;
  return Message.request('1', 'resources/read', `{"uri":"a:b","_meta":${meta}}`);
}

const OWNER: CallOwner = { answered() {}, lost() {}, related() {}, closeStream() {} };

function member(): LegacyMember {
  return {
    principal: principalOf({ tenant: 't', issuer: 'i', subject: 's', clientId: 'c' }),
    subscribed: new Set(),
    logLevel: undefined,
    initializeParams: '{}',
    isListening: false,
    canAnswer: () => true,
    unrelated() {},
    question() {},
  };
}

type Step =
  | { readonly do: 'open' | 'leave' | 'die'; readonly which: number }
  | { readonly do: 'call'; readonly which: number; readonly declared: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'cancel' | 'break' };

const STEPS: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('open' as const), which: fc.nat(2) }),
  fc.record({ do: fc.constantFrom('leave' as const, 'die' as const), which: fc.nat(9) }),
  fc.record({ do: fc.constant('call' as const), which: fc.nat(2), declared: fc.nat(2) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 1000, 40_000, 400_000) }),
  fc.record({ do: fc.constantFrom('cancel' as const, 'break' as const) }),
);

const IDLE_MS = 300_000;
const LIMITS = { ...DEFAULT_LIMITS, sharedIdleMs: IDLE_MS, upstreamIdleMs: IDLE_MS };

interface Spoken {
  readonly legacy: boolean;
  readonly modern: boolean;
}

/** One endpoint's pool, its clients, and what may be seen of both. */
class Scene {
  readonly gate = new PlaceGate();
  readonly clock = new VirtualClock();
  readonly upstream = new ShyUpstream(this.clock);
  readonly pool: InstancePool;
  readonly #sessions: [LegacyUpstream, LegacyMember][] = [];
  readonly #calls: [ModernUpstream, UpstreamCall][] = [];

  constructor(isolation: Isolation, spoken: Spoken) {
    const { clock, upstream, gate } = this;
    const random = { sessionId: () => '', fraction: () => 0.5 };
    const ports = { upstream, clock, random, telemetry: silent, limits: LIMITS };
    const ticker = new Ticker(clock);
    this.pool = new InstancePool({ ...ports, seal: aesSeal(), gate }, isolation, ticker);
    this.pool.spoken = { ...spoken, isComplete: true, failure: undefined };
  }

  take(step: Step): void {
    switch (step.do) {
      case 'open':
        this.#open(visitorOf(step.which));
        return;
      case 'leave':
        this.#leave(step.which % Math.max(1, this.#sessions.length));
        return;
      case 'die':
        [...this.upstream.live][step.which]?.die();
        return;
      case 'call': {
        const message = modernRequest(step.declared);
        const upstream = this.pool.modern(visitorOf(step.which), message);
        if ('error' in upstream || upstream.isDown) return;
        const envelope = { version: '2026-07-28', logLevel: undefined };
        const call = upstream.request(OWNER, message, envelope);
        if (!('error' in call)) this.#calls.push([upstream, call]);
        return;
      }
      case 'cancel': {
        const [upstream, call] = this.#calls.pop() ?? [];
        if (call !== undefined) upstream?.cancel(call, 'not needed');
        return;
      }
      case 'pass':
        this.pass(step.ms);
        return;
      default:
        this.upstream.failsToStart = !this.upstream.failsToStart;
    }
  }

  pass(ms: number): void {
    this.clock.advance(ms);
    this.pool.expire(this.clock.now());
  }

  leaveAll(): void {
    while (this.#sessions.length > 0) this.#leave(0);
  }

  #open(visitor: Visitor): void {
    const upstream = this.pool.legacy(visitor);
    if ('error' in upstream) return;
    const who = member();
    upstream.join(who);
    this.#sessions.push([upstream, who]);
    upstream.initialize('2025-11-25', () => {});
  }

  #leave(at: number): void {
    const [session] = this.#sessions.splice(at, 1);
    session?.[0].leave(session[1]);
  }
}

function visitorOf(which: number): Visitor {
  return VISITORS[which] as Visitor;
}

/** What runs for each account is never more than it may have. */
function checkBounds({ upstream, gate, pool }: Scene): void {
  const live = [...upstream.live];
  expect(live.length).toBeLessThanOrEqual(5);
  expect(pool.size).toBeGreaterThanOrEqual(live.length);
  for (const { principal } of VISITORS) {
    const ofTenant = live.filter(({ tenant }) => tenant === principal.tenant);
    const own = live.filter(({ caller }) => caller?.key === principal.key);
    expect(ofTenant.length).toBeLessThanOrEqual(3);
    expect(own.length).toBeLessThanOrEqual(2);
  }
  if (pool.size === 0) expect(gate.holdings.size).toBe(0);
}

const ISOLATIONS: readonly Isolation[] = ['session', 'principal', 'tenant', 'shared'];
const SPOKEN: readonly Spoken[] = [
  { legacy: true, modern: true },
  { legacy: true, modern: false },
  { legacy: false, modern: true },
];

describe('places of instances', () => {
  it.each(ISOLATIONS.flatMap((isolation) => SPOKEN.map((spoken) => ({ isolation, ...spoken }))))(
    'are never more than the bound and never lost: $isolation, legacy $legacy, modern $modern',
    ({ isolation, ...spoken }) => {
      fc.assert(
        fc.property(fc.array(STEPS, { maxLength: 60 }), fc.boolean(), (steps, isClosed) => {
          const scene = new Scene(isolation, spoken);
          for (const step of steps) {
            scene.take(step);
            checkBounds(scene);
          }
          // Either everybody goes and it is quiet for long, or the endpoint ends as it is.
          if (isClosed) scene.pool.close();
          else {
            scene.leaveAll();
            for (let i = 0; i < 4; i += 1) scene.pass(Math.max(IDLE_MS, LIMITS.callMsMax));
          }
          expect(scene.pool.size).toBe(0);
          expect(scene.gate.holdings.size).toBe(0);
          expect(scene.upstream.live.size).toBe(0);
        }),
        { numRuns: 150 },
      );
    },
  );

  it.each([
    ['session', true, 3],
    ['session', false, 2],
    ['principal', false, 2],
    ['tenant', false, 3],
    ['shared', false, 5],
  ] as const)('with isolation %s, own %s: one visitor has %d', (isolation, isOwn, most) => {
    const gate = new PlaceGate();
    const places = new InstancePlaces(gate, 100, isolation);
    // Another person each time, but for the bound on one: all of one tenant, at one address.
    const taken = Array.from({ length: 8 }, (_, i) => {
      const subject = most === 2 ? 'ann' : `ann${i}`;
      const principal = principalOf({ tenant: 'a', issuer: 'i', subject, clientId: '' });
      return places.take({ address: '192.0.2.1', principal, server: 'files' }, isOwn);
    });
    expect(taken.filter((place) => !('error' in place))).toHaveLength(most);
  });

  it("are the address's where an instance is one session's, and only there", () => {
    const gate = new PlaceGate();
    const at = (tenant: string): Visitor => ({
      address: '192.0.2.1',
      principal: principalOf({ tenant, issuer: 'i', subject: 'ann', clientId: '' }),
      server: 'files',
    });
    const places = new InstancePlaces(gate, 100, 'session');
    const own = ['a', 'b', 'c', 'd'].map((tenant) => places.take(at(tenant), true));
    expect(own.map((place) => 'error' in place)).toEqual([false, false, false, true]);
    expect('error' in places.take(at('d'))).toBe(false);
  });

  it('are given back once, however often it is said', () => {
    const gate = new PlaceGate();
    const places = new InstancePlaces(gate, 1, 'principal');
    const place = places.take(visitorOf(0));
    expect(places.take(visitorOf(1))).toEqual({ error: 'UPSTREAM_BUSY' });
    expect(places.hasRoom(visitorOf(1))).toBe(false);
    if ('error' in place) throw new Error('There was a place.');
    place.giveBack();
    place.giveBack();
    expect(places.taken).toBe(0);
    expect(gate.holdings.size).toBe(0);
  });

  it('across eras are given back by a session that is not started again', () => {
    const scene = new Scene('principal', { legacy: true, modern: false });
    const call = (): void => scene.take({ do: 'call', which: 0, declared: 1 });
    call();
    scene.pass(10);
    // What was given up may still be spoken of: the next call is given a session of its own.
    scene.take({ do: 'cancel' });
    call();
    scene.clock.advance(10);
    expect(scene.pool.size).toBe(2);
    scene.take({ do: 'die', which: 1 });
    expect(scene.pool.size).toBe(1);
    scene.take({ do: 'die', which: 0 });
    expect(scene.pool.size).toBe(1);
  });

  it('are given back by an idle instance, whatever waits across eras at its key', () => {
    const scene = new Scene('principal', { legacy: true, modern: false });
    scene.take({ do: 'call', which: 0, declared: 0 });
    scene.pass(10);
    // It could not be started when it was asked what it speaks, and was asked again.
    scene.pool.spoken = { ...scene.pool.spoken, modern: true };
    expect('error' in scene.pool.modern(visitorOf(0), modernRequest(0))).toBe(false);
    expect(scene.pool.size).toBe(2);
    scene.pass(IDLE_MS);
    expect(scene.pool.size).toBe(1);
    scene.take({ do: 'cancel' });
    scene.pass(IDLE_MS);
    scene.pass(IDLE_MS);
    expect(scene.pool.size).toBe(0);
  });

  it('across eras are made by the idle session of one client for another', () => {
    const scene = new Scene('principal', { legacy: true, modern: false });
    const ask = (declared: number): boolean =>
      'error' in scene.pool.modern(visitorOf(0), modernRequest(declared));
    expect([ask(0), ask(1), ask(2)]).toEqual([false, false, false]);
    expect(scene.pool.size).toBe(2);
    expect(scene.gate.refused).toBe(0);
  });
});
