import { expect, it } from 'vitest';
import { guardedSight, guardedTelemetry } from './guarded-telemetry.ts';
import type { Telemetry } from './ports.ts';

type Said = readonly unknown[];

/** Notes what it is told, and fails in the methods that are named. */
function telemetryOf(fail: () => unknown, failing: readonly string[]): [Telemetry, Said[]] {
  const said: Said[] = [];
  const method =
    (name: string) =>
    (...all: unknown[]): unknown => {
      said.push([name, ...all]);
      return failing.includes(name) ? fail() : undefined;
    };
  const names = ['log', 'count', 'request', 'streamClosed'];
  const telemetry = Object.fromEntries(names.map((name) => [name, method(name)]));
  return [telemetry as unknown as Telemetry, said];
}

function useAll(telemetry: Telemetry): void {
  telemetry.log('info', 'event', { a: 1 });
  telemetry.count('total', { b: 2 }, 3);
  telemetry.request('2025', 'ping', 'ok', 4, 'acme');
  telemetry.streamClosed('2024', 'get', 'drained', 5);
}

const ALL: readonly Said[] = [
  ['log', 'info', 'event', { a: 1 }],
  ['count', 'total', { b: 2 }, 3],
  ['request', '2025', 'ping', 'ok', 4, 'acme'],
  ['streamClosed', '2024', 'get', 'drained', 5],
];

const throws = (): never => {
  throw new RangeError('a secret');
};
const rejects = (): unknown => Promise.reject(new RangeError('a secret'));

it('hands on what it is told', () => {
  const [telemetry, said] = telemetryOf(throws, []);
  useAll(guardedTelemetry(telemetry));
  expect(said).toEqual(ALL);
});

it.each([
  ['throws', throws],
  ['rejects', rejects],
])('ends nothing where a method %s, and says so once', async (_, fail) => {
  const [telemetry, said] = telemetryOf(fail, ['count', 'request', 'streamClosed']);
  const guarded = guardedTelemetry(telemetry);
  useAll(guarded);
  useAll(guarded);
  // Rejections are heard in turns of their own.
  await new Promise((resolve) => setImmediate(resolve));
  const told = said.filter(([, , event]) => event === 'telemetry_failed');
  expect(told).toEqual(
    ['count', 'request', 'streamClosed'].map((method) => [
      'log',
      'error',
      'telemetry_failed',
      { method, kind: 'RangeError' },
    ]),
  );
  expect(said.filter((each) => !told.includes(each))).toEqual([...ALL, ...ALL]);
});

it.each([
  ['throws', throws],
  ['rejects', rejects],
])('ends nothing where the log itself %s', async (_, fail) => {
  const [telemetry, said] = telemetryOf(fail, ['log', 'count']);
  const sight = guardedSight(telemetry);
  sight.log('warn', 'event', {});
  sight.count('total', {});
  sight.log('warn', 'event', {});
  await new Promise((resolve) => setImmediate(resolve));
  expect(said.filter(([name, , event]) => name === 'log' && event === 'event')).toHaveLength(2);
});

it('takes whatever else a method returns for nothing', () => {
  for (const left of [null, 0, 'text', {}]) {
    const [telemetry, said] = telemetryOf(() => left, ['log', 'count']);
    useAll(guardedTelemetry(telemetry));
    expect(said).toEqual(ALL);
  }
});
