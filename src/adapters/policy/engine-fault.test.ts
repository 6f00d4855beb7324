import { expect, test } from 'vitest';
import { engineFault } from './engine-fault.ts';

test.each([
  [
    'error while evaluating `ipaddr` extension function: invalid IP address: canary',
    'error while evaluating `ipaddr` extension function',
  ],
  [
    'error while evaluating `decimal` extension function: `canary` is not a well-formed decimal',
    'error while evaluating `decimal` extension function',
  ],
  [
    'integer overflow while attempting to multiply the values `77123` and `9`',
    'integer overflow while attempting to multiply',
  ],
  ['something else about `canary`', 'it could not be evaluated'],
  ['', 'it could not be evaluated'],
])('of %j nothing that was asked is repeated', (said, told) => {
  expect(engineFault(said)).toBe(told);
});

test.each([
  'type error: expected long, got string',
  'type error: expected one of [record, (entity of type `any_entity_type`)], got string',
  'record does not have the attribute `mode`',
])('%j is repeated as it is', (said) => expect(engineFault(said)).toBe(said));
