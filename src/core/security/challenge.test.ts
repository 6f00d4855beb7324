import { expect, it } from 'vitest';
import { challenge, challenges, quotedString } from './challenge.ts';

it('says nothing but the realm when there is nothing else to say', () => {
  expect(challenge('Bearer', {})).toBe('Bearer realm="tidegate"');
  expect(challenge('DPoP', { scopes: [] })).toBe('DPoP realm="tidegate"');
});

it('says every fact once, in one order', () => {
  const facts = {
    error: 'insufficient_scope',
    description: 'Ask for more.',
    scopes: ['files:read', 'files:write'],
    metadataUrl: 'https://a.test/.well-known/oauth-protected-resource/mcp',
    algorithms: ['ES256', 'EdDSA'],
  };
  expect(challenge('DPoP', facts)).toBe(
    'DPoP realm="tidegate", error="insufficient_scope", error_description="Ask for more.", ' +
      'scope="files:read files:write", ' +
      'resource_metadata="https://a.test/.well-known/oauth-protected-resource/mcp", ' +
      'algs="ES256 EdDSA"',
  );
});

it('is one for each scheme that is taken', () => {
  const [bearer, proof] = ['Bearer realm="tidegate"', 'DPoP realm="tidegate", algs="ES256"'];
  const [dpopAlgorithms, name] = [['ES256'], 'WWW-Authenticate'];
  const said = (isDpopRequired: boolean, isRead = true): readonly string[] =>
    challenges({}, { dpopAlgorithms: isRead ? dpopAlgorithms : [], isDpopRequired });
  expect(said(false)).toEqual([name, bearer, name, proof]);
  expect(said(true)).toEqual([name, proof]);
  expect(said(false, false)).toEqual([name, bearer]);
});

it('V39 lets no value add a parameter or a line', () => {
  expect(quotedString('a", evil="b')).toBe(String.raw`"a\", evil=\"b"`);
  expect(quotedString('a\\')).toBe(String.raw`"a\\"`);
  expect(quotedString('a\r\nSet-Cookie: b\u0000\u007fé')).toBe('"a??Set-Cookie: b???"');
  expect(quotedString(' ~')).toBe('" ~"');
  expect(challenge('Bearer', { error: 'a", scope="all' })).toBe(
    String.raw`Bearer realm="tidegate", error="a\", scope=\"all"`,
  );
});
