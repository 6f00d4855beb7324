import { expect, test } from 'vitest';
import { failurePlace } from './failure-place.ts';

test('a failure is told by its kind and its place', () => {
  const error = Object.assign(new TypeError('canary'), { code: 'ERR_CANNOT' });
  expect(failurePlace(error)).toMatch(/^TypeError ERR_CANNOT at .*failure-place\.test\.ts:\d+:\d+/);
});

test.each([
  ['a message', new Error('canary')],
  ['a message that looks like a frame', new Error('x\n    at canary (/a.js:1:1)')],
  ['a name', Object.assign(new Error('x'), { name: 'the canary of 1' })],
  ['a code', Object.assign(new Error('x'), { code: 'canary' })],
  ['what is no error', 'canary'],
])('%s is not repeated', (_, error) => {
  expect(failurePlace(error)).not.toContain('canary');
});
