import { expect, it } from 'vitest';
import { discoverJwksUri } from './discover-jwks.ts';

const ISSUER = 'https://idp.example/tenant';
const METADATA = JSON.stringify({ issuer: ISSUER, jwks_uri: 'https://idp.example/keys' });
const WAYS = [
  'https://idp.example/.well-known/oauth-authorization-server/tenant',
  'https://idp.example/.well-known/openid-configuration/tenant',
  'https://idp.example/tenant/.well-known/openid-configuration',
];

/** An issuer that answers so at its addresses, one after the other, and what it was asked. */
function asking(...answers: readonly (readonly [number, string])[]) {
  const asked: string[] = [];
  const found = discoverJwksUri(ISSUER, async (url) => {
    const [status, body] = answers[asked.length] ?? [404, ''];
    asked.push(String(url));
    return new Response(body, { status });
  });
  return { asked, found };
}

it.each([
  [404, ''],
  [501, ''],
  [503, 'down'],
  [200, '<!doctype html>'],
  [200, '"text"'],
  [200, 'null'],
  [200, ''],
])('what is no metadata, %s with %j, is looked for at the next address', async (status, body) => {
  const { asked, found } = asking([status, body], [status, body], [200, METADATA]);
  expect(await found).toBe('https://idp.example/keys');
  expect(asked).toEqual(WAYS);
});

it.each([
  ['The issuer has no metadata.', 404, ''],
  ['The issuer answers 501.', 501, ''],
  ['The issuer answers with no metadata.', 200, '<!doctype html>'],
])('without any it says: %s', async (fault, status, body) => {
  const { asked, found } = asking([status, body]);
  await expect(found).rejects.toThrow(fault);
  expect(asked).toEqual(WAYS);
});

it.each([
  ['The metadata is of another issuer.', { issuer: 'https://idp.example/other' }],
  ['The metadata is of another issuer.', {}],
  ['The metadata names no keys.', { issuer: ISSUER, jwks_uri: 'keys' }],
])('metadata that lies is the end of it: %s', async (fault, metadata) => {
  const { asked, found } = asking([200, JSON.stringify(metadata)], [200, METADATA]);
  await expect(found).rejects.toThrow(fault);
  expect(asked).toHaveLength(1);
});

it.each(['http://127.0.0.1:2/', 'http://[::1]/', 'https://localhost', 'http://a.LOCALHOST/'])(
  'V37: an issuer elsewhere has no keys on this machine: %s',
  async (uri) => {
    const { found } = asking([200, JSON.stringify({ issuer: ISSUER, jwks_uri: uri })]);
    await expect(found).rejects.toThrow('The metadata leads to this machine');
  },
);

it('an issuer on this machine has its keys there, too', async () => {
  const metadata = { issuer: 'http://127.0.0.1:9400', jwks_uri: 'http://localhost:9400/keys' };
  const fetch = async (): Promise<Response> => new Response(JSON.stringify(metadata));
  expect(await discoverJwksUri(metadata.issuer, fetch)).toBe(metadata.jwks_uri);
});
