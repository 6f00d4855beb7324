import { expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { PortFailures } from './port-failures.ts';

function failuresOf(): [PortFailures, VirtualClock, unknown[][]] {
  const told: unknown[][] = [];
  const telemetry = {
    log: (...line: unknown[]) => void told.push(line),
    count: (...count: unknown[]) => void told.push(count),
  };
  const clock = new VirtualClock();
  return [new PortFailures('gate', { telemetry, clock }), clock, told];
}

const COUNTED = ['port_failures_total', { port: 'gate' }];

it('tells the kind of an error and nothing of its message', () => {
  const [failures, , told] = failuresOf();
  failures.tell('take() threw', new RangeError('a secret'));
  failures.tell('full() threw', 'a secret');
  expect(told).toEqual([
    COUNTED,
    ['error', 'gate_failed', { detail: 'take() threw', kind: 'RangeError' }],
    COUNTED,
    ['error', 'gate_failed', { detail: 'full() threw', kind: undefined }],
  ]);
});

it('tells each way to fail once a minute, and counts every failure', () => {
  const [failures, clock, told] = failuresOf();
  const lines = (): number => told.filter(([level]) => level === 'error').length;
  failures.tell('take() threw');
  clock.advance(59_999);
  failures.tell('take() threw');
  expect(lines()).toBe(1);
  failures.tell('full() threw');
  expect(lines()).toBe(2);
  clock.advance(1);
  failures.tell('take() threw');
  expect(lines()).toBe(3);
  expect(told).toHaveLength(4 + 3);
});
