// An identity provider small enough to read: it publishes its key, and gives a token of each of its
// three people to whoever asks on this machine. Never use it for anything but a look.
//   curl 'http://127.0.0.1:9400/tokens/ann'
//   curl 'http://127.0.0.1:9400/tokens/ann?resource=http://127.0.0.1:8808/reports/mcp&seconds=60'
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';

const PEOPLE = {
  ann: { org: 'acme', groups: ['staff', 'editors', 'hr'] },
  bob: { org: 'acme', groups: ['staff'] },
  gil: { org: 'globex', groups: ['staff', 'editors'] },
};
const SERVERS = ['reports', 'payroll', 'all'];

/** @param gatewayUrl - the public URL of the gateway: tokens are for its servers and no others. */
export async function startProvider(port, gatewayUrl) {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  // Named after itself: another key, made when this starts again, has another name.
  const kid = await calculateJwkThumbprint(jwk);
  const servers = SERVERS.map((each) => `${gatewayUrl}/${each}/mcp`);
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, issuer());
    const json = (value) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    const name = /^\/tokens\/(\w+)$/.exec(pathname)?.[1];
    if (pathname === '/jwks') json({ keys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }] });
    else if (pathname.startsWith('/.well-known/')) {
      json({ issuer: issuer(), jwks_uri: `${issuer()}/jwks` });
    } else if (Object.hasOwn(PEOPLE, name) && isLocal(request)) {
      const resource = searchParams.get('resource') ?? undefined;
      const seconds = Number(searchParams.get('seconds') ?? 3600);
      void tokenOf(name, { resource, seconds }).then((token) => response.end(`${token}\n`));
    } else response.writeHead(404).end('There is nothing here.\n');
  });
  const issuer = () => `http://127.0.0.1:${server.address().port}`;
  /** A page in a browser could call this machine by a name of its own. */
  const isLocal = ({ headers }) => headers.host === `127.0.0.1:${server.address().port}`;
  /** Without a resource it is for every server, and without seconds for an hour. */
  const tokenOf = (name, { resource = servers, seconds = 3600 } = {}) =>
    new SignJWT(PEOPLE[name])
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt' })
      .setIssuer(issuer())
      .setSubject(name)
      .setAudience(resource)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
      .sign(privateKey);
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    issuer: issuer(),
    people: Object.keys(PEOPLE),
    tokenOf,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { issuer, people } = await startProvider(9400, 'http://127.0.0.1:8808');
    for (const name of people) console.log(`A token of ${name}: ${issuer}/tokens/${name}`);
    console.log(`The issuer is ${issuer}; Ctrl-C ends it.`);
  } catch (error) {
    console.error(`The provider cannot listen on 127.0.0.1:9400 (${error.code}).`);
    process.exitCode = 1;
  }
}
