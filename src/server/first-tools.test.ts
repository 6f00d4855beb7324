import { expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { FirstTools } from './first-tools.ts';

const CALL = '{"method":"tools/call"}';

function bench(): { tools: FirstTools; clock: VirtualClock; told: string[] } {
  const clock = new VirtualClock();
  return { clock, tools: new FirstTools(clock), told: [] };
}

it('calls wait for tools that are read for the first time, in their order, and nothing else waits', () => {
  const { tools, told, clock } = bench();
  tools.before(CALL, () => told.push('before'));
  tools.reading();
  tools.before(CALL, () => told.push('one'));
  tools.before(CALL, () => told.push('two'));
  tools.before('{"method":"tools/list"}', () => told.push('list'));
  expect(told).toEqual(['before', 'list']);
  tools.known();
  expect(told).toEqual(['before', 'list', 'one', 'two']);
  tools.reading();
  tools.before(CALL, () => told.push('later'));
  expect([told.at(-1), clock.pending]).toEqual(['later', 0]);
});

it('calls wait no longer than three seconds for a server that does not answer', () => {
  const { tools, told, clock } = bench();
  tools.reading();
  clock.advance(2000);
  tools.reading();
  tools.before(CALL, () => told.push('one'));
  clock.advance(999);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual(['one']);
  tools.before(CALL, () => told.push('two'));
  expect(told).toEqual(['one', 'two']);
});

it('no more than a thousand calls wait', () => {
  const { tools, told } = bench();
  tools.reading();
  for (let i = 0; i < 1000; i += 1) tools.before(CALL, () => told.push('waited'));
  tools.before(CALL, () => told.push('one more'));
  expect(told).toEqual(['one more']);
  tools.goOn();
  expect(told).toHaveLength(1001);
});
