import { describe, expect, it } from 'vitest';
import { SsrfGuard } from '../outbound/ssrf-guard.ts';
import { type AuthorizationServer, discover } from './authorization-server.ts';
import { CredentialError } from './credential-error.ts';

const HOST = 'http://127.0.0.1:9999';
const URL_OF = `${HOST}/mcp`;

/** Asks a machine that answers with what it has at a path, and 404 or what is said for the rest. */
function found(
  served: Readonly<Record<string, unknown>>,
  { issuer, status = 404 }: { readonly issuer?: string; readonly status?: number } = {},
): Promise<AuthorizationServer> {
  const fetch = (target: string | URL): Promise<Response> => {
    const body = served[new URL(target).pathname];
    const isThere = body !== undefined;
    return Promise.resolve(
      new Response(isThere ? JSON.stringify(body) : '', {
        status: isThere ? 200 : status,
      }),
    );
  };
  const guard = new SsrfGuard(['127.0.0.1']);
  return discover({ url: URL_OF, issuer, metadataUrl: undefined }, fetch, guard);
}

describe('the authorization server of a server', () => {
  it('that says nothing is itself, where the revision 2025-03-26 has it', async () => {
    const { metadata, resource } = await found({});
    expect(metadata).toMatchObject({
      authorization_endpoint: `${HOST}/authorize`,
      token_endpoint: `${HOST}/token`,
      registration_endpoint: `${HOST}/register`,
      code_challenge_methods_supported: ['S256'],
    });
    expect(resource).toBe(URL_OF);
  });

  it('is not guessed where one was named', async () => {
    const none = /has no authorization server metadata/;
    await expect(found({}, { issuer: HOST })).rejects.toThrow(none);
    const described = { resource: URL_OF, authorization_servers: [HOST] };
    const path = '/.well-known/oauth-protected-resource/mcp';
    await expect(found({ [path]: described })).rejects.toThrow(none);
  });

  it('is not guessed while it only fails to answer', async () => {
    await expect(found({}, { status: 500 })).rejects.toThrow();
  });
});

describe('an authorization server that a remote server names', () => {
  const RESOURCE = 'https://mcp.example/mcp';

  /** @returns hosts that were asked. */
  async function asked(named: string, ...allowed: string[]): Promise<readonly string[]> {
    const hosts: string[] = [];
    const fetch = (target: string | URL): Promise<Response> => {
      const { host } = new URL(target);
      hosts.push(host);
      const body = { resource: RESOURCE, authorization_servers: [named] };
      const isThere = host === 'mcp.example';
      return Promise.resolve(new Response(JSON.stringify(body), { status: isThere ? 200 : 404 }));
    };
    const question = { url: RESOURCE, issuer: undefined, metadataUrl: undefined };
    const outcome = discover(question, fetch, new SsrfGuard(allowed));
    await expect(outcome).rejects.toThrow(CredentialError);
    return [...new Set(hosts)];
  }

  it.each(['http://127.0.0.1:9200', 'https://127.0.0.1', 'http://[::1]:1', 'http://a.localhost'])(
    'V37: is not looked for on this machine: %s',
    async (named) => {
      expect(await asked(named)).toEqual(['mcp.example']);
    },
  );

  it('is looked for elsewhere, and on this machine where that was allowed', async () => {
    expect(await asked('https://login.example')).toEqual(['mcp.example', 'login.example']);
    expect(await asked('http://127.0.0.1:9', '127.0.0.1')).toEqual(['mcp.example', '127.0.0.1:9']);
  });
});
