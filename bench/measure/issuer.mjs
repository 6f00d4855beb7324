/** Who issues the tokens: keys published on loopback, in this process, and tokens signed with them. */
import { createServer } from 'node:http';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';

const ALGORITHM = 'RS256';
const AUDIENCE = 'https://bench.example';
const KEY_ID = 'bench';

export async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM);
  const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: ALGORITHM, use: 'sig' };
  const server = createServer((request, response) => {
    const issuer = `http://127.0.0.1:${server.address().port}`;
    const metadata = { issuer, jwks_uri: `${issuer}/jwks` };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/jwks' ? { keys: [jwk] } : metadata));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    algorithm: ALGORITHM,
    audience: AUDIENCE,
    token: (jti, claims = {}) =>
      new SignJWT({ org: 'acme', groups: ['bench', 'staff'], scope: 'mcp', ...claims })
        .setProtectedHeader({ alg: ALGORITHM, kid: KEY_ID, typ: 'at+jwt' })
        .setIssuer(url)
        .setSubject('ann')
        .setAudience(AUDIENCE)
        .setJti(jti)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** A key of a client, and proofs that it has it. */
export async function startHolder() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  return {
    jkt: await calculateJwkThumbprint(jwk),
    proof: (url, ath, jti) =>
      new SignJWT({ htm: 'POST', htu: url, ath, jti })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .sign(privateKey),
  };
}
