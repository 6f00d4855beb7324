import { describe, expect, it } from 'vitest';
import type { AuthConfig } from '../gateway-config.ts';
import { readConfig } from './read-config.ts';

const PUBLIC = 'listen: { publicUrl: "https://mcp.example.com" }';

function read(door: string, listen = PUBLIC) {
  return readConfig(`${listen}\n${door}\nservers: { a: { command: x } }`, {
    path: '/etc/tidegate/tidegate.yaml',
    env: { SECRET: 's3cret-of-the-gateway' },
    readFile: () => ({ kind: 'unreadable', fault: 'does not exist' }),
  });
}

function authOf(door: string): AuthConfig {
  const outcome = read(door);
  if (outcome.kind === 'faulty') throw new Error(JSON.stringify(outcome.problems));
  return outcome.config.auth;
}

function problemsOf(door: string, listen?: string): readonly string[] {
  const outcome = read(door, listen);
  if (outcome.kind === 'config') return [];
  return outcome.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

const ISSUER = 'issuer: "https://idp.example.com/"';

describe('an issuer of tokens', () => {
  it('is named exactly as it names itself, and claims are mapped', () => {
    const mapping =
      'tenant: { claim: org }, groups: { claim: realm_access.roles }, claims: { dept: department }';
    expect(authOf(`auth: { jwt: { ${ISSUER}, audience: api, ${mapping} } }`)).toMatchObject({
      kind: 'jwt',
      issuer: 'https://idp.example.com/',
      audiences: ['api'],
      tenant: { claim: 'org' },
      groups: 'realm_access.roles',
      claims: { dept: 'department' },
    });
  });

  it('may be asked about tokens, with a secret that stands in a variable', () => {
    const keys = `url: "https://idp.example.com/ask", ${ISSUER}, clientId: us, clientSecret: "\${SECRET}"`;
    expect(authOf(`auth: { introspection: { ${keys}, cache: 5s } }`)).toMatchObject({
      kind: 'introspection',
      client: { id: 'us', secret: 's3cret-of-the-gateway' },
      keptMsMax: 5000,
    });
  });

  it('is called with TLS, at a public address, or where that is said', () => {
    const issuer = (url: string, more = '') =>
      problemsOf(`auth:\n  jwt: { issuer: "${url}"${more} }`);
    expect(issuer('http://idp.example.com')[0]).toMatch(/^3 auth\.jwt\.issuer: Only https/);
    expect(issuer('https://169.254.169.254/')[0]).toMatch(/^3 auth\.jwt\.issuer: Only https/);
    expect(issuer('https://u:p@idp.example.com')[0]).toContain('holds a user or a password');
    expect(issuer('http://10.0.0.7:8080', ', allowedHosts: [10.0.0.7]')).toEqual([]);
    const jwks = ', jwksUri: "http://[::ffff:169.254.169.254]/keys"';
    expect(issuer('https://idp.example.com', jwks)[0]).toMatch(/^3 auth\.jwt\.jwksUri: Only https/);
  });

  it('signs with nothing that both sides know', () => {
    for (const algorithm of ['HS256', 'none', 'RS256 ']) {
      const said = problemsOf(`auth: { jwt: { ${ISSUER}, algorithms: ["${algorithm}"] } }`);
      expect(said[0]).toContain('auth.jwt.algorithms[0]: Give RS256');
    }
  });

  it('needs the URL that its tokens are for', () => {
    expect(problemsOf(`auth: { jwt: { ${ISSUER} } }`, 'listen: {}')).toEqual([
      '2 auth: Tokens are for one URL: set listen.publicUrl to what clients call.',
    ]);
  });

  it('has every fault told at its line', () => {
    expect(
      problemsOf('auth:\n  jwt:\n    isuer: x\n    tenant: [a]\n    dpop: always\n    cache: 5s'),
    ).toEqual([
      '3 auth.jwt.issuer: This key is missing.',
      '4 auth.jwt.isuer: There is no key "isuer". Did you mean issuer?',
      '5 auth.jwt.tenant: Give a name, or { claim: name }.',
      '6 auth.jwt.dpop: Give off, bound or required.',
      expect.stringContaining('7 auth.jwt.cache: There is no key "cache".'),
    ]);
  });
});

describe('several ways to come in', () => {
  it('are a list in the order in which they are tried', () => {
    const auth = authOf(
      `auth:\n  - token: a-token-of-some-length\n  - keys: ./keys.json\n  - jwt: { ${ISSUER} }`,
    );
    expect(auth).toMatchObject({
      kind: 'several',
      ways: [{ kind: 'token' }, { kind: 'keys', path: '/etc/tidegate/keys.json' }, { kind: 'jwt' }],
    });
  });

  it('have none among them that asks for nothing', () => {
    for (const way of ['none', '{ type: none, insecure: true }', '[]', '3', '{ token: short }']) {
      const said = problemsOf(`auth: [{ token: a-token-of-some-length }, ${way}]`);
      expect(said[0], way).toMatch(/^2 auth\[1\]/);
    }
    expect(problemsOf('auth: []')).toEqual(['2 auth: Name at least one way to come in.']);
  });

  it('show no credential to an issuer that another way might know', () => {
    const asked = `introspection: { url: "https://a.example", ${ISSUER}, clientId: a, clientSecret: b }`;
    const known = 'token: a-token-of-some-length';
    expect(problemsOf(`auth: [{ ${known} }, { ${asked} }, { ${asked} }]`)).toEqual([]);
    expect(problemsOf(`auth: [{ ${asked} }, { ${known} }]`)).toEqual([
      '2 auth[1]: Put this before introspection: an issuer is shown what it is asked.',
    ]);
  });

  it('do not share one item', () => {
    const said = problemsOf(`auth: [{ keys: ./keys.json, jwt: { ${ISSUER} } }]`);
    expect(said).toEqual(['2 auth[0].jwt: One way to come in has one key. Make auth a list.']);
  });
});

describe('who is denied', () => {
  it('is told by credential, subject and tenant', () => {
    const outcome = read('denied: { credentials: ["jti:1"], subjects: [eve], tenants: [globex] }');
    expect(outcome).toMatchObject({
      config: { denied: { credentials: ['jti:1'], subjects: ['eve'], tenants: ['globex'] } },
    });
    expect(problemsOf('denied: { subject: [eve] }')[0]).toContain('Did you mean subjects?');
  });
});
