import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProxyHeader } from './proxy-header.ts';

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';

function text(line: string): ReturnType<typeof readProxyHeader> {
  return readProxyHeader(Buffer.from(line, 'latin1'));
}

function binary(command: number, family: number, body: readonly number[]): Buffer {
  const fixed = Buffer.from([command, family, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([Buffer.from(SIGNATURE, 'latin1'), fixed, Buffer.from(body)]);
}

const IPV4 = [203, 0, 113, 9, 10, 0, 0, 1, 0x12, 0x67, 0x01, 0xbb];
/** Addresses, and as many extensions as are read. */
const LONGEST = [...IPV4, ...Array<number>(4096 - IPV4.length).fill(0)];
const IPV6 = [0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 9, ...Array<number>(20).fill(0)];
const ALL_OF_IPV6 = [0x20, 0x01, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8].concat(
  Array<number>(20).fill(0),
);
/** An IPv4 client as an IPv6 listener shows it, with one byte that may be another. */
const mapped = (at: number, value: number): number[] => {
  const bytes = [...Array<number>(10).fill(0), 0xff, 0xff, 203, 0, 113, 9];
  return [...bytes.map((byte, i) => (i === at ? value : byte)), ...Array<number>(20).fill(0)];
};

describe('version 1', () => {
  it.each([
    ['PROXY TCP4 203.0.113.9 10.0.0.1 4711 443\r\nGET', '203.0.113.9', 42],
    ['PROXY TCP6 2001:db8::9 ::1 4711 443\r\n', '2001:db8::9', 37],
    ['PROXY TCP4 203.0.113.9 10.0.0.1 0 65535\r\n', '203.0.113.9', 41],
    ['PROXY UNKNOWN\r\n', undefined, 15],
    ['PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n', undefined, 35],
  ])('%j names %s', (line, source, bytes) => {
    expect(text(line)).toEqual({ kind: 'header', source, bytes });
  });

  it.each([
    'PROXY TCP4 203.0.113.9 10.0.0.1 4711\r\n',
    'PROXY TCP4 203.0.113.9 10.0.0.1 4711 443 x\r\n',
    'PROXY TCP4 2001:db8::9 10.0.0.1 4711 443\r\n',
    'PROXY TCP4 203.0.113.999 10.0.0.1 4711 443\r\n',
    'PROXY TCP4 203.0.113.9 10.0.0.1 04711 443\r\n',
    'PROXY TCP4 203.0.113.9 10.0.0.1 65536 443\r\n',
    'PROXY TCP4 203.0.113.9 10.0.0.1 4711 65536\r\n',
    'PROXY TCP4 203.0.113.9 nowhere 4711 443\r\n',
    'PROXY TCP5 2001:db8::9 ::1 4711 443\r\n',
    'PROXY  TCP4 203.0.113.9 10.0.0.1 4711 443\r\n',
    'PROXY UDP4 203.0.113.9 10.0.0.1 4711 443\r\n',
    'PROXY UNKNOWNX\r\n',
    'proxy TCP4 203.0.113.9 10.0.0.1 4711 443\r\n',
    `PROXY TCP4 ${'1'.repeat(100)}\r\n`,
    'GET / HTTP/1.1\r\n',
  ])('%j is malformed', (line) => {
    expect(text(line)).toEqual({ kind: 'malformed' });
  });

  it('is waited for until its longest length, and no longer', () => {
    expect(text('PROX').kind).toBe('partial');
    expect(text(`PROXY TCP4 ${'1'.repeat(95)}`).kind).toBe('partial');
    expect(text(`PROXY TCP4 ${'1'.repeat(96)}`).kind).toBe('malformed');
  });
});

describe('version 2', () => {
  it.each([
    ['IPv4', binary(0x21, 0x11, IPV4), '203.0.113.9'],
    ['IPv4 with extensions', binary(0x21, 0x11, [...IPV4, 4, 0, 1, 0]), '203.0.113.9'],
    ['IPv6', binary(0x21, 0x21, IPV6), '2001:db8:0:0:0:0:0:9'],
    ['each group of IPv6', binary(0x21, 0x21, ALL_OF_IPV6), '2001:2:3:4:5:6:7:8'],
    ['IPv4 in IPv6', binary(0x21, 0x21, mapped(12, 203)), '203.0.113.9'],
    ['IPv6 that is not quite it', binary(0x21, 0x21, mapped(0, 1)), '100:0:0:0:0:ffff:cb00:7109'],
    ['IPv6 that nearly is it', binary(0x21, 0x21, mapped(9, 1)), '0:0:0:0:1:ffff:cb00:7109'],
    ['IPv6 of zeros', binary(0x21, 0x21, mapped(11, 0xfe)), '0:0:0:0:0:fffe:cb00:7109'],
    ['IPv4 with all there may be', binary(0x21, 0x11, LONGEST), '203.0.113.9'],
    ['the proxy itself', binary(0x20, 0x11, IPV4), undefined],
    ['somebody unknown', binary(0x21, 0x00, []), undefined],
  ])('names %s', (_name, bytes, source) => {
    const whole = Buffer.concat([bytes, Buffer.from('GET /')]);
    expect(readProxyHeader(whole)).toEqual({ kind: 'header', source, bytes: bytes.length });
  });

  it.each([
    ['another version', binary(0x31, 0x11, IPV4)],
    ['another command', binary(0x22, 0x11, IPV4)],
    ['datagrams', binary(0x21, 0x12, IPV4)],
    ['addresses that are cut', binary(0x21, 0x11, IPV4.slice(0, 8))],
    ['more than there may be', binary(0x21, 0x11, [...LONGEST, 0])],
    ['addresses of IPv6 that are cut', binary(0x21, 0x21, IPV6.slice(0, 35))],
    ['another family', binary(0x21, 0x31, IPV6)],
  ])('is malformed with %s', (_name, bytes) => {
    expect(readProxyHeader(bytes)).toEqual({ kind: 'malformed' });
  });
});

it('without an address is whole after its fixed part', () => {
  const fixed = binary(0x20, 0x00, []);
  expect(readProxyHeader(fixed)).toEqual({ kind: 'header', source: undefined, bytes: 16 });
  expect(readProxyHeader(fixed.subarray(0, 15))).toEqual({ kind: 'partial' });
});

it('is read the same however it is cut, and never throws', () => {
  const wholes = [
    Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 4711 443\r\n'),
    binary(0x21, 0x11, IPV4),
    binary(0x21, 0x21, IPV6),
  ];
  for (const whole of wholes) {
    for (let end = 0; end < whole.length; end += 1) {
      expect(readProxyHeader(whole.subarray(0, end)).kind).toBe('partial');
    }
    expect(readProxyHeader(whole).kind).toBe('header');
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isSigned) => {
      const start = Buffer.from(isSigned ? SIGNATURE : '', 'latin1');
      readProxyHeader(Buffer.concat([start, Buffer.from(bytes)]));
    }),
  );
});
