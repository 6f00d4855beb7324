import { describe, expect, it } from 'vitest';
import { SsrfGuard } from '../outbound/ssrf-guard.ts';
import { type AuthorizationServer, discover } from './authorization-server.ts';

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
