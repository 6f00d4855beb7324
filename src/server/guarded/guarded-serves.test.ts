import { expect, it } from 'vitest';
import type { LogFields } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { guardedServes, type Serves } from './guarded-serves.ts';

const ADA = principalOf({ tenant: 't', issuer: 'i', subject: 'ada', clientId: '' });

async function asked(serves: unknown): Promise<[refusal: unknown, details: unknown[]]> {
  const details: unknown[] = [];
  const telemetry = {
    log: (_level: string, _event: string, fields: LogFields) => void details.push(fields['detail']),
    count() {},
  };
  const sight = { telemetry, clock: new VirtualClock() };
  const refusal = guardedServes(serves as Serves, sight)(ADA);
  await new Promise((resolve) => setImmediate(resolve));
  return [refusal, details];
}

const fail = (): never => {
  throw new Error('broken');
};
const NEITHER = 'serves() returned neither true nor false';

it('is there for whom it is said to be', async () => {
  expect(await asked((who: unknown) => who === ADA)).toEqual([undefined, []]);
  expect(await asked(() => false)).toEqual([{ error: 'ROUTE_NOT_FOUND' }, []]);
});

it.each([
  ['throws', fail, 'serves() threw'],
  ['rejects', async () => fail(), NEITHER],
  ['resolves', async () => true, NEITHER],
  ['says nothing', () => {}, NEITHER],
  ['says yes in other words', () => 1, NEITHER],
])('is there for nobody where that %s', async (_, serves, detail) => {
  expect(await asked(serves)).toEqual([{ error: 'INTERNAL' }, [detail]]);
});
