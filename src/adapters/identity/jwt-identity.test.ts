import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { expect, it } from 'vitest';
import type { IdentityOutcome, RequestHead } from '../../core/ports.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { jwtIdentity } from './jwt-identity.ts';

const ISSUER = 'https://idp.example';
const SERVER = 'https://mcp.example/files';

async function keyOf(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: 'ES256' };
  return { privateKey, jwk };
}

/** Time goes by while it is looked whether that has happened. */
const PATIENCE = { timeout: 15_000, interval: 1 };

it('what a JWT opened goes on while its issuer has the key, and ends when that is withdrawn', async () => {
  const clock = new VirtualClock();
  const [own, more] = [await keyOf('own'), await keyOf('more')];
  const [published, fetched, ended]: [JWK[], JWK[][], string[]] = [[own.jwk], [], []];
  const identity = jwtIdentity(
    { issuers: [{ issuer: ISSUER, jwksUri: `${ISSUER}/jwks` }] },
    {
      clock,
      now: () => clock.now(),
      telemetry: { log() {}, count() {}, request() {}, streamClosed() {} },
      opened: { ids: () => new Set(['jti:one']), ended: (_, id) => void ended.push(id) },
      fetch: () => {
        fetched.push([...published]);
        return Promise.resolve(Response.json({ keys: published }));
      },
    },
  );
  const claims = { iss: ISSUER, aud: SERVER, sub: 'ann', jti: 'one', exp: 999_999 };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'own' })
    .sign(own.privateKey);
  const ask = (): Promise<IdentityOutcome> =>
    new Promise((resolve) => identity.at(SERVER).verify(headOf(token), resolve));
  expect((await ask()).kind).toBe('principal');

  published.push(more.jwk);
  const hasFetched = (count: number): (() => boolean) => {
    return () => {
      clock.advance(5000);
      return fetched.length >= count;
    };
  };
  await expect.poll(hasFetched(3), PATIENCE).toBe(true);
  expect([fetched[1]?.length, ended]).toEqual([2, []]);
  expect((await ask()).kind).toBe('principal');

  published.shift();
  const whoEnded = (): readonly string[] => {
    clock.advance(5000);
    return ended;
  };
  await expect.poll(whoEnded, PATIENCE).toEqual(['jti:one']);
  expect((await ask()).kind).toBe('refused');
  identity.close();
});

function headOf(token: string): RequestHead {
  return {
    method: 'POST',
    path: '/files/mcp',
    query: '',
    remoteAddress: '192.0.2.1',
    header: (name) => (name === 'authorization' ? `Bearer ${token}` : undefined),
    headerCount: (name) => (name === 'authorization' ? 1 : 0),
    headerNames: () => [],
  };
}
