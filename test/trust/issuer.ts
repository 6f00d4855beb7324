/**
 * An issuer of access tokens on loopback that does as the test says: it publishes which keys it
 * likes, when it likes, and signs whatever it is asked to. Gone when the test is over.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type CryptoKey, type JWK, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';

export const PUBLIC_URL = 'https://mcp.example.test';

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export interface TokenWords {
  /** Seconds from now. Default 300. */
  readonly endsIn?: number;
  readonly key?: SigningKey;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly [claim: string]: unknown;
}

export class Issuer {
  readonly url: string;
  /** What it publishes. */
  keys: SigningKey[] = [];
  /** What its metadata says otherwise than is true. */
  metadata: Readonly<Record<string, unknown>> = {};
  /** How it answers when asked for its keys. */
  answer: (response: ServerResponse, keys: () => string) => void = (response, keys) => {
    response.setHeader('content-type', 'application/json').end(keys());
  };
  /** How often its metadata and its keys were asked for. */
  readonly asked = { metadata: 0, keys: 0 };
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(alg = 'RS256'): Promise<Issuer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = new Issuer(server);
    server.on('request', ({ url = '' }, response) => issuer.#serve(url, response));
    await issuer.rotate(alg);
    onTestFinished(() => issuer.close());
    return issuer;
  }

  /** Publishes another key and none of those before. */
  async rotate(alg = 'RS256'): Promise<SigningKey> {
    const key = await signingKey(alg);
    this.keys = [key];
    return key;
  }

  token({ endsIn = 300, key = this.keys[0], header, ...claims }: TokenWords = {}): Promise<string> {
    if (key === undefined) throw new Error('This issuer has no key.');
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: this.url,
      aud: `${PUBLIC_URL}/files/mcp`,
      sub: 'ada',
      client_id: 'tests',
      iat: now,
      exp: now + endsIn,
      ...claims,
    };
    const protectedHeader = { alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header };
    return new SignJWT(payload).setProtectedHeader(protectedHeader).sign(key.privateKey);
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #serve(path: string, response: ServerResponse): void {
    if (path === '/.well-known/oauth-authorization-server') {
      this.asked.metadata += 1;
      const metadata = { issuer: this.url, jwks_uri: `${this.url}/jwks`, ...this.metadata };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(metadata));
    } else if (path === '/jwks') {
      this.asked.keys += 1;
      this.answer(response, () => JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));
    } else response.writeHead(404).end();
  }
}

let keysMade = 0;

export async function signingKey(alg = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  keysMade += 1;
  const kid = `key-${keysMade}`;
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}
