// An identity provider small enough to read: it publishes its key and has three people, of whom it
// gives a token to whoever starts it. Never use it for anything but a look.
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const PEOPLE = {
  ann: { org: 'acme', groups: ['staff', 'editors', 'hr'] },
  bob: { org: 'acme', groups: ['staff'] },
  gil: { org: 'globex', groups: ['staff', 'editors'] },
};
const SERVERS = ['reports', 'payroll', 'all'];

/** @param gatewayUrl - the public URL of the gateway: tokens are for its servers and no others. */
export async function startProvider(port, gatewayUrl) {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), kid: 'example', alg: 'ES256', use: 'sig' };
  const server = createServer((request, response) => {
    const isKeys = request.url === '/jwks';
    const body = isKeys ? { keys: [key] } : { issuer: issuer(), jwks_uri: `${issuer()}/jwks` };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  const issuer = () => `http://127.0.0.1:${server.address().port}`;
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    issuer: issuer(),
    people: Object.keys(PEOPLE),
    tokenOf: (name) =>
      new SignJWT(PEOPLE[name])
        .setProtectedHeader({ alg: 'ES256', kid: 'example', typ: 'at+jwt' })
        .setIssuer(issuer())
        .setSubject(name)
        .setAudience(SERVERS.map((each) => `${gatewayUrl}/${each}/mcp`))
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const provider = await startProvider(9400, 'http://127.0.0.1:8808');
  for (const name of provider.people) console.log(`${name}: ${await provider.tokenOf(name)}\n`);
  console.log(`The issuer is ${provider.issuer}; Ctrl-C ends it.`);
}
