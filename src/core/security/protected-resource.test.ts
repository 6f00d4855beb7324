import { describe, expect, it } from 'vitest';
import { audiencesOf, canonicalAudience, metadataAt, metadataUrl } from './protected-resource.ts';

const ONE = { publicUrl: 'https://a.test/base/files', prefix: '/files', isOnly: false };
const FACTS = {
  issuers: ['https://idp.test'],
  scopes: [],
  dpopAlgorithms: [],
  isDpopRequired: false,
};
const KNOWN = '/.well-known/oauth-protected-resource';

it('V35 a token may name the server or an entrance of it, and nothing else', () => {
  expect(audiencesOf('https://a.test/files')).toEqual([
    'https://a.test/files',
    'https://a.test/files/',
    'https://a.test/files/mcp',
    'https://a.test/files/sse',
  ]);
});

it.each([
  ['HTTPS://A.Test/Files?X#Y', 'https://a.test/Files?X#Y'],
  ['https://a.test', 'https://a.test'],
  ['HTTPS://A.test:443/b/../C', 'https://a.test:443/b/../C'],
  ['https://A.test?B', 'https://a.test?B'],
  ['API_CLIENT_ID', 'API_CLIENT_ID'],
  ['urn:Example:A', 'urn:Example:A'],
  [' HTTPS://A.test', ' HTTPS://A.test'],
])('V35 an audience is the same whatever the case of its scheme and host: %j', (given, same) => {
  expect(canonicalAudience(given)).toBe(same);
});

describe('where a resource is described', () => {
  it.each([
    ['/files/mcp', '/mcp'],
    ['/files/sse', '/sse'],
    ['/files/sse/', '/sse'],
    ['/files/messages', '/sse'],
    ['/files/message', '/sse'],
    ['/files/messages/', '/sse'],
    ['/files/messages2', '/mcp'],
    ['/files/ssex', '/mcp'],
    ['/files/xsse', '/mcp'],
    ['/files/nowhere', '/mcp'],
    ['', '/mcp'],
  ])('%s belongs to %s', (path, entrance) => {
    expect(metadataUrl('https://a.test/base', path)).toBe(`https://a.test${KNOWN}/base${entrance}`);
  });
});

describe('what is said at a path', () => {
  it.each([
    [`${KNOWN}/base/files`, 'https://a.test/base/files/mcp'],
    [`${KNOWN}/base/files/`, 'https://a.test/base/files/mcp'],
    [`${KNOWN}/base/files/mcp`, 'https://a.test/base/files/mcp'],
    [`${KNOWN}/base/files/sse`, 'https://a.test/base/files/sse'],
    [`${KNOWN}/files/sse`, 'https://a.test/base/files/sse'],
    [`${KNOWN}/files`, 'https://a.test/base/files/mcp'],
  ])('%s tells of %s', (path, resource) => {
    expect(JSON.parse(metadataAt(path, ONE, FACTS) ?? '{}')).toEqual({
      resource,
      authorization_servers: ['https://idp.test'],
      bearer_methods_supported: ['header'],
    });
  });

  it.each([
    KNOWN,
    `${KNOWN}/`,
    `${KNOWN}/other/mcp`,
    `${KNOWN}/base/files/messages`,
    `${KNOWN}/base/filesmcp`,
    '/well-known/oauth-protected-resource/files/mcp',
    '/-well-known/oauth-protected-resource/files/mcp',
    '/files/mcp',
  ])('%s tells of nobody', (path) => {
    expect(metadataAt(path, ONE, FACTS)).toBeUndefined();
  });

  it('tells of the only server at the root, too', () => {
    const only = { publicUrl: 'https://a.test', prefix: '', isOnly: true };
    for (const path of [KNOWN, `${KNOWN}/`, `${KNOWN}/mcp`]) {
      const { resource } = JSON.parse(metadataAt(path, only, FACTS) ?? '{}') as {
        resource: string;
      };
      expect(resource).toBe('https://a.test/mcp');
    }
    const deep = { ...ONE, isOnly: true };
    expect(metadataAt(KNOWN, deep, FACTS)).toBeDefined();
    expect(metadataAt(`${KNOWN}/else`, deep, FACTS)).toBeUndefined();
  });

  it('says what is needed, where something is', () => {
    const facts = {
      ...FACTS,
      scopes: ['mcp'],
      dpopAlgorithms: ['ES256'],
      isDpopRequired: true,
    };
    expect(JSON.parse(metadataAt(`${KNOWN}/files`, ONE, facts) ?? '{}')).toEqual({
      resource: 'https://a.test/base/files/mcp',
      authorization_servers: ['https://idp.test'],
      bearer_methods_supported: ['header'],
      scopes_supported: ['mcp'],
      dpop_signing_alg_values_supported: ['ES256'],
      dpop_bound_access_tokens_required: true,
    });
  });
});
