import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts';

/** Lone surrogates have none. */
const hasUtf8 = (text: string): boolean => !/\p{Surrogate}/u.test(text);

test.each([
  ['us-west1', 'us-west1'],
  ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
  [' padded ', '=?base64?IHBhZGRlZCA=?='],
  ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
  ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
  ['', '=?base64??='],
  ['a\tb', 'a\tb'],
  ['a\u0000b', '=?base64?YQBi?='],
  ['a\u007fb', '=?base64?YX9i?='],
  ['a\u0080b', '=?base64?YcKAYg==?='],
  ['a\u00ffb', '=?base64?YcO/Yg==?='],
  ['\ta', '=?base64?CWE=?='],
  ['\uFEFFa', '=?base64?77u/YQ==?='],
])('W54 V43 V44: %j travels as %j', (value, header) => {
  expect(encodeHeaderValue(value)).toBe(header);
  expect(decodeHeaderValue(header)).toBe(value);
});

test('W54 V44: any text that has UTF-8 survives, in visible ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      fc.pre(hasUtf8(value));
      const header = encodeHeaderValue(value);
      expect(header).toMatch(/^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/);
      expect(decodeHeaderValue(header)).toBe(value);
      expect(decodeHeaderValue(`\t ${header} `)).toBe(value);
    }),
    { numRuns: 1000 },
  );
});

test('W54: base64 agrees with the platform', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((text) => hasUtf8(text)),
      (text) => {
        const base64 = Buffer.from(text, 'utf8').toString('base64');
        expect(decodeHeaderValue(`=?base64?${base64}?=`)).toBe(text);
      },
    ),
  );
});

test.each([
  'SGVsbG8=?', // The markers do not close.
  '=?base64?SGVsbG8=',
  '=?BASE64?SGVsbG8=?=',
  '=?Base64?SGVsbG8=?=',
  '=?base64SGVsbG8=?=',
  'x=?base64?SGVsbG8=?=',
  '=?base64?SGVsbG8=?= x',
  '?=',
])('W54: %j is no marked value and stands for itself', (value) => {
  expect(decodeHeaderValue(value)).toBe(value);
});

test.each([
  '=?base64?SGVsbG8?=', // Padding is missing.
  '=?base64?SGVs!!!bG8=?=',
  '=?base64?SGVsbG8==?=',
  '=?base64?SGVsbG8===?=',
  '=?base64?=SGVsbG8?=',
  '=?base64?SGVs bG8=?=',
  '=?base64?SGVs_G8-?=', // The alphabet of URLs.
  '=?base64?SGVsbG9=?=', // Bits beyond the last byte are set.
  '=?base64?SGX=?=',
  '=?base64?A?=',
  '=?base64?/w==?=', // Not UTF-8.
  '=?base64?wIA=?=', // An overlong form.
  '=?base64?7aCA?=', // A surrogate.
  '=?base64?=', // The markers share a character.
  'Hello, 世界',
  'a\u0000b',
  'a\u007f',
  'a\u00e9',
  'a\nb',
])('W54 V43: %j is refused', (value) => {
  expect(decodeHeaderValue(value)).toBeUndefined();
});

test('a lone surrogate is sent as the replacement character', () => {
  expect(decodeHeaderValue(encodeHeaderValue('a\ud800'))).toBe('a\ufffd');
});
