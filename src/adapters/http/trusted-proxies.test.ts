import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ForwardedHeader } from './forwarded-hops.ts';
import { proxyRangeFault, TrustedProxies } from './trusted-proxies.ts';

const PROXIES = new TrustedProxies([
  '10.0.0.0/8',
  '192.0.2.7',
  '2001:db8:1::/48',
  '2001:db8:9::1',
  'fe80::1',
]);

function addressOf(peer: string, headers: Readonly<Record<string, string>>): string {
  return PROXIES.clientAddress(peer, (name) => headers[name]);
}

it.each([
  ['10.1.2.3', true],
  ['::ffff:10.1.2.3', true],
  ['::FFFF:10.1.2.3%eth0', true],
  ['::ffff:a01:203', true],
  ['::ffff:b01:203', false],
  ['11.1.2.3', false],
  ['192.0.2.7', true],
  ['192.0.2.8', false],
  ['2001:db8:1:2::3', true],
  ['2001:db8:2::3', false],
  ['2001:db8:9::1', true],
  ['2001:db8:9::2', false],
  ['fe80::1%eth0', true],
  ['fe80::2%eth0', false],
  ['', false],
  ['localhost', false],
])('%s is trusted: %s', (address, isTrusted) => {
  expect(PROXIES.has(address)).toBe(isTrusted);
});

it.each([
  '10.0.0.0/33',
  '10.0.0',
  'proxy.example',
  '',
  '10.0.0.0/8/8',
  '::1/129',
  '10.0.0.0/',
  'fe80::1%eth0',
  '10.0.0.0/-1',
])('no range is %j', (range) => {
  expect(proxyRangeFault(range)).toMatch(/^Give an address/);
  expect(() => new TrustedProxies([range])).toThrow(TypeError);
});

it.each(['10.0.0.0/32', '0.0.0.0/0', '::1/128', '::/0', '192.0.2.7'])('a range is %j', (range) => {
  expect(proxyRangeFault(range)).toBeUndefined();
  expect(() => new TrustedProxies([range])).not.toThrow();
});

describe('the client', () => {
  it.each([
    ['198.51.100.1', 'x-forwarded-for', '203.0.113.9', '198.51.100.1'],
    ['10.0.0.1', 'x-forwarded-for', '203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', 'x-forwarded-for', '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', 'x-forwarded-for', '203.0.113.9, 10.0.0.2,192.0.2.7', '203.0.113.9'],
    ['10.0.0.1', 'x-forwarded-for', '203.0.113.9:4711', '203.0.113.9'],
    ['10.0.0.1', 'x-forwarded-for', '2001:db8::9', '2001:db8::9'],
    ['10.0.0.1', 'x-forwarded-for', '[2001:db8::9]:443', '2001:db8::9'],
    ['10.0.0.1', 'x-forwarded-for', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', 'x-forwarded-for', 'unknown, 203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', 'x-forwarded-for', ', ,203.0.113.9,', '203.0.113.9'],
    ['10.0.0.1', 'x-forwarded-for', `${'1.1.1.1,'.repeat(100)}203.0.113.9`, '203.0.113.9'],
    ['10.0.0.1', 'forwarded', 'for=203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', 'forwarded', 'for=_hidden, proto=http, for="203.0.113.9:_p"', '203.0.113.9'],
    ['10.0.0.1', 'forwarded', 'For="[2001:db8::9]:47";proto=https;host=evil', '2001:db8::9'],
    ['10.0.0.1', 'forwarded', 'for=1.1.1.1;by=2.2.2.2, proto=http;for=203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', 'forwarded', 'for="203.0.113.9", for=10.0.0.2', '203.0.113.9'],
  ])('of %s with %s: %s is %s', (peer, header, value, client) => {
    expect(addressOf(peer, { [header]: value })).toBe(client);
  });

  it.each([
    ['x-forwarded-for', ''],
    ['x-forwarded-for', 'unknown'],
    ['x-forwarded-for', '203.0.113.9, evil'],
    ['x-forwarded-for', '203.0.113.999'],
    ['x-forwarded-for', 'fe80::1%eth0'],
    ['x-forwarded-for', 'evil, 10.0.0.2'],
    ['x-forwarded-for', '1'.repeat(5000)],
    ['forwarded', 'for=unknown'],
    ['forwarded', 'for=_hidden'],
    ['forwarded', 'proto=https'],
    ['forwarded', 'for=203.0.113.9;for=1.1.1.1'],
    ['forwarded', 'for="203.0.113.9'],
    ['forwarded', 'for=203.0.113.9 evil'],
    ['forwarded', 'for=203.0.113.9,'],
    ['forwarded', 'for=2001:db8::9'],
  ])('is the proxy itself where %s is %j', (header, value) => {
    expect(addressOf('10.0.0.1', { [header]: value })).toBe('10.0.0.1');
  });

  it('is who the proxy says, however much a client wrote before it', () => {
    const of = (line: string): string => addressOf('10.0.0.1', { 'x-forwarded-for': line });
    expect(of(`${'1.1.1.1,'.repeat(1000)}203.0.113.9`)).toBe('203.0.113.9');
    expect(of(`${'a'.repeat(9000)}, 203.0.113.9, 10.0.0.2`)).toBe('203.0.113.9');
    // The rest of an address that is cut is none.
    expect(of(`${' '.repeat(5000)}31.1.1.1${' '.repeat(4089)}`)).toBe('10.0.0.1');
  });

  it('is the proxy itself where two headers disagree, and whom both name where they agree', () => {
    const listed = { 'x-forwarded-for': '203.0.113.9' };
    expect(addressOf('10.0.0.1', { ...listed, forwarded: 'for=1.1.1.1' })).toBe('10.0.0.1');
    expect(addressOf('10.0.0.1', { ...listed, forwarded: 'for=unknown' })).toBe('10.0.0.1');
    expect(addressOf('10.0.0.1', { ...listed, forwarded: 'for=203.0.113.9' })).toBe('203.0.113.9');
  });

  it('is told by the one header that is believed, whatever the other holds', () => {
    const headers: Readonly<Record<string, string>> = {
      'x-forwarded-for': '203.0.113.9',
      forwarded: 'for=198.51.100.1',
    };
    const asked: string[] = [];
    const line = (name: string): string | undefined => {
      asked.push(name);
      return headers[name];
    };
    const of = (header: ForwardedHeader): string =>
      new TrustedProxies(['10.0.0.0/8'], header).clientAddress('10.0.0.1', line);
    expect(of('x-forwarded-for')).toBe('203.0.113.9');
    expect(of('forwarded')).toBe('198.51.100.1');
    expect(asked).toEqual(['x-forwarded-for', 'forwarded']);
    const alone = (name: string): string | undefined =>
      name === 'forwarded' ? headers[name] : undefined;
    const listed = new TrustedProxies(['10.0.0.0/8'], 'x-forwarded-for');
    expect(listed.clientAddress('10.0.0.1', alone)).toBe('10.0.0.1');
  });

  it('is an address whatever a trusted proxy sends, and found in linear time', () => {
    const piece = fc.constantFrom(
      'for=',
      '"',
      ',',
      ';',
      ' ',
      '[',
      ']',
      '::1',
      '1.2.3.4',
      '\\',
      'a',
      ':80',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.boolean(), (pieces, isStandard) => {
        const header = isStandard ? 'forwarded' : 'x-forwarded-for';
        expect(addressOf('10.0.0.1', { [header]: pieces.join('') })).toMatch(/^[0-9a-f.:]+$/i);
      }),
    );
    const started = performance.now();
    addressOf('10.0.0.1', { forwarded: `for="${'\\a'.repeat(2000)}` });
    addressOf('10.0.0.1', { forwarded: `${'a=b;'.repeat(1000)}` });
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
