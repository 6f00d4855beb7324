import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeHeaderValue } from './header-value.ts';
import {
  checkParamHeaders,
  paramHeaderLines,
  type ParamHeader,
  paramHeadersOf,
  paramLinesOf,
} from './param-headers.ts';
import type { HeaderSource } from './standard-headers.ts';

function headOf(...lines: readonly (readonly [string, string])[]): HeaderSource {
  return {
    header: (name) => lines.find(([other]) => other === name)?.[1],
    headerCount: (name) => lines.filter(([other]) => other === name).length,
    headerNames: () => lines.map(([name]) => name),
  };
}

function headersOf(schema: unknown): readonly ParamHeader[] {
  const outcome = paramHeadersOf(schema);
  if (outcome.kind === 'invalid') throw new Error(outcome.reason);
  return outcome.headers;
}

const region = { type: 'string', 'x-mcp-header': 'Region' };
const SCHEMA = {
  type: 'object',
  properties: {
    region,
    query: { type: 'string' },
    limit: { type: 'integer', 'x-mcp-header': 'Limit' },
    options: {
      type: 'object',
      properties: { dry: { type: 'boolean', 'x-mcp-header': 'dry-run' } },
    },
  },
};

describe('what a schema asks for', () => {
  test('annotated properties at any depth of properties are found, with their path', () => {
    expect(headersOf(SCHEMA)).toEqual([
      { name: 'mcp-param-region', label: 'Mcp-Param-Region', path: ['region'], type: 'string' },
      { name: 'mcp-param-limit', label: 'Mcp-Param-Limit', path: ['limit'], type: 'integer' },
      {
        name: 'mcp-param-dry-run',
        label: 'Mcp-Param-dry-run',
        path: ['options', 'dry'],
        type: 'boolean',
      },
    ]);
  });

  test.each([undefined, null, 1, 'x', [], {}, { properties: [] }, { properties: { a: true } }])(
    'the schema %j asks for nothing',
    (schema) => {
      expect(headersOf(schema)).toEqual([]);
    },
  );

  test('a property or a value that only looks like an annotation is none', () => {
    const schema = {
      properties: {
        'x-mcp-header': { type: 'object' },
        a: { default: region, enum: [region], const: region },
      },
    };
    expect(headersOf(schema)).toEqual([]);
  });

  test.each(['', 'a b', ' ab', 'ab ', 'a:b', 'a\r\nb', 'ab\n', 'é', 'a(b)', 5, null, ['a']])(
    'V44: the name %j is refused',
    (name) => {
      const schema = { properties: { a: { type: 'string', 'x-mcp-header': name } } };
      expect(paramHeadersOf(schema).kind).toBe('invalid');
    },
  );

  test.each(['number', 'object', 'array', 'null', undefined, ['string', 'null']])(
    'V44: the type %j is refused',
    (type) => {
      expect(paramHeadersOf({ properties: { a: { type, 'x-mcp-header': 'A' } } }).kind).toBe(
        'invalid',
      );
    },
  );

  test('V44: two names that differ in case only are refused', () => {
    const other = {
      type: 'object',
      properties: { b: { type: 'string', 'x-mcp-header': 'REGION' } },
    };
    expect(paramHeadersOf({ properties: { region, other } }).kind).toBe('invalid');
  });

  test.each([
    ['the root', region],
    ['items', { properties: { a: { items: region } } }],
    ['prefixItems', { properties: { a: { prefixItems: [region] } } }],
    ['additionalProperties', { additionalProperties: region }],
    ['patternProperties', { patternProperties: { '^a': region } }],
    ['oneOf', { oneOf: [{ properties: { region } }] }],
    ['anyOf', { properties: { a: { anyOf: [region] } } }],
    ['allOf', { allOf: [{ properties: { a: { properties: { region } } } }] }],
    ['not', { not: { properties: { region } } }],
    ['if', { if: { properties: { region } } }],
    ['then', JSON.parse(`{"then":{"properties":{"region":${JSON.stringify(region)}}}}`)],
    ['else', { else: { properties: { region } } }],
    ['$defs', { $defs: { a: region } }],
    ['definitions', { definitions: { a: { properties: { region } } } }],
    ['dependentSchemas', { dependentSchemas: { a: { properties: { region } } } }],
  ])('V44: an annotation reached through %s is refused', (_, schema) => {
    expect(paramHeadersOf(schema).kind).toBe('invalid');
  });

  test('a schema nested without end is refused, not followed', () => {
    let schema: unknown = region;
    for (let depth = 0; depth < 100_000; depth++) schema = { properties: { a: schema } };
    expect(paramHeadersOf(schema).kind).toBe('invalid');
  });
});

describe('what a request must say', () => {
  const headers = headersOf(SCHEMA);
  const check = (
    args: unknown,
    ...lines: readonly (readonly [string, string])[]
  ): string | undefined => checkParamHeaders(headers, args, headOf(...lines))?.detail;

  test('W55: headers that agree with the arguments are accepted, others are ignored', () => {
    const args = { region: 'us-west1', limit: 42, options: { dry: false }, query: 'q' };
    const lines = [
      ['mcp-param-region', 'us-west1'],
      ['mcp-param-limit', '42'],
      ['mcp-param-dry-run', 'false'],
      ['mcp-param-unknown', 'é'],
    ] as const;
    expect(check(args, ...lines)).toBeUndefined();
  });

  test('W55 V43: a value without its header is refused', () => {
    expect(checkParamHeaders(headers, { region: 'a' }, headOf())).toEqual({
      error: 'HEADER_MISMATCH',
      detail: 'The Mcp-Param-Region header is missing.',
    });
    expect(check({ options: { dry: true } })).toMatch(/dry-run header is missing/);
    expect(check({ region: '' })).toMatch(/missing/);
  });

  test.each([undefined, null, {}, { region: null }, { options: null }, { options: 5 }, [], 'x'])(
    'W55 V43: the arguments %j need no header and may have none',
    (args) => {
      expect(check(args)).toBeUndefined();
      expect(check(args, ['mcp-param-region', 'a'])).toMatch(/repeats no argument/);
    },
  );

  test('W55: a name inherited from the prototype is no argument', () => {
    const inherited = headersOf({
      properties: { toString: { type: 'string', 'x-mcp-header': 'T' } },
    });
    expect(checkParamHeaders(inherited, {}, headOf())).toBeUndefined();
  });

  test('W55 V43: strings are compared exactly, after decoding', () => {
    const args = { region: 'Zürich' };
    expect(check(args, ['mcp-param-region', encodeHeaderValue('Zürich')])).toBeUndefined();
    expect(check(args, ['mcp-param-region', encodeHeaderValue('zürich')])).toMatch(/differs/);
    expect(check(args, ['mcp-param-region', 'Zürich'])).toMatch(/not validly encoded/);
    expect(check({ region: 'Hello' }, ['mcp-param-region', '=?base64?SGVsbG8?='])).toMatch(
      /encoded/,
    );
    expect(check({ region: 'Hello' }, ['mcp-param-region', '=?base64?SGVs!!!bG8=?='])).toMatch(
      /encoded/,
    );
    expect(check({ region: 'Hello' }, ['mcp-param-region', '=?base64?SGVsbG8='])).toMatch(
      /differs/,
    );
    expect(check({ region: 'Hello' }, ['mcp-param-region', '=?base64?SGVsbG8=?='])).toBeUndefined();
    expect(check({ region: '' }, ['mcp-param-region', ''])).toBeUndefined();
  });

  test.each(['42', '42.0', '42.000', ' 42\t', '=?base64?NDI=?='])('W55: %j equals 42', (value) => {
    expect(check({ limit: 42 }, ['mcp-param-limit', value])).toBeUndefined();
  });

  test.each([
    '43',
    '4.2e1',
    '0x2a',
    '042',
    '+42',
    '42.',
    '42.00000000000000000001',
    '',
    'true',
    '４２',
  ])('W55 V43: %j does not equal 42', (value) => {
    expect(check({ limit: 42 }, ['mcp-param-limit', value])).toBeDefined();
  });

  test('W55 V43: integers beyond 2^53 are refused, for they cannot be compared', () => {
    const args: unknown = JSON.parse('{"limit":9007199254740993}');
    expect(check(args, ['mcp-param-limit', '9007199254740993'])).toMatch(/differs/);
    expect(
      check({ limit: Number.MAX_SAFE_INTEGER }, ['mcp-param-limit', '9007199254740991']),
    ).toBeUndefined();
  });

  test('W55: booleans are true and false in lower case', () => {
    const dry = (value: string): string | undefined =>
      check({ options: { dry: true } }, ['mcp-param-dry-run', value]);
    expect(dry('true')).toBeUndefined();
    for (const value of ['True', '1', 'false', 'yes']) expect(dry(value)).toMatch(/differs/);
  });

  test('W53 V43: a repeated header is refused even if both are the same, argument or not', () => {
    const line = ['mcp-param-region', 'a'] as const;
    expect(check({ region: 'a' }, line, line)).toMatch(/more than once/);
    expect(check({}, line, line)).toMatch(/more than once/);
  });

  test('V44: an argument that is no plain value cannot be repeated in a header', () => {
    for (const region of [undefined, null, ['a'], { toString: 'a' }]) {
      expect(paramHeaderLines(headers, { region })).toEqual([]);
    }
    expect(check({ region: ['a'] })).toBeUndefined();
    expect(check({ region: ['a'] }, ['mcp-param-region', 'a'])).toMatch(/repeats no argument/);
  });

  test('W55: what a client encodes from its arguments is always accepted', () => {
    const anyArgs = fc.record({
      region: fc.string({ unit: 'binary' }).filter((text) => !/\p{Surrogate}/u.test(text)),
      limit: fc.maxSafeInteger(),
      options: fc.record({ dry: fc.boolean() }),
    });
    fc.assert(
      fc.property(anyArgs, (args) => {
        const flat = paramHeaderLines(headers, args);
        const lines = flat.flatMap((name, i) =>
          i % 2 === 0 ? [[name.toLowerCase(), flat[i + 1] ?? ''] as const] : [],
        );
        expect(lines).toHaveLength(3);
        expect(check(args, ...lines)).toBeUndefined();
      }),
    );
  });
});

test('a schema may have as many parts as a message holds', () => {
  const anyOf = Array.from({ length: 300_000 }, () => true);
  expect(paramHeadersOf({ type: 'object', anyOf })).toEqual({ kind: 'headers', headers: [] });
});

test('V41 of a request only these headers are handed on, as they came, repeated ones repeated', () => {
  const others = ['host', 'authorization', 'cookie', 'dpop', 'mcp-session-id', 'x-mcp-param-a'];
  const head = {
    headerNames: () => [...others, 'mcp-param-region', 'mcp-param-dry', 'mcp-param-region'],
    header: (name: string) => `of ${name}`,
  };
  const region = ['mcp-param-region', 'of mcp-param-region'];
  const dry = ['mcp-param-dry', 'of mcp-param-dry'];
  expect(paramLinesOf(head)).toEqual([...region, ...dry, ...region]);
});
