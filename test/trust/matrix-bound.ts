/** Every state that a token can be in which is bound to a key or to a client certificate. */
import { Holder } from './holder.ts';
import { type Issuer, PUBLIC_URL, type TokenWords } from './issuer.ts';
import { type Certificates, thumbprintOf } from './matrix-certificates.ts';
import {
  type Credential,
  REVOKED_JTI,
  type Standing,
  stated,
  type Target,
} from './matrix-credentials.ts';

type Said = Readonly<Record<string, unknown>>;

/** Those of one server. @param audience - its URL. @param sibling - that of another one. */
export async function boundTokens(
  issuer: Issuer,
  certificates: Certificates,
  audience: string,
  sibling: string,
): Promise<Credential[]> {
  const said = (words: TokenWords): Promise<string> =>
    issuer.token({ aud: audience, org: 'acme', ...words });
  return [
    ...(await boundToKeys(said, sibling)),
    ...(await boundToCertificates(said, certificates)),
  ];
}

type Saying = (words: TokenWords) => Promise<string>;

async function boundToKeys(said: Saying, sibling: string): Promise<Credential[]> {
  const [holder, thief] = [await Holder.make(), await Holder.make()];
  const cnf = { jkt: holder.jkt };
  const token = await said({ cnf });
  const [another, unbound] = [await said({ cnf, jti: 'another' }), await said({})];
  const now = (): number => Math.floor(Date.now() / 1000);
  const proof = (target: Target, claims: Said = {}, header: Said = {}): Promise<string> =>
    proofOf(holder, token, target, claims, header);
  const key = (
    state: string,
    standing: Standing,
    dpop: (target: Target) => Promise<string | readonly string[]>,
    more: Partial<Credential> & { readonly authorization?: string } = {},
  ): Credential => {
    const { authorization = `DPoP ${token}`, ...rest } = more;
    const headers = async (target: Target): Promise<Record<string, string | readonly string[]>> => {
      const shown = await dpop(target);
      return { authorization, ...(shown.length > 0 && { dpop: shown }) };
    };
    return stated('token', `bound to a key, ${state}`, standing, {
      isCovering: true,
      headers,
      ...rest,
    });
  };
  const bob = await said({ cnf, sub: 'bob' });
  const revoked = await said({ cnf, jti: REVOKED_JTI });
  const none = async (): Promise<string> => '';
  return [
    key('right', 'right', (at) => proof(at)),
    key('right, for a URL with a query', 'right', (at) =>
      proof(at, { htu: `${PUBLIC_URL}${at.path}?x=1#y` }),
    ),
    key('other principal', 'other', (at) => proofOf(holder, bob, at), {
      authorization: `DPoP ${bob}`,
    }),
    key('no proof', 'unproved', none),
    key('proof of another key', 'unproved', (at) => proofOf(thief, token, at)),
    key('proof for another method', 'unproved', (at) =>
      proof(at, { htm: at.method === 'GET' ? 'POST' : 'GET' }),
    ),
    key('proof for another URL', 'unproved', (at) => proof(at, { htu: sibling })),
    key('proof for plain http', 'unproved', (at) =>
      proof(at, { htu: `${PUBLIC_URL.replace('https', 'http')}${at.path}` }),
    ),
    key('proof used before', 'unproved', (at) => proof(at), { isSpent: true }),
    key('proof of long ago', 'unproved', (at) => proof(at, { iat: now() - 3600 })),
    key('proof of the future', 'unproved', (at) => proof(at, { iat: now() + 3600 })),
    key('proof for another token', 'unproved', (at) => proofOf(holder, another, at)),
    key('proof for no token', 'unproved', (at) => proof(at, { ath: undefined })),
    key('proof of another type', 'unproved', (at) => proof(at, {}, { typ: 'JWT' })),
    key('two proofs', 'unproved', async (at) => [await proof(at), await proof(at)]),
    key('as Bearer', 'invalid', none, { authorization: `Bearer ${token}` }),
    key('as Bearer, with its proof', 'invalid', (at) => proof(at), {
      authorization: `Bearer ${token}`,
    }),
    key('not bound after all', 'invalid', (at) => proofOf(holder, unbound, at), {
      authorization: `DPoP ${unbound}`,
    }),
    key('revoked', 'invalid', (at) => proofOf(holder, revoked, at), {
      authorization: `DPoP ${revoked}`,
    }),
  ];
}

async function boundToCertificates(
  said: Saying,
  certificates: Certificates,
): Promise<Credential[]> {
  // These name nobody by themselves: it is the token that does.
  const [own, others] = [certificates.of('without a tenant'), certificates.of('without a name')];
  const [unverified, revoked] = [
    certificates.of('unknown authority'),
    certificates.of('revoked, of nobody'),
  ];
  const holder = await Holder.make();
  const boundTo = (certified: typeof own, more: Said = {}): Promise<string> =>
    said({ cnf: { 'x5t#S256': thumbprintOf(certified), ...more } });
  const token = await boundTo(own);
  const toBoth = await boundTo(own, { jkt: holder.jkt });
  const cert = (
    state: string,
    standing: Standing,
    shown: Credential['shown'],
    more: Partial<Credential> = {},
  ): Credential =>
    stated('token', `bound to a certificate, ${state}`, standing, {
      isCovering: true,
      shown,
      headers: { authorization: `Bearer ${token}` },
      ...more,
    });
  return [
    cert('right', 'right', own),
    // The token says which certificate; no authority has to. RFC 8705 section 2.2.
    cert('right, of an unknown authority', 'right', unverified, {
      headers: { authorization: `Bearer ${await boundTo(unverified)}` },
    }),
    cert('right, and to a key', 'right', own, {
      headers: async (target) => ({
        authorization: `DPoP ${toBoth}`,
        dpop: await proofOf(holder, toBoth, target),
      }),
    }),
    cert('and to a key, of which there is no proof', 'unproved', own, {
      headers: { authorization: `DPoP ${toBoth}` },
    }),
    cert('and to a key, with another certificate', 'invalid', others, {
      headers: async (target) => ({
        authorization: `DPoP ${toBoth}`,
        dpop: await proofOf(holder, toBoth, target),
      }),
    }),
    cert('which is revoked', 'invalid', revoked, {
      headers: { authorization: `Bearer ${await boundTo(revoked)}` },
    }),
    cert('without TLS', 'invalid', undefined),
    cert('without a certificate', 'invalid', 'none'),
    cert('with another', 'invalid', others),
    cert('with one of an unknown authority', 'invalid', unverified),
    // Then it is the certificate that lets somebody in: not whom the token names.
    cert('with one that lets somebody else in', 'other', certificates.of('other principal'), {
      isForOneServer: false,
    }),
  ];
}

function proofOf(
  holder: Holder,
  token: string,
  { method, path }: Target,
  claims: Said = {},
  header: Said = {},
): Promise<string> {
  return holder.proof(token, { htm: method, htu: PUBLIC_URL + path, ...claims }, header);
}
