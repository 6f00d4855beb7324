import { expect, it } from 'vitest';
import { credentialIdOf } from './token-credential.ts';
import type { TokenFacts } from './token-facts.ts';

const DIGEST = 'abcdefghijklmnopqrstuvwxyz';

function idOf(jti: unknown): string {
  return credentialIdOf({ claims: { jti } } as unknown as TokenFacts, DIGEST);
}

it('a credential goes by the name its issuer gave it', () => {
  expect(idOf('7')).toBe('jti:7');
  expect(idOf('n'.repeat(256))).toBe(`jti:${'n'.repeat(256)}`);
});

it.each(['', 'n'.repeat(257), 7, null, undefined, ['7']])(
  'one whose name is %j goes by what it is',
  (jti) => {
    expect(idOf(jti)).toBe('token:abcdefghijklmnopqrstuv');
  },
);
