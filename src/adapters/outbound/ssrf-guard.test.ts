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

describe('a URL that another host named', () => {
  const named = (url: string, by: string, ...allowed: string[]): string | undefined =>
    new SsrfGuard(allowed).faultOfNamed(new URL(url), new URL(by));

  it('V37: leads to this machine only from there, or where that was allowed', () => {
    for (const url of ['http://localhost:1/', 'https://127.0.0.1/', 'http://[::1]/']) {
      const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
      expect(named(url, 'https://mcp.example/')).toContain(`${host} is not a public address`);
      expect(named(url, 'https://mcp.example/', host)).toBeUndefined();
      expect(named(url, 'http://app.localhost/')).toBeUndefined();
      expect(named(url, 'http://[::1]:7/')).toBeUndefined();
    }
  });

  it('V37: may be called as any other, and no more', () => {
    expect(named('https://login.example/', 'https://mcp.example/')).toBeUndefined();
    for (const by of ['https://mcp.example/', 'http://127.0.0.1/']) {
      expect(named('https://10.0.0.1/', by)).toContain('not a public address');
      expect(named('http://login.example/', by)).toContain('Without TLS');
    }
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

describe('the borders of what is not public', () => {
  it.each([
    '0.255.255.255',
    '10.255.255.255',
    '100.127.255.255',
    '169.254.255.255',
    '172.31.255.255',
    '192.0.0.255',
    '192.0.2.255',
    '192.88.99.255',
    '192.168.255.255',
    '198.19.255.255',
    '198.51.100.255',
    '203.0.113.255',
    '239.255.255.255',
    '240.0.0.0',
    '255.255.255.254',
    '[::ffff:ffff]',
    '[64:ff9b::ffff:ffff]',
    '[64:ff9b:1:ffff:ffff:ffff:ffff:ffff]',
    '[100::ffff:ffff:ffff:ffff]',
    '[2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff]',
    '[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]',
    '[2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff]',
    '[3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff]',
    '[5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff]',
    '[fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]',
    '[febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff]',
    '[feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]',
    '[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]',
  ])('V37: %s lies within', (host) => {
    expect(faultOf(`https://${host}/`)).toBeDefined();
  });

  it.each([
    '1.0.0.0',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '192.0.3.0',
    '192.88.98.255',
    '192.88.100.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '198.51.99.255',
    '198.51.101.0',
    '203.0.112.255',
    '203.0.114.0',
    '223.255.255.255',
    '[2001:200::]',
    '[2001:db7:ffff::]',
    '[2001:db9::]',
    '[2003::]',
    '[3fff:1000::]',
    '[5f01::]',
    '[2606:4700::]',
  ])('V37: %s lies outside', (host) => {
    expect(faultOf(`https://${host}/`)).toBeUndefined();
  });

  it('V37: of this machine are its own', () => {
    for (const host of ['127.0.0.0', '127.128.0.1', '127.255.255.255', '[::1]']) {
      expect(faultOf(`http://${host}/`)).toBeUndefined();
    }
  });
});

describe('a guard', () => {
  it('takes neither a user nor a password in a URL', () => {
    expect(faultOf('https://user@a.example/')).toContain('a user or a password');
    expect(faultOf('https://:secret@a.example/')).toContain('a user or a password');
  });

  it('knows whom the operator named, however it is written', () => {
    const guard = new SsrfGuard(['A.internal', '[fd00::1]']);
    for (const host of ['a.internal', 'A.INTERNAL', 'fd00::1', '[FD00::1]']) {
      expect(guard.isAllowed(host)).toBe(true);
    }
    for (const host of ['b.internal', 'fd00::2', '[fd00::1', 'fd00::1]', 'xfd00::1x', '']) {
      expect(guard.isAllowed(host)).toBe(false);
    }
    // Half a pair of brackets is part of the name.
    const halves = new SsrfGuard(['fd00::', 'd00::1']);
    for (const host of ['[fd00::1', 'fd00::1]']) expect(halves.isAllowed(host)).toBe(false);
  });

  it('says by which options a host may be named', () => {
    expect(faultOf('https://10.0.0.1/')).toContain(
      'name 10.0.0.1 in allowedHosts (on the command line --upstream-allow, of connect --allow)',
    );
  });

  it('passes on the failure of a name, and asks for every address of it', () => {
    const asked: unknown[] = [];
    const failure = new Error('no such name');
    const guard = new SsrfGuard([], ((host: string, options: object, done: unknown) => {
      asked.push([host, options]);
      (done as (error: Error) => void)(failure);
    }) as never);
    const told: unknown[] = [];
    guard.lookup('a.example', { family: 4 }, (...all) => void told.push(all));
    expect(asked).toEqual([['a.example', { family: 4, all: true }]]);
    expect(told).toEqual([[failure, '', 0]]);
  });

  it('gives one address to whom wants one', () => {
    const addresses = [
      { address: '1.1.1.1', family: 4 },
      { address: '1.0.0.1', family: 4 },
    ];
    const resolve = ((_host: string, _options: object, done: unknown) =>
      (done as (error: null, all: object) => void)(null, addresses)) as never;
    const told: unknown[] = [];
    const note = (...all: unknown[]): void => void told.push(all);
    new SsrfGuard([], resolve).lookup('a.example', {}, note);
    new SsrfGuard([], resolve).lookup('a.example', { all: false }, note);
    new SsrfGuard([], resolve).lookup('a.example', { all: true }, note);
    expect(told).toEqual([
      [null, '1.1.1.1', 4],
      [null, '1.1.1.1', 4],
      [null, addresses],
    ]);
    const none = ((_host: string, _options: object, done: unknown) =>
      (done as (error: null, all: object) => void)(null, [])) as never;
    const failed: unknown[] = [];
    new SsrfGuard([], none).lookup('a.example', {}, (...all) => void failed.push(all.slice(1)));
    expect(failed).toEqual([['', 0]]);
  });

  it('V37: reaches no interface by the zone of an address', () => {
    const resolve = ((_host: string, _options: object, done: unknown) =>
      (done as (error: null, all: object) => void)(null, [
        { address: '::1%lo', family: 6 },
      ])) as never;
    const told: unknown[] = [];
    new SsrfGuard([], resolve).lookup('localhost', {}, (error) => void told.push(error?.message));
    expect(String(told[0])).toContain('not a public address');
  });
});
