import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type HostOriginHead, HostOriginGuard } from './host-origin.ts';

function headOf(...lines: readonly (readonly [string, string])[]): HostOriginHead {
  return {
    header: (name) => lines.find(([other]) => other === name)?.[1],
    headerCount: (name) => lines.filter(([other]) => other === name).length,
  };
}

const guard = new HostOriginGuard({
  allowedHosts: ['localhost', '127.0.0.1', '[::1]', 'Example.com:8443'],
  allowedOrigins: [
    'https://app.example.com',
    'http://localhost:*',
    'http://[::1]:*',
    'vscode-webview://abc',
  ],
});
const open = new HostOriginGuard({ allowedHosts: ['*'], allowedOrigins: [] });

function verdictOn(host: string, by: HostOriginGuard = guard): string {
  return by.check(headOf(['host', host]))?.error ?? 'ok';
}

function verdictOnOrigin(origin: string, by: HostOriginGuard = guard): string {
  return by.check(headOf(['host', 'localhost'], ['origin', origin]))?.error ?? 'ok';
}

describe('Host', () => {
  test.each([
    'localhost',
    'LOCALHOST',
    'localhost:',
    'localhost:1',
    'localhost:8808',
    '127.0.0.1:80',
    '[::1]',
    '[::1]:65535',
    'EXAMPLE.com:8443',
  ])('W28: %j is let in', (host) => {
    expect(verdictOn(host)).toBe('ok');
  });

  test.each([
    'evil.com',
    'localhost.evil.com',
    'localhost.',
    'xlocalhost',
    'example.com',
    'example.com:8444',
    '127.0.0.2',
    '127.1',
    '[::2]',
    '%6cocalhost',
    'evil.com:8808',
  ])('W28: %j is not one of ours', (host) => {
    expect(verdictOn(host)).toBe('HOST_NOT_ALLOWED');
    expect(verdictOn(host, open)).toBe('ok');
  });

  test.each([
    '',
    ' ',
    'a/x?',
    'a#',
    'localhost/',
    'localhost?x',
    'localhost#x',
    'localhost\\',
    'user@localhost',
    'localhost@evil.com',
    'local host',
    'localhost ',
    'localhost:8808:1',
    'localhost:-1',
    'localhost:1e3',
    'localhost:65536',
    'localhost:123456',
    ':8808',
    '[::1',
    '::1',
    '[::1]x',
    '[localhost]',
    'localhost\u0000',
    'localhost\n',
    'lo\u0301calhost',
    'ｌocalhost',
    'a%2',
    'a%zz',
    'http://localhost',
    '<x>',
    '"localhost"',
  ])('V09: %j is malformed, whatever is allowed', (host) => {
    expect(verdictOn(host)).toBe('HOST_MALFORMED');
    expect(verdictOn(host, open)).toBe('HOST_MALFORMED');
  });

  test('a request without Host, or with two, is malformed', () => {
    expect(guard.check(headOf())?.error).toBe('HOST_MALFORMED');
    const line = ['host', 'localhost'] as const;
    expect(guard.check(headOf(line, line))?.error).toBe('HOST_MALFORMED');
  });

  test('an empty list lets nobody in', () => {
    const closed = new HostOriginGuard({ allowedHosts: [], allowedOrigins: [] });
    expect(verdictOn('localhost', closed)).toBe('HOST_NOT_ALLOWED');
  });

  test('V09: no Host that is let in can be read as another host by a lenient URL parser', () => {
    const pieces = fc.constantFrom(
      'localhost',
      '127.0.0.1',
      ':',
      '8808',
      '@',
      '/',
      '?',
      '#',
      '\\',
      '.',
      '[::1]',
      ' ',
      '%',
      'a',
      '\t',
    );
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 1, maxLength: 5 }), (parts) => {
        const host = parts.join('');
        fc.pre(verdictOn(host) === 'ok');
        expect(['localhost', '127.0.0.1', '[::1]']).toContain(new URL(`http://${host}/`).hostname);
      }),
      { numRuns: 2000 },
    );
  });

  test('work does not explode on long hosts', () => {
    const startedAt = performance.now();
    for (const unit of ['a', '%41', '.', '-', ':', '[', 'a:']) verdictOn(unit.repeat(20_000));
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});

describe('Origin', () => {
  test('W27: a request without Origin is no browser and is let in', () => {
    expect(guard.check(headOf(['host', 'localhost']))).toBeUndefined();
  });

  test.each([
    'https://app.example.com',
    'http://localhost',
    'http://localhost:3000',
    'http://[::1]:80',
    'vscode-webview://abc',
  ])('W27: %j is let in', (origin) => {
    expect(verdictOnOrigin(origin)).toBe('ok');
  });

  test.each([
    '',
    'null',
    'http://app.example.com',
    'https://app.example.com:444',
    'https://app.example.com/',
    'https://APP.example.com',
    'https://app.example.com.evil.com',
    'https://evil.com',
    'https://localhost:3000',
    'http://localhost.evil.com',
    'http://localhost:3000.evil.com',
    'http://localhost:3000:1',
    'http://localhost:',
    'http://localhost:123456',
    'http://localhost:*',
    'http://evil.com:3000',
    'https://app.example.com, https://evil.com',
    '*',
  ])('W27: %j is refused', (origin) => {
    expect(verdictOnOrigin(origin)).toBe('ORIGIN_NOT_ALLOWED');
  });

  test('W27: null is let in only when it is listed', () => {
    const lenient = new HostOriginGuard({ allowedHosts: ['*'], allowedOrigins: ['null'] });
    expect(verdictOnOrigin('null', lenient)).toBe('ok');
  });

  test('W27: a repeated Origin is refused even if both are listed', () => {
    const line = ['origin', 'https://app.example.com'] as const;
    expect(guard.check(headOf(['host', 'localhost'], line, line))?.error).toBe(
      'ORIGIN_NOT_ALLOWED',
    );
  });

  it('are others on an encrypted connection where that is said, and the same where it is not', () => {
    const allowedOrigins = ['http://localhost:*'];
    const rules = { allowedHosts: ['*'], allowedOrigins };
    const verdicts = (by: HostOriginGuard): readonly boolean[] =>
      [false, true].flatMap((isEncrypted) =>
        ['http://localhost:1', 'https://localhost:1'].map((origin) => {
          const lines = headOf(['host', 'localhost'], ['origin', origin]);
          return by.check({ ...lines, isEncrypted }) === undefined;
        }),
      );
    const encryptedOrigins = ['https://localhost:*'];
    expect(verdicts(new HostOriginGuard(rules))).toEqual([true, false, true, false]);
    expect(verdicts(new HostOriginGuard({ ...rules, encryptedOrigins }))).toEqual([
      true,
      false,
      false,
      true,
    ]);
    const closed = { allowedHosts: ['*'], allowedOrigins: [], encryptedOrigins };
    expect(new HostOriginGuard(closed).hasOrigins).toBe(true);
  });

  test('the port a scheme implies may be written in the list; browsers leave it out', () => {
    const { allowedHosts } = { allowedHosts: ['*'] };
    const rules = {
      allowedHosts,
      allowedOrigins: ['HTTPS://A.example:443', 'http://b.example:80', 'http://c.example:443'],
    };
    const ported = new HostOriginGuard(rules);
    expect(ported.allowsOrigin('https://a.example')).toBe(true);
    expect(ported.allowsOrigin('http://b.example')).toBe(true);
    expect(ported.allowsOrigin('http://c.example:443')).toBe(true);
    expect(ported.allowsOrigin('http://c.example')).toBe(false);
  });
});

describe('entries', () => {
  test.each([
    '',
    'http://localhost',
    'a/b',
    'a b',
    'localhost:',
    'a:99999999',
    '::1',
    '*.example.com/',
  ])('the host entry %j is refused at once', (entry) => {
    expect(() => new HostOriginGuard({ allowedHosts: [entry], allowedOrigins: [] })).toThrow(
      TypeError,
    );
  });

  test.each([
    '',
    '*',
    'localhost',
    'http://',
    'http://*',
    'http://*.example.com',
    'https://a.example/',
    'https://a.example/x',
    'https://u@a.example',
    'https://a.example:1:2',
  ])('the origin entry %j is refused at once', (entry) => {
    expect(() => new HostOriginGuard({ allowedHosts: [], allowedOrigins: [entry] })).toThrow(
      TypeError,
    );
  });
});

describe('a guard', () => {
  it.each([
    [[], false],
    [['https://app.test'], true],
    [['http://localhost:*'], true],
    [['https://app.test', 'http://localhost:*'], true],
  ])('with the origins %j lets browsers call: %s', (allowedOrigins, isOpen) => {
    expect(new HostOriginGuard({ allowedHosts: [], allowedOrigins }).hasOrigins).toBe(isOpen);
  });
});

test('origins of encrypted connections are those of the others, unless they are named', () => {
  const [plain, encrypted] = ['http://a.test', 'https://a.test'];
  const rules = { allowedHosts: ['*'], allowedOrigins: [plain] };
  const apart = new HostOriginGuard({ ...rules, encryptedOrigins: [encrypted] });
  expect([apart.allowsOrigin(plain), apart.allowsOrigin(encrypted)]).toEqual([true, false]);
  expect([plain, encrypted].map((each) => apart.allowsOrigin(each, true))).toEqual([false, true]);
  expect(new HostOriginGuard(rules).allowsOrigin(plain, true)).toBe(true);
  const none = { ...rules, encryptedOrigins: [] };
  expect(new HostOriginGuard(none).hasOrigins).toBe(true);
  const onlyEncrypted = { ...rules, allowedOrigins: [], encryptedOrigins: [encrypted] };
  expect(new HostOriginGuard(onlyEncrypted).hasOrigins).toBe(true);
  expect(new HostOriginGuard({ ...none, allowedOrigins: [] }).hasOrigins).toBe(false);
});
