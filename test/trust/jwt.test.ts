import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { postOf, rpc } from '../wire/conversation.ts';
import { Issuer, PUBLIC_URL, signingKey, type TokenWords } from './issuer.ts';
import { hostOf, open, openAs, TokenSession, trusting } from './token-gateway.ts';

const METADATA = `${PUBLIC_URL}/.well-known/oauth-protected-resource/files/mcp`;

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('access tokens that are JWTs', () => {
  it('let in whoever has one of the issuer for this very server, in every era', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    const token = await issuer.token();
    expect((await open(host, token)).status).toBe(200);
    const modern = {
      authorization: `Bearer ${token}`,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
    };
    // Beyond the door: the body is what is found wrong.
    expect((await openAs(host, modern)).status).toBe(400);
    const sse = host.send({ path: '/files/sse', headers: { authorization: `Bearer ${token}` } });
    expect((await sse.head()).status).toBe(200);
    sse.leave();
    expect(issuer.asked).toEqual({ metadata: 1, keys: 1 });
  });

  it('V35: are refused at the sibling of the server they are for', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer, {}, { all: { servers: undefined } }));
    const token = await issuer.token({ aud: `${PUBLIC_URL}/files/mcp` });
    expect((await open(host, token)).status).toBe(200);
    for (const path of ['/other/mcp', '/all/mcp', '/nothing/mcp']) {
      const reply = await open(host, token, path);
      expect(reply.status, path).toBe(401);
      expect(reply.header('www-authenticate')).toContain('error="invalid_token"');
    }
    const both = [`${PUBLIC_URL}/files/mcp`, `${PUBLIC_URL}/all/mcp`];
    const wider = await issuer.token({ aud: both });
    expect((await open(host, wider, '/all/mcp')).status).toBe(200);
    for (const aud of [
      PUBLIC_URL,
      `${PUBLIC_URL}/file`,
      `${PUBLIC_URL}/files/mcp/x`,
      '',
      undefined,
    ]) {
      expect((await open(host, await issuer.token({ aud }))).status, String(aud)).toBe(401);
    }
  });

  it('are refused unseen where too many of an address were none, save for those that are known', async () => {
    const issuer = await Issuer.start();
    const forged = await signingKey();
    const host = await hostOf(trusting(issuer, { failuresPerSecondMax: 5 }));
    const known = await issuer.token();
    expect((await open(host, known)).status).toBe(200);
    const forge = async (n: number): Promise<number> => {
      const kid = { kid: issuer.keys[0]?.kid };
      const token = await issuer.token({ jti: `f${n}`, key: forged, header: kid });
      return (await open(host, token)).status;
    };
    const statuses: number[] = [];
    while (!statuses.includes(429)) statuses.push(await forge(statuses.length));
    expect(statuses.length).toBeGreaterThan(5);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect((await open(host, known)).status).toBe(200);
  });

  it('count from nbf to exp, give or take 30 seconds', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    const now = Math.floor(Date.now() / 1000);
    const said: readonly (readonly [TokenWords, number])[] = [
      [{ endsIn: -3600 }, 401],
      [{ endsIn: -40 }, 401],
      [{ endsIn: -10 }, 200],
      [{ nbf: now + 3600 }, 401],
      [{ nbf: now + 40 }, 401],
      [{ nbf: now + 10 }, 200],
      [{ exp: undefined }, 401],
      [{ exp: String(now + 300) }, 401],
      [{ iss: `${issuer.url}/` }, 401],
      [{ iss: undefined }, 401],
      [{ sub: undefined }, 403],
      [{ sub: 7 }, 403],
    ];
    for (const [words, status] of said) {
      const reply = await open(host, await issuer.token(words));
      expect(reply.status, JSON.stringify(words)).toBe(status);
    }
  });

  it('V40: are believed nothing of how they are to be verified', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    const right = await issuer.token();
    const [, payload = '', signature = ''] = right.split('.');
    const key = issuer.keys[0]!;
    const stranger = await signingKey();
    const pem = await exportSPKI(
      (await importJWK(key.jwk, 'RS256')) as Parameters<typeof exportSPKI>[0],
    );
    const hmac = (header: object): string => {
      const text = `${encoded(header)}.${payload}`;
      return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`;
    };
    const lies: Readonly<Record<string, string>> = {
      'HS256 with the public key': hmac({ alg: 'HS256', kid: key.kid }),
      'HS256 with a space before': hmac({ alg: ' HS256', kid: key.kid }),
      'no signature': `${encoded({ alg: 'none' })}.${payload}.`,
      'no signature, in capitals': `${encoded({ alg: 'NONE', kid: key.kid })}.${payload}.`,
      'the signature of another': `${encoded({ alg: 'RS256', kid: key.kid })}.${payload}.${signature}`,
      'a stranger under a known kid': await issuer.token({
        key: stranger,
        header: { kid: key.kid },
      }),
      'an unknown kid': await issuer.token({ key: stranger }),
      'an unknown kid, again': await issuer.token({ key: stranger }),
      'a key of its own': await issuer.token({ key: stranger, header: { jwk: stranger.jwk } }),
      'keys elsewhere': await issuer.token({
        key: stranger,
        header: { jku: `${issuer.url}/jwks`, x5u: `${issuer.url}/x5u` },
      }),
      'another kind of kid': await issuer.token({ header: { kid: ['__proto__'] } }),
      'an algorithm of another list': await issuer.token({ key: await signingKey('PS384') }),
      'another type': await issuer.token({ header: { typ: 'dpop+jwt' } }),
      'what is critical and unknown': await issuer
        .token({ header: { crit: ['x'], x: 1 } })
        .catch(() => `${encoded({ alg: 'RS256', crit: ['x'], x: 1 })}.${payload}.${signature}`),
      'no token': 'a.b.c',
    };
    for (const [what, token] of Object.entries(lies)) {
      const reply = await open(host, token);
      expect(reply.status, what).toBe(401);
      expect(reply.header('www-authenticate'), what).toContain('error="invalid_token"');
    }
    expect((await open(host, right)).status).toBe(200);
    // One fetch at first, and one because of the first unknown kid.
    expect(issuer.asked.keys).toBe(2);
  });

  it('V37, V38: of an issuer that lies about itself are refused, and nothing else is asked', async () => {
    const issuer = await Issuer.start();
    const other = await Issuer.start();
    const lies = [
      [{ issuer: other.url }, 'of another issuer'],
      [{ issuer: `${issuer.url}/` }, 'of another issuer'],
      [{ jwks_uri: 'http://169.254.169.254/latest/meta-data' }, 'Without TLS'],
      [{ jwks_uri: 'https://169.254.169.254/latest/meta-data' }, 'not a public address'],
      [{ jwks_uri: 'file:///etc/passwd' }, 'must be http'],
      [{ jwks_uri: 'https://[::ffff:10.0.0.1]/' }, 'not a public address'],
    ] as const;
    for (const [metadata, why] of lies) {
      issuer.metadata = metadata;
      const host = await hostOf(trusting(issuer));
      const reply = await open(host, await issuer.token());
      expect(reply.status, JSON.stringify(metadata)).toBe(503);
      const failed = host.log.filter(({ event }) => event === 'issuer_keys_failed');
      expect(failed).toHaveLength(1);
      expect(failed[0]?.['detail']).toContain(why);
      await host.close();
    }
    expect(issuer.asked.keys + other.asked.keys + other.asked.metadata).toBe(0);
  });

  it('are verified by none of the keys that are not for signatures, or not for the public', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    const [key] = issuer.keys;
    for (const jwk of [
      { ...key!.jwk, use: 'enc' },
      { kty: 'oct', k: 'AAAA', kid: key!.kid },
    ]) {
      issuer.answer = (response) => response.end(JSON.stringify({ keys: [jwk] }));
      expect((await open(host, await issuer.token())).status).toBe(401);
    }
  });

  it('are not taken any more once their key is gone, verified before or not', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    const before = await issuer.token();
    expect((await open(host, before)).status).toBe(200);
    await issuer.rotate();
    expect((await open(host, before)).status).toBe(200);
    // Whoever has the new key makes us hear of it.
    expect((await open(host, await issuer.token())).status).toBe(200);
    expect((await open(host, before)).status).toBe(401);
  });

  it('end what they opened once their key is gone, though their client is quiet', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    const session = await TokenSession.open(host, await issuer.token());
    const stream = await session.listen().head();
    await issuer.rotate();
    // Whoever has the new key makes us hear of it.
    const fresh = await TokenSession.open(host, await issuer.token({ jti: 'fresh' }));
    const other = await fresh.listen().head();
    await stream.whole();
    expect(other.isEnded).toBe(false);
  });

  it('may be bound to name what each request needs', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer, { requiredScopes: ['mcp', 'files'] }));
    expect((await open(host, await issuer.token({ scope: 'files other mcp' }))).status).toBe(200);
    expect((await open(host, await issuer.token({ scp: ['mcp', 'files'] }))).status).toBe(200);
    const less = await open(host, await issuer.token({ scope: 'mcp' }));
    expect(less.status).toBe(403);
    expect(less.header('www-authenticate')).toMatch(
      `Bearer realm="tidegate", error="insufficient_scope", scope="mcp files", resource_metadata="${METADATA}", DPoP`,
    );
    const none = await openAs(host, {});
    expect(none.status).toBe(401);
    expect(none.header('www-authenticate')).toMatch(
      `Bearer realm="tidegate", scope="mcp files", resource_metadata="${METADATA}"`,
    );
  });

  it('of several issuers are told apart, and people of the same name with them', async () => {
    const [one, two] = [await Issuer.start(), await Issuer.start('ES256')];
    const config = trusting(one, { failuresPerSecondMax: 1 });
    const second = { kind: 'jwt', issuer: two.url, allowedHosts: ['127.0.0.1'] } as const;
    const auth = {
      kind: 'several',
      ways: [config.auth, { ...second, tenant: 'partner' }],
    } as const;
    const host = await hostOf({ ...config, auth });
    const opened = await open(host, await one.token());
    expect(opened.status).toBe(200);
    const shown = {
      'mcp-session-id': opened.header('mcp-session-id'),
      'mcp-protocol-version': '2025-11-25',
    };
    const list = (token: string) => {
      const headers = { ...shown, authorization: `Bearer ${token}` };
      return host.send(postOf('/files/mcp', rpc(1, 'tools/list'), headers)).whole();
    };
    expect((await list(await one.token())).status).toBe(200);
    const taken = await list(await two.token());
    expect(taken.status).toBe(404);
    // However many: each is a failure of neither.
    const fresh = Array.from({ length: 8 }, (_, n) => two.token({ jti: `${n}` }));
    for (const token of await Promise.all([...fresh, one.token({ jti: 'one' })])) {
      expect((await open(host, token)).status).toBe(200);
    }
    // Signed by one, named after the other.
    expect((await open(host, await one.token({ iss: two.url }))).status).toBe(401);
  });
});
