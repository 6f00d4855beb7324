import { describe, expect, it } from 'vitest';
import { forwardedHops } from './forwarded-hops.ts';

describe('X-Forwarded-For', () => {
  const hops = (text: string) => forwardedHops(text, 'x-forwarded-for');

  it('holds addresses, the farthest first, without ports and empty elements', () => {
    expect(hops(' 203.0.113.9 ,, [2001:db8::9]:443,2001:db8::1, 192.0.2.7:80,')).toEqual([
      '203.0.113.9',
      '2001:db8::9',
      '2001:db8::1',
      '192.0.2.7',
    ]);
    expect(hops('')).toEqual([]);
  });

  it.each([
    'unknown',
    '203.0.113.999',
    'fe80::1%eth0',
    '[fe80::1%eth0]',
    '[203.0.113.9]',
    '[::1',
    '2001:db8::9]:443',
    '203.0.113.9:port',
    '203.0.113.9:123456',
    '[:::]:80',
  ])('names no address by %s', (node) => {
    expect(hops(`${node}, 192.0.2.7`)).toEqual([undefined, '192.0.2.7']);
  });

  it('is read as far as it is near: so many hops, so many characters', () => {
    const all = Array.from({ length: 33 }, (_, i) => `192.0.2.${i}`);
    expect(hops(all.join())).toEqual(all.slice(1));
    const address = '203.0.113.9';
    const padded = (chars: number): string =>
      `${address},${' '.repeat(chars - address.length * 2 - 2)},${address}`;
    expect(hops(padded(4096))).toEqual([address, address]);
    // What is cut names nobody, whatever is left of it.
    expect(hops(padded(4097))).toEqual([undefined, address]);
  });
});

describe('Forwarded', () => {
  const hops = (text: string) => forwardedHops(text, 'forwarded');

  it('holds what each element says of `for`, the farthest first', () => {
    expect(
      hops('for=203.0.113.9;proto=https, proto=http ,For="[2001:db8::9]:47";by=192.0.2.1'),
    ).toEqual(['203.0.113.9', undefined, '2001:db8::9']);
    expect(hops(String.raw`for="203\.0.113.\9"`)).toEqual(['203.0.113.9']);
    expect(hops('for=_hidden,for=unknown')).toEqual([undefined, undefined]);
  });

  it.each([
    '',
    'for',
    'for=',
    'for=203.0.113.9,',
    'for=203.0.113.9;for=192.0.2.7',
    'for="203.0.113.9',
    'for=203.0.113.9 x',
    '=203.0.113.9',
    ',for=203.0.113.9',
  ])('is no list at all: %j', (text) => {
    expect(hops(text)).toBeUndefined();
  });

  it('is none at all when it is too long: what is cut could be anything', () => {
    const padded = (chars: number): string => `for=203.0.113.9${' '.repeat(chars - 15)}`;
    expect(hops(padded(4096))).toEqual(['203.0.113.9']);
    expect(hops(padded(4097))).toBeUndefined();
  });
});
