import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AskingPlaces } from './asking-places.ts';

/** How many more an address gets, of a hundred. */
function fill(places: AskingPlaces, address: string, isSuspect = false): (() => void)[] {
  const given: (() => void)[] = [];
  while (given.length < 100) {
    const giveBack = places.take(address, isSuspect);
    if (giveBack === undefined) break;
    given.push(giveBack);
  }
  return given;
}

describe('places to ask in', () => {
  it('are left for others by whoever asks most, and are so many in all', () => {
    const places = new AskingPlaces(64);
    expect(fill(places, '192.0.2.1')).toHaveLength(48);
    expect(fill(places, '192.0.2.2')).toHaveLength(16);
    expect(places.take('192.0.2.3', false)).toBeUndefined();
  });

  it('are few for a suspect, also while those are taken that it had before', () => {
    const places = new AskingPlaces(64);
    expect(fill(places, '192.0.2.1', true)).toHaveLength(8);
    const before = fill(places, '192.0.2.1');
    expect(before).toHaveLength(40);
    expect(fill(new AskingPlaces(72), '192.0.2.1', true)).toHaveLength(9);
    for (const giveBack of before) giveBack();
    expect(places.take('192.0.2.1', true)).toBeUndefined();
  });

  it('are all there again when all were given back, and nothing is kept of who had them', () => {
    const places = new AskingPlaces(8);
    const forgotten = vi.spyOn(Map.prototype, 'delete');
    onTestFinished(() => forgotten.mockRestore());
    for (let turn = 0; turn < 2; turn += 1) {
      const given = fill(places, '192.0.2.1');
      expect(given).toHaveLength(6);
      for (const giveBack of given) giveBack();
    }
    expect(forgotten).toHaveBeenCalledWith('192.0.2.1');
  });

  it('are given back, and belong to neighbours together', () => {
    const places = new AskingPlaces(8);
    const given = fill(places, '2001:db8::1');
    expect(given).toHaveLength(6);
    expect(places.take('2001:db8::2', false)).toBeUndefined();
    given[0]?.();
    expect(fill(places, '2001:db8::2')).toHaveLength(1);
    for (const giveBack of given.slice(1)) giveBack();
    expect(fill(places, '2001:db8::1')).toHaveLength(5);
    expect(fill(places, '2001:db8:1::1')).toHaveLength(2);
  });
});
