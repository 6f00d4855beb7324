import { describe, expect, it } from 'vitest';
import { cedarValue, isText } from './cedar-value.ts';

/** A value in so many lists. */
function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

function recordOf(members: number): object {
  return Object.fromEntries(Array.from({ length: members }, (_, i) => [`k${i}`, i]));
}

describe('a value of Cedar', () => {
  it.each([
    ['text', 'text'],
    ['', ''],
    [true, true],
    [false, false],
    [0, 0],
    [-7, -7],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    [0.5, '0.5'],
    [1e300, '1e+300'],
    [[], []],
    [
      ['a', null, 1],
      ['a', 1],
    ],
    [{ a: null, b: { c: [true] } }, { b: { c: [true] } }],
    [
      { _a: 1, a__: 2 },
      { _a: 1, a__: 2 },
    ],
  ])('of %j is %j', (value, held) => {
    expect(cedarValue(value)).toEqual(held);
  });

  it.each<readonly [string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a function', () => 1],
    ['half a character', '\ud83d'],
    ['a list that holds one', ['a', '\ud83d']],
    ['a record that holds one', { a: 'a', b: '\ud83d' }],
    ['a record with such a name', { '\ud83d': 1 }],
    ['an entity', { __entity: { type: 'User', id: 'root' } }],
    ['a function of Cedar, in a list', [{ __extn: { fn: 'ip', arg: '::1' } }]],
    ['what Cedar reserves, though it is null', { __a: null }],
  ])('is none of %s', (_, value) => {
    expect(cedarValue(value)).toBeUndefined();
  });

  it('holds so much in all, and no more', () => {
    const listsWith = (last: number): unknown => [
      ...Array.from({ length: 15 }, (): unknown => Array(256).fill(1)),
      Array(last).fill({}),
    ];
    // With itself and its lists these are 4096.
    expect(cedarValue(listsWith(239))).toHaveLength(16);
    expect(cedarValue(listsWith(240))).toBeUndefined();
  });

  it('lies so deep and holds so much, and no more', () => {
    expect(cedarValue(nested(8))).toEqual(nested(8));
    expect(cedarValue(nested(9))).toBeUndefined();
    expect(cedarValue(Array(256).fill(1))).toHaveLength(256);
    expect(cedarValue(Array(257).fill(1))).toBeUndefined();
    expect(cedarValue(recordOf(256))).toEqual(recordOf(256));
    expect(cedarValue(recordOf(257))).toBeUndefined();
    const deep = (depth: number): unknown => (depth === 0 ? 1 : { a: deep(depth - 1) });
    expect(cedarValue(deep(8))).toEqual(deep(8));
    expect(cedarValue(deep(9))).toBeUndefined();
  });
});

it.each([
  ['', true],
  ['😀', true],
  ['\ud83d', false],
  ['a\ude00b', false],
])('%j is text that stays as it is: %s', (text, is) => {
  expect(isText(text)).toBe(is);
});
