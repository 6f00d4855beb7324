import type { LookupAddress } from 'node:dns';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SsrfGuard } from './ssrf-guard.ts';

function faultOf(url: string, ...allowed: string[]): string | undefined {
  return new SsrfGuard(allowed).faultOf(new URL(url));
}

describe('a URL', () => {
  it.each([
    'https://mcp.example.com/mcp',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'http://localhost:3000/mcp',
    'http://127.0.0.1/',
    'http://127.9.9.9/',
    'http://[::1]:8808/',
    'http://app.localhost/',
  ])('V37: %s may be called', (url) => {
    expect(faultOf(url)).toBeUndefined();
  });

  it.each([
    'http://mcp.example.com/',
    'ftp://mcp.example.com/',
    'file:///etc/passwd',
    'https://user:secret@mcp.example.com/',
    'https://10.0.0.1/',
    'https://172.31.255.255/',
    'https://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data',
    'http://169.254.169.254/',
    'https://100.64.0.1/',
    'https://0.0.0.0/',
    'https://0/',
    'https://2130706433.example.com@10.0.0.1/',
    'https://0xa9fea9fe/',
    'https://0251.0376.0251.0376/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://[::]/',
    'https://[fe80::1]/',
    'https://[fc00::1]/',
    'https://[fd12:3456::1]/',
    'https://[ff02::1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[::10.0.0.1]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[2002:a9fe:a9fe::]/',
    'https://[2001:db8::1]/',
  ])('V37: %s may not', (url) => {
    expect(faultOf(url)).toMatch(/\.$/);
    expect(faultOf(url)).not.toContain('secret');
  });

  it('V37: a host that was allowed may be called without TLS and wherever it is', () => {
    expect(faultOf('http://10.0.0.1:3000/', '10.0.0.1')).toBeUndefined();
    expect(faultOf('http://[fd00::1]/', '[fd00::1]')).toBeUndefined();
    expect(faultOf('http://MCP.internal/', 'mcp.internal')).toBeUndefined();
    expect(faultOf('http://other.internal/', 'mcp.internal')).toBeDefined();
  });

  it('V37: no spelling of a private IPv4 address passes', () => {
    const spellings = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map(([b, c, d]) => {
      const number = 10 * 2 ** 24 + b * 2 ** 16 + c * 256 + d;
      return [
        `10.${b}.${c}.${d}`,
        `0x${number.toString(16)}`,
        String(number),
        `012.${b}.${c}.${d}`,
      ];
    });
    fc.assert(
      fc.property(spellings, (hosts) => {
        for (const host of hosts) expect(faultOf(`https://${host}/`)).toBeDefined();
      }),
    );
  });
});

describe('a name', () => {
  function lookedUp(
    host: string,
    addresses: readonly string[],
    ...allowed: string[]
  ): Promise<readonly LookupAddress[] | string> {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const resolve = ((_: string, __: object, done: (e: null, a: LookupAddress[]) => void) =>
      done(null, found)) as never;
    const guard = new SsrfGuard(allowed, resolve);
    return new Promise((settle) => {
      guard.lookup(host, { all: true }, (error, result) => {
        settle(error === null ? result : error.message);
      });
    });
  }

  it('V37: connects to the very addresses that were checked', async () => {
    expect(await lookedUp('a.example', ['1.1.1.1', '2606:4700::1'])).toEqual([
      { address: '1.1.1.1', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ]);
  });

  it.each(['127.0.0.1', '::1', '10.1.1.1', '169.254.169.254', '::ffff:127.0.0.1', 'fe80::1%eth0'])(
    'V37: is refused when any of its addresses is %s',
    async (address) => {
      expect(await lookedUp('rebound.example', ['1.1.1.1', address])).toContain('not a public');
    },
  );

  it('V37: of this machine leads nowhere else', async () => {
    expect(await lookedUp('localhost', ['127.0.0.1'])).toHaveLength(1);
    expect(await lookedUp('localhost', ['10.0.0.1'])).toContain('not a public');
    expect(await lookedUp('x.localhost', ['1.1.1.1'])).toContain('not a public');
  });

  it('V37: without an address is refused, and one that was allowed is not', async () => {
    expect(await lookedUp('a.example', [])).toContain('no address');
    expect(await lookedUp('a.internal', ['10.0.0.1'], 'a.internal')).toHaveLength(1);
  });
});
