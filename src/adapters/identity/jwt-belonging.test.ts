import { expect, it } from 'vitest';
import { jwtBelonging } from './jwt-belonging.ts';

const OURS: ReadonlySet<string> = new Set(['https://idp.example', 'https://idp2.example']);

function tokenOf(claims: unknown): string {
  const text = typeof claims === 'string' ? claims : JSON.stringify(claims);
  return `e30.${Buffer.from(text).toString('base64url')}.c2ln`;
}

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
const many = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));

it.each([
  ['ours', { iss: 'https://idp.example' }],
  ['ours', { sub: 'ann', iss: 'https://idp2.example' }],
  ['foreign', { iss: 'https://idp.example/' }],
  ['foreign', { iss: ['https://idp.example'] }],
  ['foreign', { sub: 'ann' }],
  ['foreign', { act: { iss: 'https://idp.example' } }],
  ['unfit', '[]'],
  ['unfit', '"text"'],
  ['unfit', '{"iss":'],
  ['unfit', '{"iss":"https://idp.example",}'],
  ['unfit', '{"iss":"https://idp.example","exp":tru}'],
])('is %s to us by what it says: %j', (belonging, claims) => {
  expect(jwtBelonging(tokenOf(claims), OURS)).toBe(belonging);
});

it.each(['', 'opaque', 'a.b', 'a.b.c.d', 'a.b.c', 'a.b+c.d', 'a..c'])('is none: %j', (text) => {
  expect(jwtBelonging(text, OURS)).toBe('unfit');
});

it.each(['.x', '+', '='])(
  'is none with %j behind it, whatever it says and whoever knew it',
  (end) => {
    const token = tokenOf({ iss: 'https://idp.example' }) + end;
    expect(jwtBelonging(token, OURS, () => true)).toBe('unfit');
  },
);

it('is ours when it was verified before, and is not read for that', () => {
  expect(jwtBelonging(tokenOf({ iss: 'https://other.example' }), OURS, () => true)).toBe('ours');
  expect(jwtBelonging('e30.b3BhcXVl.c2ln', OURS, () => true)).toBe('ours');
});

it('is left to whoever counts what looking costs, where looking would cost more', () => {
  expect(jwtBelonging(tokenOf({ a: nested(15) }), OURS)).toBe('foreign');
  expect(jwtBelonging(tokenOf({ a: nested(16) }), OURS)).toBe('ours');
  expect(jwtBelonging(tokenOf(many(256)), OURS)).toBe('foreign');
  expect(jwtBelonging(tokenOf(many(257)), OURS)).toBe('ours');
  expect(jwtBelonging(tokenOf({ a: 'x'.repeat(16_384) }), OURS)).toBe('foreign');
  expect(jwtBelonging(tokenOf({ a: 'x'.repeat(16_385) }), OURS)).toBe('ours');
  expect(jwtBelonging(tokenOf('[1]'), OURS)).toBe('ours');
});
