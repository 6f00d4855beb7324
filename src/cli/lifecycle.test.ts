import { beforeEach, describe, expect, it } from 'vitest';
import { Lifecycle, type LifecycleParts } from './lifecycle.ts';

interface Log {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

let exits: number[];
let logs: Log[];
let timers: { delayMs: number; task: () => void }[];
let abandoned: number;
let now: number;
let closed: PromiseWithResolvers_;
let lifecycle: Lifecycle;

interface PromiseWithResolvers_ {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function withResolvers(): PromiseWithResolvers_ {
  let resolve = (): void => {};
  let reject = (_error: Error): void => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

beforeEach(() => {
  exits = [];
  logs = [];
  timers = [];
  abandoned = 0;
  now = 0;
  closed = withResolvers();
  lifecycle = lifecycleWith({});
});

function lifecycleWith(more: Partial<LifecycleParts>): Lifecycle {
  return new Lifecycle({
    close: () => closed.promise,
    abandon: () => {
      abandoned += 1;
      return Promise.resolve();
    },
    exit: (code) => exits.push(code),
    after: (delayMs, task) => {
      timers.push({ delayMs, task });
      return () => {};
    },
    now: () => now,
    drainMs: 20_000,
    telemetry: {
      log: (_level, event, fields) => logs.push({ event, fields }),
      count: () => {},
      request: () => {},
      streamClosed: () => {},
    },
    ...more,
  });
}

/** Lets what waits on settled promises run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Lifecycle', () => {
  it('drains on the first signal and exits 0 when all is closed', async () => {
    lifecycle.onSignal('SIGTERM');
    await settle();
    expect(exits).toEqual([]);
    closed.resolve();
    await settle();
    expect(exits).toEqual([0]);
    expect(logs.map((log) => log.event)).toEqual(['draining', 'stopped']);
  });

  it('stops at once on the second signal, children included', () => {
    lifecycle.onSignal('SIGINT');
    now = 400;
    lifecycle.onSignal('SIGINT');
    expect(exits).toEqual([1]);
    expect(abandoned).toBe(1);
    lifecycle.onSignal('SIGINT');
    expect(exits).toEqual([1]);
  });

  it.each(['second signal', 'drain that hangs'])(
    'writes what the record still has to say after a %s, and waits no longer than it may',
    async (what) => {
      const record = withResolvers();
      const recording = lifecycleWith({ closeRecord: () => record.promise });
      recording.onSignal('SIGTERM');
      now = 400;
      if (what === 'second signal') recording.onSignal('SIGTERM');
      else timers[0]!.task();
      await settle();
      expect(abandoned).toBe(1);
      expect(exits).toEqual([]);
      record.resolve();
      await settle();
      expect(exits).toEqual([1]);
      const stuck = lifecycleWith({ closeRecord: () => new Promise(() => {}) });
      stuck.onSignal('SIGTERM');
      now = 800;
      stuck.onSignal('SIGTERM');
      timers.at(-1)!.task();
      expect(exits).toEqual([1, 1]);
    },
  );

  it('takes one Ctrl-C that arrives twice for one', () => {
    lifecycle.onSignal('SIGINT');
    now = 20;
    lifecycle.onSignal('SIGINT');
    expect(exits).toEqual([]);
    expect(abandoned).toBe(0);
  });

  it('gives up on a drain that hangs past its window', () => {
    lifecycle.onSignal('SIGTERM');
    expect(timers[0]!.delayMs).toBeGreaterThan(20_000);
    expect(timers[0]!.delayMs).toBeLessThan(25_000);
    timers[0]!.task();
    expect(exits).toEqual([1]);
  });

  it('ends the children and fails when the drain itself breaks', async () => {
    lifecycle.onSignal('SIGTERM');
    closed.reject(new Error('broken'));
    await settle();
    expect(abandoned).toBe(1);
    expect(exits).toEqual([1]);
  });

  it('logs where a fault happened and never its message, which may quote a client', async () => {
    let fault: unknown;
    try {
      JSON.parse('{"token": canary');
    } catch (error) {
      fault = error;
    }
    lifecycle.onFault('uncaughtException', fault);
    await settle();
    expect(exits).toEqual([1]);
    expect(abandoned).toBe(1);
    expect(logs[0]).toMatchObject({ event: 'internal_fault', fields: { error: 'SyntaxError' } });
    expect(JSON.stringify(logs)).toContain('lifecycle.test');
    expect(JSON.stringify(logs)).not.toContain('canary');
  });

  it('does not wait for children that do not end after a fault', () => {
    const stuck = new Lifecycle({
      close: () => Promise.resolve(),
      abandon: () => new Promise(() => {}),
      exit: (code) => exits.push(code),
      after: (_delayMs, task) => {
        task();
        return () => {};
      },
      now: () => now,
      drainMs: 1,
      telemetry: { log: () => {}, count: () => {}, request: () => {}, streamClosed: () => {} },
    });
    stuck.onFault('uncaughtException', 'thrown text');
    expect(exits).toEqual([1]);
  });
});
