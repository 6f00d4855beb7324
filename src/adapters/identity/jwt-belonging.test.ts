import { expect, it } from 'vitest';
import { isJwt, jwtBelonging } from './jwt-belonging.ts';

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

it.each(['', 'opaque', 'a.b', 'a.b.c.d', 'a.b+c.d', 'a..c'])('is none by its form: %j', (text) => {
  expect(isJwt(text)).toBe(false);
});

it('has the form of one without a signature, and whatever it says', () => {
  expect([isJwt('a.b.c'), isJwt('a.b.'), isJwt(tokenOf({}))]).toEqual([true, true, true]);
  expect(jwtBelonging('a.b.c', OURS)).toBe('unfit');
});

it.each(['.x', '+', '=', '\n'])('is none with %j behind it', (end) => {
  expect(isJwt(tokenOf({ iss: 'https://idp.example' }) + end)).toBe(false);
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
