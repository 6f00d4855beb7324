import { expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { UpstreamState } from '../server/upstream-state.ts';
import { HealthWatch } from './health-watch.ts';

it('tells each change of a server once and by its name, and nothing after it was stopped', () => {
  const clock = new VirtualClock();
  const states = new Map<string, UpstreamState>([
    ['one', 'starting'],
    ['two', 'up'],
  ]);
  const said: string[] = [];
  const watch = new HealthWatch(
    () => [...states].map(([name, upstream]) => ({ name, upstream, isRequired: true })),
    clock,
    {
      log: (level, event, { server, state }) =>
        void said.push([level, event, server, state].join(' ').trim()),
      count: () => {},
      request: () => {},
      streamClosed: () => {},
    },
  );
  const pass = (name: string, state: UpstreamState): readonly string[] => {
    states.set(name, state);
    clock.advance(3000);
    return said.splice(0);
  };
  expect(said.splice(0)).toEqual(['info server_up two']);
  expect(pass('one', 'down')).toEqual(['error server_down one down']);
  expect(pass('one', 'looping')).toEqual(['error server_down one looping']);
  expect(pass('one', 'up')).toEqual(['info server_up one']);
  expect(pass('one', 'up')).toEqual([]);
  watch.stop();
  expect(pass('two', 'down')).toEqual([]);
});
