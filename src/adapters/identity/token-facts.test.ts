import { expect, it } from 'vitest';
import { bindingOf, invalid, THROTTLED, UNAVAILABLE } from './token-facts.ts';

it.each([
  [undefined, { jkt: undefined, x5t: undefined }],
  [{ jkt: 'k' }, { jkt: 'k', x5t: undefined }],
  [{ 'x5t#S256': 'c' }, { jkt: undefined, x5t: 'c' }],
  [
    { jkt: 'k', 'x5t#S256': 'c', kid: 'x' },
    { jkt: 'k', x5t: 'c' },
  ],
])('a token whose `cnf` is %j is bound by %j', (cnf, binding) => {
  expect(bindingOf({ cnf })).toEqual(binding);
});

it.each([
  null,
  'k',
  {},
  { kid: 'x' },
  { jwk: {} },
  { jkt: 7 },
  { jkt: null, 'x5t#S256': 'c' },
  { jkt: 'k', 'x5t#S256': 7 },
])('a token whose `cnf` is %j is bound in a way we do not know', (cnf) => {
  expect(bindingOf({ cnf })).toBeUndefined();
});

it('what is wrong with a token is told from whoever could not tell, and from what was not seen', () => {
  expect(invalid('key')).toEqual({ kind: 'invalid', why: 'key' });
  expect([UNAVAILABLE.kind, THROTTLED.kind]).toEqual(['unavailable', 'throttled']);
});
