/**
 * Gates, policies, records and the like of whoever embeds us, where they fail for one client: it is
 * refused in every era, its neighbour notices nothing, and nothing is left of it.
 */
import { describe, expect, it } from 'vitest';
import type { EndpointOptions } from 'tidegate';
import type { Gate, Holding, Visitor } from '../../src/core/gate.ts';
import type { LogFields, Principal } from '../../src/core/ports.ts';
import { credentials } from '../trust/credentials.ts';
import { callNow as callNow2026, listenTo } from './client-2026.ts';
import { callNow, Session2024, Session2025 } from './conversation.ts';
import { modernServer } from './modern-server.ts';

/** How a method goes wrong that was to return something, or to call back. */
type Failing = (...given: readonly unknown[]) => unknown;

const MODES: readonly (readonly [mode: string, fail: Failing])[] = [
  [
    'throws',
    () => {
      throw new Error('a secret');
    },
  ],
  ['rejects', async () => Promise.reject(new Error('a secret'))],
  ['is garbage', () => ({ nonsense: 1 })],
];
/** Of methods whose result says nothing. */
const SILENT_MODES = MODES.slice(0, 2);

class Places {
  readonly held = new Map<Holding, number>();
  isFailing = false;
  readonly #method: keyof Gate | undefined;
  readonly #fail: Failing;

  constructor(method?: keyof Gate, fail: Failing = () => {}) {
    this.#method = method;
    this.#fail = fail;
  }

  get gate(): Gate {
    const good: Gate = {
      arrive: (_address, done) => done(undefined),
      enter: (_visitor, done) => done(undefined),
      open: (_visitor, done) => done(undefined),
      spend: () => {},
      take: (_visitor, holding) => this.#count(holding, 1),
      full: () => undefined,
      hasPlace: () => true,
      giveBack: (_visitor, holding) => this.#count(holding, -1),
    };
    const method = this.#method;
    if (method === undefined) return good;
    const work = good[method] as Failing;
    const failing: Failing = (visitor, ...rest) => {
      const isMeant = this.isFailing && isAlice((visitor as Visitor).principal);
      return isMeant ? this.#fail(visitor, ...rest) : work(visitor, ...rest);
    };
    return { ...good, [method]: failing };
  }

  /** Places that nobody gave back. */
  get left(): number {
    return [...this.held.values()].reduce((sum, each) => sum + each, 0);
  }

  #count(holding: Holding, by: number): undefined {
    this.held.set(holding, (this.held.get(holding) ?? 0) + by);
  }
}

function isAlice(principal: Principal | undefined): boolean {
  return principal?.subject === 'alice';
}

interface Case {
  readonly name: string;
  readonly port: string;
  readonly options: (isFailing: () => boolean) => Partial<EndpointOptions>;
  /** Statuses of a call of 2025, 2024 and 2026. */
  readonly statuses: readonly number[];
}

function cases(): readonly Case[] {
  const all: Case[] = [];
  const add = (name: string, port: string, status: number, options: Case['options']): void => {
    all.push({ name, port, options, statuses: [status, status, status] });
  };
  for (const [mode, fail] of MODES) {
    add(`access.decide ${mode}`, 'access', 500, (isFailing) => ({
      access: {
        decide: (request) => {
          if (isFailing() && isAlice(request.principal)) return fail() as never;
          return { refusal: undefined, policies: [] };
        },
        filter: (_request, answer) => answer,
      },
    }));
    add(`serves ${mode}`, 'serves', 500, (isFailing) => ({
      serves: (principal) => (isFailing() && isAlice(principal) ? (fail() as boolean) : true),
    }));
    const identity = credentials();
    add(`identity.verify ${mode}`, 'identity', 500, (isFailing) => ({
      identity: {
        verify: (head, done) => {
          if (!isFailing() || head.header('authorization') !== 'Bearer alice') {
            return identity.verify(head, done);
          }
          const left = fail();
          return mode === 'is garbage' ? done(left as never) : (left as undefined);
        },
      },
    }));
  }
  return all;
}

interface Told {
  readonly telemetry: NonNullable<EndpointOptions['telemetry']>;
  readonly errors: [event: string, fields: LogFields][];
}

function toldOf(): Told {
  const errors: Told['errors'] = [];
  return {
    errors,
    telemetry: {
      log: (level, event, fields) => void (level === 'error' && errors.push([event, fields])),
      count() {},
      request() {},
      streamClosed() {},
    },
  };
}

const ALICE = { token: 'alice' };
const BOB = { token: 'bob' };

describe.each(cases())('$name', ({ port, options, statuses }) => {
  it('refuses its client in every era, and nobody else', async () => {
    let isFailing = false;
    const places = new Places();
    const { telemetry, errors } = toldOf();
    const given = options(() => isFailing);
    const { server } = await modernServer({
      identity: credentials(),
      gate: places.gate,
      telemetry,
      ...given,
    });
    const alice = await Session2025.open(server, ALICE);
    const bob = await Session2025.open(server, BOB);
    const old = await Session2024.initialized(server, ALICE);
    isFailing = true;
    const refused = [
      await alice.post(callNow(1)).whole(),
      await old.post(callNow(1)).whole(),
      await server.fetch(callNow2026(1, ALICE)),
    ];
    expect(refused.map(({ status }) => status)).toEqual(statuses);
    for (const { text } of refused) expect(text).toMatch(/"error":\{"code":-32\d+,"message":"/);
    const listen = await server.fetch(listenTo(2, { toolsListChanged: true }, ALICE));
    expect(listen.status).toBe(500);
    expect((await bob.post(callNow(1)).whole()).text).toContain('"now"');
    expect((await server.fetch(callNow2026(1, BOB))).text).toContain('"now"');
    isFailing = false;
    expect((await alice.post(callNow(3)).whole()).text).toContain('"now"');
    expect(server.upstream.calls).toEqual([]);
    expect(errors.map(([event]) => event)).toContain(`${port}_failed`);
    expect(errors.length).toBeLessThanOrEqual(2);
    expect(JSON.stringify(errors)).not.toContain('a secret');
    await server.endpoint.drain(0);
    expect(server.endpoint.status).toMatchObject({ sessions: 0, streams: 0, pending: 0 });
    expect(places.left).toBe(0);
  });
});

describe.each([
  ['enter', [500, 500, 500]],
  ['take', [500, 500, 500]],
  ['open', [200, 202, 200]],
  ['full', [200, 202, 200]],
] as const)('a gate that fails in %s', (method, statuses) => {
  it.each(MODES)('refuses its client and nobody else where it %s', async (mode, fail) => {
    const asked = method === 'enter' || method === 'open';
    const failing: Failing = (_visitor, done) => {
      const left = fail();
      return asked && mode === 'is garbage' ? (done as Failing)(left) : left;
    };
    const places = new Places(method, failing);
    const { telemetry, errors } = toldOf();
    const { server } = await modernServer({
      identity: credentials(),
      gate: places.gate,
      telemetry,
    });
    const alice = await Session2025.open(server, ALICE);
    const bob = await Session2025.open(server, BOB);
    const old = await Session2024.initialized(server, ALICE);
    places.isFailing = true;
    const replies = [
      await alice.post(callNow(1)).whole(),
      await old.post(callNow(1)).whole(),
      await server.fetch(callNow2026(1, ALICE)),
    ];
    expect(replies.map(({ status }) => status)).toEqual(statuses);
    if (method !== 'take') expect((await alice.listen().whole()).status).toBe(500);
    const sse = {
      path: '/sse',
      headers: { accept: 'text/event-stream', authorization: 'Bearer alice' },
    };
    expect((await server.fetch(sse)).status).toBe(500);
    expect((await bob.post(callNow(1)).whole()).text).toContain('"now"');
    places.isFailing = false;
    expect((await alice.post(callNow(3)).whole()).text).toContain('"now"');
    expect(errors.map(([event]) => event)).toContain('gate_failed');
    expect(errors.length).toBeLessThanOrEqual(2);
    await server.endpoint.drain(0);
    expect(server.endpoint.status).toMatchObject({ sessions: 0, streams: 0, pending: 0 });
    expect(places.left).toBe(0);
  });
});

describe.each(['spend', 'giveBack'] as const)('a gate that fails in %s', (method) => {
  it.each(SILENT_MODES)("is nobody's loss where it %s", async (_, fail) => {
    const places = new Places(method, fail);
    const { telemetry, errors } = toldOf();
    const { server } = await modernServer({
      identity: credentials(),
      gate: places.gate,
      telemetry,
    });
    places.isFailing = true;
    const alice = await Session2025.open(server, ALICE);
    expect((await alice.post(callNow(1)).whole()).text).toContain('"now"');
    expect((await server.fetch(callNow2026(1, ALICE))).text).toContain('"now"');
    expect((await alice.end().whole()).status).toBe(204);
    expect(errors).toHaveLength(1);
    await server.endpoint.drain(0);
    expect(server.endpoint.status).toMatchObject({ sessions: 0, streams: 0, pending: 0 });
  });
});

describe.each(SILENT_MODES)('a record that %s', (_, fail) => {
  it('answers what was done, and has nothing more done until it takes it', async () => {
    let isFailing = false;
    const taken: string[] = [];
    const { telemetry, errors } = toldOf();
    const audit: EndpointOptions['audit'] = {
      fault: () => undefined,
      record: (entry) => {
        if (isFailing) return fail() as undefined;
        if (entry.event === 'call') taken.push(`${entry.method}`);
      },
    };
    const { server } = await modernServer({ identity: credentials(), audit, telemetry });
    const alice = await Session2025.open(server, ALICE);
    isFailing = true;
    expect((await alice.post(callNow(1)).whole()).text).toContain('"now"');
    const refused = await alice.post(callNow(2)).whole();
    expect([refused.status, refused.text]).toEqual([503, expect.stringContaining('-32004')]);
    expect((await server.fetch(callNow2026(1, BOB))).status).toBe(503);
    expect((await server.fetch({ path: '/readyz' })).status).toBe(503);
    isFailing = false;
    // Whoever asks has it tried again, and a record that takes its time has taken it by the next.
    await server.fetch({ path: '/readyz' });
    expect((await server.fetch({ path: '/readyz' })).status).toBe(200);
    expect((await alice.post(callNow(3)).whole()).text).toContain('"now"');
    expect(taken).toEqual(['initialize', 'undefined', 'tools/call']);
    expect(errors.map(([event]) => event)).toEqual(['audit_failed']);
  });
});

describe.each(MODES)('the filter of policies that %s', (_, fail) => {
  it('shows nothing of what it was to look at', async () => {
    const access: EndpointOptions['access'] = {
      decide: () => ({ refusal: undefined, policies: [] }),
      filter: (request, answer) => (isAlice(request.principal) ? (fail() as never) : answer),
    };
    const { server } = await modernServer({ identity: credentials(), access });
    const bob = await Session2025.open(server, BOB);
    expect((await bob.post(callNow(1)).whole()).text).toContain('"now"');
    const hidden = await server.fetch(callNow2026(1, ALICE));
    expect(hidden.text).toContain('"code":-32603');
    expect(hidden.text).not.toContain('"now"');
    await server.endpoint.drain(0);
    expect(server.endpoint.status).toMatchObject({ sessions: 0, streams: 0, pending: 0 });
  });
});
