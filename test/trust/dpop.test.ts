import { describe, expect, it } from 'vitest';
import { jwtIdentity } from '../../src/adapters/identity/jwt-identity.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import type { IdentityOutcome, RequestHead } from '../../src/core/ports.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { modern } from '../wire/client-2026.ts';
import { Holder } from './holder.ts';
import { Issuer, PUBLIC_URL } from './issuer.ts';
import { Introspection } from './introspection-endpoint.ts';
import { rulesOf } from './policy-gateway.ts';
import { behind, hostOf, openAs, trusting } from './token-gateway.ts';

const URL_OF_FILES = `${PUBLIC_URL}/files/mcp`;

describe('tokens bound to a key', () => {
  it('are worth nothing without a proof for this very request', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    const [holder, thief] = [await Holder.make(), await Holder.make()];
    const token = await issuer.token({ cnf: { jkt: holder.jkt } });
    const other = await issuer.token({ cnf: { jkt: holder.jkt }, jti: 'other' });
    const now = Math.floor(Date.now() / 1000);
    const ask = async (proof: string | readonly string[] | undefined, scheme = 'DPoP') =>
      openAs(host, { authorization: `${scheme} ${token}`, dpop: proof });
    const right = await holder.proof(token);
    expect((await ask(right)).status).toBe(200);
    const wrong: Readonly<Record<string, string | readonly string[] | undefined>> = {
      'the same again': right,
      'of another key': await thief.proof(token),
      'for another token': await holder.proof(other),
      'for no token': await holder.proof(token, { ath: undefined }),
      'for another method': await holder.proof(token, { htm: 'GET' }),
      "for another server's URL": await holder.proof(token, { htu: `${PUBLIC_URL}/other/mcp` }),
      'for what the Host header says': await holder.proof(token, {
        htu: `http://127.0.0.1:${host.port}/files/mcp`,
      }),
      'too old': await holder.proof(token, { iat: now - 120 }),
      'of the future': await holder.proof(token, { iat: now + 60 }),
      'without an id': await holder.proof(token, { jti: undefined }),
      'with a long id': await holder.proof(token, { jti: 'x'.repeat(300) }),
      'of another type': await holder.proof(token, {}, { typ: 'JWT' }),
      'two of them': [await holder.proof(token), await holder.proof(token)],
      none: undefined,
      rubbish: 'a.b.c',
    };
    for (const [what, proof] of Object.entries(wrong)) {
      const reply = await ask(proof);
      expect(reply.status, what).toBe(401);
      expect(reply.header('www-authenticate'), what).toMatch(/^DPoP .*error="invalid_dpop_proof"/);
    }
    // As a bearer token, a bound one is a stolen one.
    expect((await ask(await holder.proof(token), 'Bearer')).status).toBe(401);
    const query = await holder.proof(token, { htu: `${URL_OF_FILES}?x=1#y` });
    expect((await ask(query)).status).toBe(200);
  });

  it('are the only ones where that is asked, and others need no proof', async () => {
    const issuer = await Issuer.start();
    const holder = await Holder.make();
    const bare = await issuer.token();
    const bound = await issuer.token({ cnf: { jkt: holder.jkt } });
    const proved = async () => ({
      authorization: `DPoP ${bound}`,
      dpop: await holder.proof(bound),
    });
    const status = async (dpop: 'off' | 'bound' | 'required', headers: Record<string, string>) => {
      const host = await hostOf(trusting(issuer, { dpop }));
      return (await openAs(host, headers)).status;
    };
    const bearer = { authorization: `Bearer ${bare}` };
    const bareProved = { authorization: `DPoP ${bare}`, dpop: await holder.proof(bare) };
    expect(await status('bound', bearer)).toBe(200);
    expect(await status('bound', await proved())).toBe(200);
    expect(await status('bound', bareProved)).toBe(401);
    expect(await status('required', bearer)).toBe(401);
    expect(await status('required', bareProved)).toBe(401);
    expect(await status('required', await proved())).toBe(200);
    expect(await status('off', bearer)).toBe(200);
    expect(await status('off', await proved())).toBe(401);
    const unknown = await issuer.token({ cnf: { kid: 'x' } });
    expect(await status('bound', { authorization: `Bearer ${unknown}` })).toBe(401);
  });

  it('are shown to no other issuer because of their proof, and the client is told of it alone', async () => {
    const issuer = await Issuer.start();
    const other = await Introspection.start();
    const allowedHosts = ['127.0.0.1'];
    const ways = [
      { kind: 'jwt', issuer: issuer.url, allowedHosts, dpopNonce: true },
      {
        kind: 'introspection',
        url: other.url,
        issuer: 'https://other.example.test',
        client: { id: 'gateway', secret: 'secret' },
        allowedHosts,
      },
    ] as const;
    const host = await hostOf(behind({ kind: 'several', ways }));
    const holder = await Holder.make();
    const token = await issuer.token({ cnf: { jkt: holder.jkt } });
    const ask = async (claims: Readonly<Record<string, unknown>>) =>
      openAs(host, { authorization: `DPoP ${token}`, dpop: await holder.proof(token, claims) });
    const wrong = await ask({ htm: 'GET' });
    expect(wrong.header('www-authenticate')).toMatch(/^DPoP [^]*error="invalid_dpop_proof"/);
    const first = await ask({});
    expect(first.header('www-authenticate')).toMatch(/^DPoP [^]*error="use_dpop_nonce"/);
    expect((await ask({ nonce: first.header('dpop-nonce') })).status).toBe(200);
    for (const { text, status } of [wrong, first])
      expect([status, text]).toEqual([401, wrong.text]);
    expect(other.asked).toEqual([]);
  });

  it('that lack a scope are asked for as they come, by the scheme that is taken', async () => {
    const issuer = await Issuer.start();
    const policy = rulesOf(`
      permit (principal, action, resource) when { principal.scopes.contains("calls") };
    `);
    const holder = await Holder.make();
    const token = await issuer.token({ cnf: { jkt: holder.jkt } });
    const challenges = async (dpop: 'bound' | 'required'): Promise<string | undefined> => {
      const host = await hostOf(trusting(issuer, { dpop }, { policy }));
      const { headers, ...request } = modern(1, 'tools/call', { name: 'now', arguments: {} });
      const shown = { authorization: `DPoP ${token}`, dpop: await holder.proof(token) };
      const asked = { ...request, path: '/files/mcp', headers: { ...headers, ...shown } };
      const reply = await host.send(asked).whole();
      expect(reply.status).toBe(403);
      return reply.header('www-authenticate');
    };
    const required = await challenges('required');
    expect(required).toMatch(/^DPoP .*error="insufficient_scope", scope="calls".*algs="ES256 /);
    expect(required).not.toContain('Bearer');
    expect(await challenges('bound')).toMatch(/^Bearer .*scope="calls".*DPoP .*scope="calls"/);
  });

  it('may need a proof with a nonce of ours, which a refusal gives', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer, { dpop: 'required', dpopNonce: true }));
    const holder = await Holder.make();
    const token = await issuer.token({ cnf: { jkt: holder.jkt } });
    const ask = async (nonce?: string) =>
      openAs(host, { authorization: `DPoP ${token}`, dpop: await holder.proof(token, { nonce }) });
    const first = await ask();
    expect(first.status).toBe(401);
    expect(first.header('www-authenticate')).toContain('error="use_dpop_nonce"');
    const nonce = first.header('dpop-nonce');
    expect(nonce).toMatch(/^[\w-]{43}$/);
    expect((await ask(`${nonce?.slice(0, -1)}!`)).status).toBe(401);
    expect((await ask(nonce)).status).toBe(200);
  });

  it('are bound to a certificate only over a connection that holds it', async () => {
    const issuer = await Issuer.start();
    const token = await issuer.token({ cnf: { 'x5t#S256': 'thumbprint-of-the-certificate' } });
    const identity = jwtIdentity(
      { issuers: [{ issuer: issuer.url, jwksUri: `${issuer.url}/jwks` }] },
      { fetch: (url) => fetch(url), clock: new VirtualClock(), telemetry: silent },
    ).at(`${PUBLIC_URL}/files`);
    const kindWith = (clientCertificate: string | undefined): Promise<string> => {
      const head: RequestHead = {
        method: 'POST',
        path: '/files/mcp',
        query: '',
        remoteAddress: '127.0.0.1',
        header: (name) => (name === 'authorization' ? `Bearer ${token}` : undefined),
        headerCount: () => 1,
        headerNames: () => ['authorization'],
        clientCertificate,
      };
      return new Promise<IdentityOutcome>((resolve) => identity.verify(head, resolve)).then(
        ({ kind }) => kind,
      );
    };
    expect(await kindWith('thumbprint-of-the-certificate')).toBe('principal');
    expect(await kindWith('another')).toBe('refused');
    expect(await kindWith(undefined)).toBe('refused');
  });
});
