import { expect, it } from 'vitest';
import type { Access } from '../core/access.ts';
import type { Refusal } from '../core/errors.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import type { Telemetry, Upstream, UpstreamEra, UpstreamEvents } from '../core/ports.ts';
import type { ServedEras } from '../core/protocol/classify.ts';
import { Message } from '../core/protocol/message.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { EraDiscovery } from './era-discovery.ts';
import { RestartBudget } from './restart-budget.ts';

type Known = ServedEras | Refusal;
type Context = ConstructorParameters<typeof EraDiscovery>[0];

const DISCOVERED = Message.result('1', '{"supportedVersions":["2026-07-28"]}');
const REFUSED = Message.error('1', '{"code":-32601,"message":"no"}');

interface Bench {
  readonly clock: VirtualClock;
  readonly discovery: EraDiscovery;
  readonly context: Context & { isDraining: boolean };
  readonly conversations: { readonly era: UpstreamEra; readonly events: UpstreamEvents }[];
  readonly told: Known[];
  readonly logged: string[];
}

/** A server that the test speaks for. */
function bench(more: Partial<Context> = {}): Bench {
  const clock = new VirtualClock();
  const conversations: Bench['conversations'] = [];
  const logged: string[] = [];
  const telemetry: Telemetry = {
    log: (level, event) => void logged.push(`${level} ${event}`),
    count: () => {},
    request: () => {},
    streamClosed: () => {},
  };
  const upstream: Upstream = {
    kind: 'stdio',
    name: 'quiet',
    connect: (era, events) => {
      conversations.push({ era, events });
      return { send: () => 'sent', close: () => {} };
    },
    close: () => Promise.resolve(),
  };
  const context: Bench['context'] = {
    upstream,
    clock,
    telemetry,
    name: 'quiet',
    random: { fraction: () => 0.5, sessionId: () => 'id' },
    limits: DEFAULT_LIMITS,
    access: undefined,
    isDraining: false,
    pool: {
      budget: new RestartBudget(DEFAULT_LIMITS, false),
      spoken: { legacy: true, modern: true, isComplete: true, failure: undefined },
    },
    ...more,
  };
  const told: Known[] = [];
  return { clock, discovery: new EraDiscovery(context), context, conversations, told, logged };
}

/** Both conversations that were begun last end before they are answered. */
function end({ conversations }: Bench, cause: 'exited' | 'start-failed' = 'exited'): void {
  conversations.at(-1)?.events.onClosed(cause, 'it is gone');
  conversations.at(-1)?.events.onClosed(cause, 'it is gone');
}

it('whoever asks before the first outcome is told of it, and everybody after that at once', () => {
  const { discovery, conversations, told, logged, clock } = bench();
  discovery.probe();
  discovery.whenKnown((known) => told.push(known));
  expect([told, discovery.known]).toEqual([[], undefined]);
  conversations[0]?.events.onMessage(DISCOVERED);
  conversations[1]?.events.onMessage(REFUSED);
  discovery.whenKnown((known) => told.push(known));
  expect(told).toHaveLength(2);
  expect(told[0]).toMatchObject({ legacy: true, modern: true });
  expect(told[1]).toBe(discovery.served);
  expect([logged, clock.pending]).toEqual([['info upstream_known'], 0]);
});

it('requests are refused while the server cannot be asked, and it is asked again by itself', () => {
  const quiet = bench();
  const { discovery, conversations, told, clock, logged } = quiet;
  discovery.probe();
  discovery.whenKnown((known) => told.push(known));
  end(quiet);
  expect(told).toEqual([{ error: 'UPSTREAM_UNAVAILABLE', detail: undefined }]);
  expect([discovery.served, discovery.known]).toEqual([undefined, told[0]]);
  clock.advance(0);
  end(quiet);
  expect(logged).toEqual(['error upstream_unreachable', 'error upstream_unreachable']);
  discovery.whenKnown((known) => told.push(known));
  expect(told).toEqual([discovery.known, discovery.known]);
  const asked = conversations.length;
  clock.advance(186);
  expect(conversations).toHaveLength(asked);
  clock.advance(2);
  conversations.at(-1)?.events.onMessage(DISCOVERED);
  conversations.at(-1)?.events.onMessage(REFUSED);
  expect(discovery.known).toMatchObject({ modern: true });
  expect(told).toHaveLength(2);
});

it('clients are told why the server cannot be reached only where they may know', () => {
  const open = bench({ tellsFaults: true });
  open.discovery.probe();
  end(open);
  expect(open.discovery.known).toEqual({
    error: 'UPSTREAM_UNAVAILABLE',
    detail: 'upstream unavailable: it is gone',
  });
});

it('a thousand requests wait, and one more is told that the server is busy', () => {
  const { discovery, told } = bench();
  discovery.probe();
  for (let i = 0; i < 1000; i += 1) discovery.whenKnown((known) => told.push(known));
  discovery.whenKnown((known) => told.push(known));
  expect(told).toEqual([{ error: 'UPSTREAM_BUSY' }]);
  discovery.stop();
  expect(told).toHaveLength(1001);
  expect(told.at(-1)).toEqual({ error: 'SHUTTING_DOWN' });
});

it('a handshake that could not be started is asked again, and what is known stays known', () => {
  const { discovery, conversations, clock, context, logged } = bench();
  discovery.probe();
  conversations[0]?.events.onClosed('start-failed', 'no such file');
  conversations[1]?.events.onMessage(Message.result('1', '{}'));
  expect(context.pool.spoken).toMatchObject({ legacy: true, modern: false });
  clock.advance(0);
  conversations.at(-1)?.events.onMessage(DISCOVERED);
  conversations.at(-1)?.events.onClosed('exited', 'it is gone');
  expect(context.pool.spoken).toMatchObject({ legacy: true, modern: true });
  expect(logged).toEqual(['info upstream_known', 'info upstream_known']);
  expect(clock.pending).toBe(0);
});

it('a retry asks at once where a probe is due, and leaves alone one that is under way', () => {
  const quiet = bench();
  const { discovery, conversations, clock } = quiet;
  discovery.probe();
  discovery.retry();
  expect(conversations).toHaveLength(1);
  end(quiet);
  clock.advance(0);
  end(quiet);
  const asked = conversations.length;
  discovery.retry();
  expect(conversations).toHaveLength(asked + 1);
  discovery.retry();
  clock.advance(2000);
  expect(conversations).toHaveLength(asked + 1);
  discovery.stop();
  expect(clock.pending).toBe(0);
});

it('nobody asks again after the end, nor by what was due before it', () => {
  const quiet = bench();
  quiet.discovery.probe();
  end(quiet);
  quiet.clock.advance(0);
  end(quiet);
  quiet.discovery.stop();
  expect([quiet.clock.pending, quiet.discovery.known]).toEqual([0, { error: 'SHUTTING_DOWN' }]);
});

it('an era that is known stays known when another probe does not find it', () => {
  const { discovery, conversations, clock, context } = bench();
  discovery.probe();
  conversations[0]?.events.onMessage(DISCOVERED);
  conversations[1]?.events.onClosed('start-failed', 'no such file');
  clock.advance(0);
  conversations.at(-1)?.events.onMessage(REFUSED);
  conversations.at(-1)?.events.onMessage(Message.result('1', '{}'));
  expect(context.pool.spoken).toMatchObject({ legacy: true, modern: true });
});

it('only what the operator wants served is served', () => {
  const { discovery, conversations } = bench({ eras: 'modern' });
  discovery.probe();
  conversations[0]?.events.onMessage(DISCOVERED);
  conversations[1]?.events.onMessage(REFUSED);
  expect(discovery.known).toMatchObject({ legacy: false, modern: true });
});

it('starts in vain are out of the budget of restarts, which an answer gives back', () => {
  const limits = { ...DEFAULT_LIMITS, restartsPerWindowMax: 2 };
  const pool = { ...bench().context.pool, budget: new RestartBudget(limits, false) };
  const quiet = bench({ pool });
  quiet.discovery.probe();
  end(quiet);
  quiet.clock.advance(0);
  quiet.conversations.at(-1)?.events.onMessage(DISCOVERED);
  quiet.conversations.at(-1)?.events.onMessage(REFUSED);
  pool.budget.died(0, false);
  expect(pool.budget.pauseMs(0)).toBe(0);
  const other = bench({ pool: { ...pool, budget: new RestartBudget(limits, false) } });
  other.discovery.probe();
  end(other);
  other.clock.advance(0);
  end(other);
  expect(other.context.pool.budget.pauseMs(0)).toBe(limits.restartPauseMs);
});

it('whoever runs a server that says nothing is told', () => {
  const { discovery, clock, logged } = bench();
  discovery.probe();
  clock.advance(10_000);
  expect(logged).toEqual(['warn upstream_silent']);
});

it('what its tools say is learned where verdicts need it', () => {
  const learned: unknown[] = [];
  const access: Access = {
    decide: () => ({ refusal: undefined, policies: [] }),
    filter: (_, answer) => answer,
    learn: (server, tools) => void learned.push([server, tools]),
  };
  const { discovery, conversations, clock } = bench({ access });
  discovery.probe();
  const about = '{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}';
  conversations[0]?.events.onMessage(Message.result('1', about));
  conversations[1]?.events.onMessage(REFUSED);
  expect(discovery.known).toBeUndefined();
  conversations[0]?.events.onMessage(Message.result('2', '{"tools":[{"name":"add"}]}'));
  expect(learned).toEqual([['quiet', [{ name: 'add' }]]]);
  expect([discovery.known, clock.pending]).toMatchObject([{}, 0]);
});

it('no tools are read where nobody needs them', () => {
  const { discovery, conversations } = bench();
  discovery.probe();
  const about = '{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}';
  conversations[0]?.events.onMessage(Message.result('1', about));
  conversations[1]?.events.onMessage(REFUSED);
  expect(discovery.known).toBeDefined();
});

it('nothing is learned while the endpoint drains', () => {
  const quiet = bench();
  quiet.discovery.probe();
  quiet.context.isDraining = true;
  end(quiet);
  expect([quiet.discovery.known, quiet.clock.pending]).toEqual([undefined, 0]);
});

it('what is known is no longer unknown when nobody asks any more', () => {
  const { discovery, conversations } = bench();
  discovery.probe();
  conversations[0]?.events.onMessage(DISCOVERED);
  conversations[1]?.events.onMessage(REFUSED);
  discovery.stop();
  expect(discovery.known).toMatchObject({ modern: true });
});
