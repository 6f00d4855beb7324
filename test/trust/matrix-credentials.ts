/**
 * Every state a credential can be in, of every way to come in that there is: what is sent, and for
 * whom it is to be taken.
 */
import { createHmac } from 'node:crypto';
import { type CryptoKey, exportSPKI, importJWK } from 'jose';
import { type ApiKeyEntry, makeApiKey } from '../../src/adapters/identity/api-key.ts';
import { writeKeyFile } from '../../src/adapters/identity/key-file.ts';
import type { Certified } from '../http/certificates.ts';
import { type Issuer, signingKey, type TokenWords } from './issuer.ts';

/** What a credential makes of its bearer. */
export type Standing =
  /** Whoever opened the sessions of the matrix. */
  | 'right'
  /** Somebody else who may come in. */
  | 'other'
  /** Nobody: there is no credential that any way to come in reads. */
  | 'nothing'
  /** Nobody: there is one, and it does not count. */
  | 'invalid'
  /** Nobody: the token counts, and the proof of the key it is bound to does not. */
  | 'unproved'
  /** Nobody, as long as its issuer cannot be asked. */
  | 'unverifiable'
  /** Nobody: it is in the URL. */
  | 'in-url';

/** Kinds of credentials, each of which makes its bearer somebody of its own. */
export const WAYS = ['key', 'token', 'opaque', 'certificate'] as const;

export type Way = (typeof WAYS)[number];

/** What a connection shows: undefined without TLS, `none` in TLS without a certificate. */
export type Shown = Certified | 'none' | undefined;

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** What a proof of possession is for. */
export interface Target {
  readonly method: string;
  /** Without a query. */
  readonly path: string;
}

export interface Credential {
  readonly state: string;
  readonly standing: Standing;
  /** Which sessions its requests name: those of its bearer, where it is one of this kind. */
  readonly way: Way;
  /** Whether it counts at one server alone. */
  readonly isForOneServer: boolean;
  /** Whether it is shown in a covering set of requests, not in every one. */
  readonly isCovering: boolean;
  readonly shown: Shown;
  readonly headers: Headers | ((target: Target) => Promise<Headers>);
  /** Whether it was used up by another request. */
  readonly isSpent: boolean;
  readonly query: string;
}

/** A credential in a state of its kind; what is not said is what goes for most. */
export function stated(
  way: Way,
  state: string,
  standing: Standing,
  more: Partial<Credential>,
): Credential {
  return {
    state: `${way}: ${state}`,
    standing,
    way,
    isForOneServer: way !== 'key',
    isCovering: false,
    shown: undefined,
    headers: {},
    isSpent: false,
    query: '',
    ...more,
  };
}

export async function headersOf({ headers }: Credential, target: Target): Promise<Headers> {
  return typeof headers === 'function' ? headers(target) : headers;
}

const NEVER = undefined;
const LONG_AGO = '2020-01-01T00:00:00.000Z';

/** Keys of a file, by the state they are in. */
export class Keys {
  readonly #path: string;
  readonly #entries = new Map<string, ApiKeyEntry>();
  readonly #keys = new Map<string, string>();

  constructor(path: string) {
    this.#path = path;
    this.#add('right', 'acme', 'ada', NEVER);
    this.#add('right, the second of two', 'acme', 'ada', NEVER);
    this.#add('other principal', 'acme', 'bob', NEVER);
    this.#add('other tenant', 'globex', 'ada', NEVER);
    this.#add('expired', 'acme', 'ada', LONG_AGO);
    this.#add('revoked', 'acme', 'ada', NEVER);
    this.#add('denied', 'acme', 'ada', NEVER);
    this.#write();
  }

  /** As the denied one is called in the record and for revocation. */
  get deniedId(): string {
    return `key:${this.#entries.get('denied')?.id}`;
  }

  /** Takes a key out of the file; whoever serves it has to look. */
  revoke(): void {
    this.#entries.delete('revoked');
    this.#write();
  }

  credentials(): Credential[] {
    const right = this.#key('right');
    const [start, tail] = [right.slice(0, -1), right.slice(-1)];
    const key = (state: string, standing: Standing, text: string): Credential =>
      credential('key', state, standing, `Bearer ${text}`);
    return [
      key('right', 'right', right),
      key('right, the second of two', 'right', this.#key('right, the second of two')),
      credential('key', 'right, scheme in capitals', 'right', `BEARER ${right}`),
      key('other principal', 'other', this.#key('other principal')),
      key('other tenant', 'other', this.#key('other tenant')),
      key('expired', 'invalid', this.#key('expired')),
      key('revoked', 'invalid', this.#key('revoked')),
      key('denied', 'invalid', this.#key('denied')),
      key('unknown key', 'invalid', makeApiKey().key),
      key('wrong secret', 'invalid', start + (tail === 'A' ? 'B' : 'A')),
      key('cut short', 'invalid', start),
      key('longer', 'invalid', `${right}A`),
      credential('key', 'wrong scheme', 'nothing', `Basic ${right}`),
      credential('key', 'no scheme', 'nothing', right),
      credential('key', 'two words', 'nothing', `Bearer ${right} ${right}`),
      credential('key', 'twice', 'nothing', [`Bearer ${right}`, `Bearer ${right}`]),
      credential('key', 'in the URL', 'in-url', [], `access_token=${right}`),
    ];
  }

  #add(state: string, tenant: string, subject: string, expires: string | undefined): void {
    const { key, id, digest } = makeApiKey();
    const rights = { scopes: [], groups: [], expires, created: LONG_AGO };
    this.#entries.set(state, { id, digest, tenant, subject, ...rights });
    this.#keys.set(state, key);
  }

  #key(state: string): string {
    return this.#keys.get(state) ?? '';
  }

  #write(): void {
    writeKeyFile(this.#path, [...this.#entries.values()]);
  }
}

export const REVOKED_JTI = 'a-token-that-is-denied';

/**
 * Tokens for one server, by the state they are in.
 * @param audience - the URL of the server. @param sibling - that of another one.
 */
export async function tokens(
  issuer: Issuer,
  stranger: Issuer,
  audience: string,
  sibling: string,
): Promise<Credential[]> {
  const said = (words: TokenWords = {}): Promise<string> =>
    issuer.token({ aud: audience, org: 'acme', ...words });
  const right = await said();
  const [header, payload, signature = ''] = right.split('.');
  const now = Math.floor(Date.now() / 1000);
  const of = (state: string, standing: Standing, text: string): Credential =>
    credential('token', state, standing, `Bearer ${text}`);
  const unknown = await signingKey();
  const known = issuer.keys[0];
  return [
    of('right', 'right', right),
    of('right, another of the same', 'right', await said({ jti: 'another' })),
    of('other principal', 'other', await said({ sub: 'bob' })),
    of('other client', 'other', await said({ client_id: 'another' })),
    of('other tenant', 'other', await said({ org: 'globex' })),
    of('expired', 'invalid', await said({ endsIn: -3600 })),
    of('never expires', 'invalid', await said({ exp: undefined })),
    of('not yet', 'invalid', await said({ nbf: now + 3600 })),
    of('wrong issuer', 'invalid', await said({ iss: 'https://idp.example.test' })),
    of('of a stranger', 'invalid', await stranger.token({ aud: audience, org: 'acme' })),
    of('wrong audience', 'invalid', await said({ aud: 'https://elsewhere.example.test/mcp' })),
    of("sibling's audience", 'invalid', await said({ aud: sibling })),
    of('no audience', 'invalid', await said({ aud: undefined })),
    of('wrong algorithm', 'invalid', await withPublicKeyAsSecret(issuer, payload ?? '')),
    of('no algorithm', 'invalid', `${encoded({ alg: 'none', typ: 'at+jwt' })}.${payload}.`),
    of('wrong type', 'invalid', await said({ header: { typ: 'dpop+jwt' } })),
    of('unknown key', 'invalid', await said({ key: unknown })),
    of('of another key', 'invalid', await said({ key: unknown, header: { kid: known?.kid } })),
    of('changed', 'invalid', `${header}.${changed(payload ?? '')}.${signature}`),
    of('malformed', 'invalid', `${header}.${payload}`),
    of('no JSON', 'invalid', `${header}.AAAA.${signature}`),
    of('revoked', 'invalid', await said({ jti: REVOKED_JTI })),
    credential('token', 'none', 'nothing', []),
    credential('token', 'empty', 'nothing', ''),
    credential('token', 'wrong scheme', 'nothing', `Basic ${right}`),
    credential('token', 'a scheme it is not for', 'invalid', `DPoP ${right}`),
    credential('token', 'in the URL', 'in-url', [], `access_token=${right}`),
  ];
}

function credential(
  way: Way,
  state: string,
  standing: Standing,
  authorization: string | readonly string[],
  query = '',
): Credential {
  const isAbsent = typeof authorization !== 'string' && authorization.length === 0;
  return stated(way, state, standing, { query, headers: isAbsent ? {} : { authorization } });
}

/** Signed as if the public key of the issuer were a secret of both. */
async function withPublicKeyAsSecret(issuer: Issuer, payload: string): Promise<string> {
  const key = issuer.keys[0];
  if (key === undefined) throw new Error('This issuer has no key.');
  const pem = await exportSPKI((await importJWK(key.jwk, key.alg)) as CryptoKey);
  const text = `${encoded({ alg: 'HS256', kid: key.kid, typ: 'at+jwt' })}.${payload}`;
  return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`;
}

/** The same claims, of somebody else. */
function changed(payload: string): string {
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  return encoded({ ...claims, sub: 'root' });
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
