import { expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { Patience } from './patience.ts';

it('ends with each wait at its own time, unless that ended before', () => {
  const clock = new VirtualClock();
  const patience = new Patience(clock, 100);
  const given: string[] = [];
  patience.wait(() => given.push('a'));
  clock.advance(40);
  const end = patience.wait(() => given.push('b'));
  patience.wait(() => given.push('c'));
  clock.advance(59);
  expect(given).toEqual([]);
  clock.advance(1);
  expect(given).toEqual(['a']);
  end();
  clock.advance(39);
  expect(given).toEqual(['a']);
  clock.advance(1);
  expect(given).toEqual(['a', 'c']);
});

it('begins anew once nobody waited', () => {
  const clock = new VirtualClock();
  const patience = new Patience(clock, 100);
  const given: string[] = [];
  patience.wait(() => given.push('a'))();
  clock.advance(1000);
  patience.wait(() => given.push('b'));
  clock.advance(99);
  expect(given).toEqual([]);
  clock.advance(1);
  expect(given).toEqual(['b']);
});
