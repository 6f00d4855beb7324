import { describe, expect, test } from 'vitest';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { HostOriginGuard } from './host-origin.ts';

const ORIGIN = 'https://app.example.com';
const guard = new HostOriginGuard({
  allowedHosts: ['*'],
  allowedOrigins: [ORIGIN, 'http://localhost:*'],
});
const closed = new HostOriginGuard({ allowedHosts: ['*'], allowedOrigins: [] });

/** The flat list by name, in lower case; a name that occurs twice is an error. */
function byName(flat: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index]!.toLowerCase();
    expect(headers.has(name)).toBe(false);
    headers.set(name, flat[index + 1]!);
  }
  return headers;
}

function headOf(lines: readonly (readonly [string, string])[], isEncrypted = false) {
  return {
    isEncrypted,
    header: (name: string) => lines.find(([other]) => other === name)?.[1],
    headerCount: (name: string) => lines.filter(([other]) => other === name).length,
  };
}

function preflight(
  lines: readonly (readonly [string, string])[],
  by: HostOriginGuard = guard,
): Map<string, string> {
  return byName(preflightHeaders(headOf(lines), by));
}

function replyTo(origin: string | undefined, by: HostOriginGuard = guard): readonly string[] {
  return corsHeaders(headOf(origin === undefined ? [] : [['origin', origin]]), by);
}

describe('replies', () => {
  test('W41: a listed origin is named exactly, and what its page may read is listed', () => {
    const headers = byName(replyTo(ORIGIN));
    expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(headers.get('vary')).toBe('Origin');
    for (const name of ['Mcp-Session-Id', 'WWW-Authenticate', 'DPoP-Nonce', 'Tidegate-Resume']) {
      expect(headers.get('access-control-expose-headers')).toContain(name);
    }
    expect(headers.has('access-control-allow-credentials')).toBe(false);
  });

  test('V08: an origin that is not listed gets nothing, and never a star', () => {
    for (const origin of ['https://evil.com', 'null', '*', '']) {
      expect(replyTo(origin)).toEqual(['Vary', 'Origin']);
    }
  });

  test('an origin is allowed on connections of its kind alone, where they differ', () => {
    const rules = { allowedHosts: ['*'], allowedOrigins: ['http://localhost:*'] };
    const split = new HostOriginGuard({ ...rules, encryptedOrigins: ['https://localhost:*'] });
    const named = (origin: string, isEncrypted: boolean): string | undefined => {
      const head = headOf([['origin', origin]], isEncrypted);
      const allowed = byName(corsHeaders(head, split)).get('access-control-allow-origin');
      expect(byName(preflightHeaders(head, split)).get('access-control-allow-origin')).toBe(
        allowed,
      );
      return allowed;
    };
    const [plain, secure] = ['http://localhost:3000', 'https://localhost:3000'];
    expect([named(plain, false), named(plain, true)]).toEqual([plain, undefined]);
    expect([named(secure, false), named(secure, true)]).toEqual([undefined, secure]);
  });

  test('without an origin only caches are told, and nothing when no browser may come at all', () => {
    expect(replyTo(undefined)).toEqual(['Vary', 'Origin']);
    expect(replyTo(undefined, closed)).toEqual([]);
  });
});

describe('preflight', () => {
  test('W41: methods and the headers of every revision are allowed', () => {
    const headers = preflight([['origin', 'http://localhost:6274']]);
    expect(headers.get('access-control-allow-origin')).toBe('http://localhost:6274');
    expect(headers.get('access-control-allow-methods')).toBe('GET, POST, DELETE, OPTIONS');
    expect(headers.get('access-control-allow-headers')?.split(', ')).toEqual([
      'authorization',
      'dpop',
      'content-type',
      'accept',
      'mcp-session-id',
      'mcp-protocol-version',
      'last-event-id',
      'mcp-method',
      'mcp-name',
    ]);
    expect(Number(headers.get('access-control-max-age'))).toBeGreaterThan(0);
    expect(headers.get('vary')).toContain('Origin');
    expect(headers.has('access-control-allow-credentials')).toBe(false);
  });

  test('W41: well-formed mcp-param headers that are asked for are echoed, once, and nothing else', () => {
    const asked =
      'content-type, Mcp-Param-Region,mcp-param-region , mcp-param-x-y, x-evil, mcp-param-, mcp-param-a b, mcp-param-a\r\nx: y, mcp-param-é, *';
    const headers = preflight([
      ['origin', ORIGIN],
      ['access-control-request-headers', asked],
    ]);
    expect(headers.get('access-control-allow-headers')).toMatch(
      /mcp-name, mcp-param-region, mcp-param-x-y$/,
    );
  });

  test('however many headers are asked for, the reply stays small', () => {
    const asked = Array.from({ length: 5000 }, (_, index) => `mcp-param-${index}`).join(',');
    const headers = preflight([
      ['origin', ORIGIN],
      ['access-control-request-headers', asked],
    ]);
    const allowed = headers.get('access-control-allow-headers')!.split(', ');
    expect(allowed.filter((name) => name.startsWith('mcp-param-'))).toHaveLength(64);
  });

  test('V08: a preflight from an origin that is not listed, repeated or missing gets no allowance', () => {
    const line = ['origin', ORIGIN] as const;
    for (const lines of [[['origin', 'https://evil.com'] as const], [line, line], []]) {
      expect([...preflight(lines).keys()]).toEqual(['vary']);
    }
    expect([...preflight([line], closed).keys()]).toEqual(['vary']);
  });
});
