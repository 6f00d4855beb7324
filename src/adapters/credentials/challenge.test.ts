import { expect, it } from 'vitest';
import { joinedScope, readChallenge } from './challenge.ts';

it('reads where a server describes itself, and what it asks for', () => {
  const header = 'Basic realm="x", Bearer realm="y", scope="a b", resource_metadata="https://s/m"';
  expect(readChallenge(header)).toEqual({ metadataUrl: 'https://s/m', scope: 'a b' });
  expect(readChallenge('bearer scope=a')).toEqual({ metadataUrl: undefined, scope: 'a' });
});

it('reads nothing out of anything else', () => {
  const nothing = { metadataUrl: undefined, scope: undefined };
  for (const header of [undefined, '', 'Basic scope="a"', 'Bearer', 'Bearer xscope="a"']) {
    expect(readChallenge(header)).toEqual(nothing);
  }
  expect(readChallenge('Bearer resource_metadata="not a url"')).toEqual(nothing);
});

it('joins scopes, each once', () => {
  expect(joinedScope('a b', undefined, 'b  c')).toBe('a b c');
  expect(joinedScope('', undefined)).toBeUndefined();
});
