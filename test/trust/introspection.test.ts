import type { IntrospectionAuthConfig } from 'tidegate/gateway';
import { describe, expect, it } from 'vitest';
import { Introspection } from './introspection-endpoint.ts';
import { Issuer, PUBLIC_URL } from './issuer.ts';
import { behind, hostOf, open, TokenSession, trusting } from './token-gateway.ts';

const ISSUER = 'https://idp.example.test';

function asking(endpoint: Introspection, more: Partial<IntrospectionAuthConfig> = {}) {
  return behind({
    kind: 'introspection',
    url: endpoint.url,
    issuer: ISSUER,
    client: { id: 'gate way', secret: 's:cret' },
    allowedHosts: ['127.0.0.1'],
    ...more,
  });
}

function good(more: object = {}): object {
  const exp = Math.floor(Date.now() / 1000) + 300;
  return { active: true, sub: 'ada', aud: `${PUBLIC_URL}/files/mcp`, exp, ...more };
}

describe('tokens that say nothing by themselves', () => {
  it('are asked about once, however many requests carry them at once', async () => {
    const endpoint = await Introspection.start();
    endpoint.says = () => good();
    const host = await hostOf(asking(endpoint));
    let release = (): void => {};
    endpoint.gate = new Promise((resolve) => {
      release = resolve;
    });
    const replies = Array.from({ length: 10 }, () => open(host, 'opaque-token'));
    release();
    for (const reply of await Promise.all(replies)) expect(reply.status).toBe(200);
    expect((await open(host, 'opaque-token')).status).toBe(200);
    expect(endpoint.asked).toEqual([
      {
        token: 'opaque-token',
        // RFC 6749 section 2.3.1: form-encoded before they are joined.
        authorization: `Basic ${Buffer.from('gate+way:s%3Acret').toString('base64')}`,
      },
    ]);
  });

  it('count only if the answer says that they are for this server, and until when', async () => {
    const endpoint = await Introspection.start();
    const host = await hostOf(asking(endpoint));
    const now = Math.floor(Date.now() / 1000);
    const answers: readonly (readonly [object, number])[] = [
      [good(), 200],
      [good({ iss: ISSUER }), 200],
      [good({ iss: 'https://other.example' }), 401],
      [good({ aud: `${PUBLIC_URL}/other/mcp` }), 401],
      [good({ aud: undefined }), 401],
      [good({ active: 'true' }), 401],
      [good({ active: false }), 401],
      [good({ exp: now - 60 }), 401],
      [good({ exp: undefined }), 401],
      [good({ nbf: now + 60 }), 401],
      [good({ cnf: { jkt: 'x' } }), 401],
      [good({ sub: undefined }), 403],
    ];
    for (const [index, [answer, status]] of answers.entries()) {
      endpoint.says = () => answer;
      const reply = await open(host, `token-${index}`);
      expect(reply.status, JSON.stringify(answer)).toBe(status);
    }
  });

  it('that were none are not asked about again for a moment, and cannot be verified while nobody answers', async () => {
    const endpoint = await Introspection.start();
    const host = await hostOf(asking(endpoint));
    for (let i = 0; i < 5; i += 1) expect((await open(host, 'rubbish')).status).toBe(401);
    expect(endpoint.asked).toHaveLength(1);
    endpoint.says = () => undefined;
    const reply = await open(host, 'another');
    expect(reply.status).toBe(503);
    expect(reply.header('retry-after')).toMatch(/^\d+$/);
    expect(JSON.stringify(host.log)).not.toMatch(/s:cret|another|rubbish/);
  });

  it('that another way in knows are no guesses, and asked about once', async () => {
    const [first, second] = [await Introspection.start(), await Introspection.start()];
    second.says = (token) => good({ sub: token });
    const ways = [first, second].map(
      (endpoint) => asking(endpoint, { failuresPerSecondMax: 1 }).auth,
    );
    const host = await hostOf(behind({ kind: 'several', ways }));
    for (const round of ['first', 'second']) {
      for (const name of ['ann', 'bob', 'eve']) {
        expect((await open(host, name)).status, `${name}, ${round}`).toBe(200);
      }
    }
    expect(first.asked.map(({ token }) => token)).toEqual(['ann', 'bob', 'eve']);
  });

  it('are another way in for those from where somebody guesses at the first', async () => {
    const [first, second] = [await Introspection.start(), await Introspection.start()];
    first.says = (token) => (token === 'known' ? good() : { active: false });
    second.says = (token) => (token.startsWith('partner') ? good() : { active: false });
    const ways = [asking(first, { failuresPerSecondMax: 1 }).auth, asking(second).auth];
    const host = await hostOf(behind({ kind: 'several', ways }));
    const statuses: number[] = [];
    for (const name of ['known', 'guess-1', 'guess-2', 'partner-1', 'known', 'partner-2']) {
      statuses.push((await open(host, name)).status);
    }
    // What the first does not look at is refused as such, unless the second knows it.
    expect(statuses).toEqual([200, 401, 429, 200, 200, 200]);
    expect(first.asked.map(({ token }) => token)).toEqual(['known', 'guess-1']);
    // Each way has a budget of its own.
    expect(second.asked.map(({ token }) => token)).toEqual([
      'guess-1',
      'guess-2',
      'partner-1',
      'partner-2',
    ]);
  });

  it('are not JWTs that name another issuer: those are not shown to this one', async () => {
    const endpoint = await Introspection.start();
    endpoint.says = () => good();
    const [issuer, stranger] = [await Issuer.start(), await Issuer.start()];
    const ways = [trusting(issuer).auth, asking(endpoint).auth];
    const host = await hostOf(behind({ kind: 'several', ways }));
    const far = { aud: `${PUBLIC_URL}/other/mcp` };
    expect((await open(host, await issuer.token())).status).toBe(200);
    expect((await open(host, await issuer.token(far))).status).toBe(401);
    expect((await open(host, await stranger.token())).status).toBe(401);
    expect(endpoint.asked).toEqual([]);
    // What names this issuer, or nobody, may be its own.
    const shown = [
      await issuer.token({ iss: ISSUER }),
      await issuer.token({ iss: undefined }),
      'a.b.c',
    ];
    for (const token of shown) expect((await open(host, token)).status).toBe(200);
    expect(endpoint.asked.map(({ token }) => token)).toEqual(shown);
  });

  it('are asked about again when the answer is old, or the token might have ended', async () => {
    const endpoint = await Introspection.start();
    endpoint.says = () => good();
    const host = await hostOf(asking(endpoint, { keptMsMax: 0 }));
    expect((await open(host, 'opaque')).status).toBe(200);
    endpoint.says = () => ({ active: false });
    expect((await open(host, 'opaque')).status).toBe(401);
  });

  it('end what they opened when their issuer ends them, though their client is quiet', async () => {
    const endpoint = await Introspection.start();
    let isEnded = false;
    endpoint.says = (token) =>
      isEnded && token === 'gone' ? { active: false } : good({ sub: token });
    const entries: unknown[] = [];
    const audit = { fault: () => undefined, record: (entry: unknown) => void entries.push(entry) };
    const host = await hostOf(asking(endpoint, { keptMsMax: 1000 }), { audit });
    const sessions = [await TokenSession.open(host, 'gone'), await TokenSession.open(host, 'kept')];
    const streams = await Promise.all(sessions.map((each) => each.listen().head()));
    isEnded = true;
    await streams[0]?.whole();
    expect((await sessions[0]?.call().whole())?.status).toBe(401);
    expect((await sessions[1]?.call().whole())?.status).toBe(200);
    expect(streams[1]?.isEnded).toBe(false);
    const revoked = { event: 'administered', act: 'revoke', by: 'issuer' };
    expect(entries).toContainEqual(expect.objectContaining(revoked));
    expect(JSON.stringify(entries)).not.toContain('"gone"]');
  });

  it('that another issuer named alike go on when one issuer ends its own', async () => {
    const [one, other] = [await Introspection.start(), await Introspection.start()];
    let isEnded = false;
    one.says = (token) =>
      token !== 'ones' || isEnded ? { active: false } : good({ jti: 'alike', iss: ISSUER });
    other.says = () => good({ jti: 'alike' });
    const ways = [
      asking(one, { keptMsMax: 1000 }).auth,
      asking(other, { issuer: 'https://other.example.test' }).auth,
    ];
    const host = await hostOf(behind({ kind: 'several', ways }));
    const [mine, theirs] = [
      await TokenSession.open(host, 'ones'),
      await TokenSession.open(host, 'others'),
    ];
    const streams = [await mine.listen().head(), await theirs.listen().head()];
    isEnded = true;
    await streams[0]?.whole();
    expect((await theirs.call().whole()).status).toBe(200);
    expect(streams[1]?.isEnded).toBe(false);
  });
});
