import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { PUBLIC_URL } from './issuer.ts';

/** A client that holds a key. */
export class Holder {
  readonly jkt: string;
  readonly #jwk: JWK;
  readonly #key: Parameters<SignJWT['sign']>[0];

  private constructor(jwk: JWK, key: Parameters<SignJWT['sign']>[0], jkt: string) {
    this.#jwk = jwk;
    this.#key = key;
    this.jkt = jkt;
  }

  static async make(): Promise<Holder> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwk = await exportJWK(publicKey);
    return new Holder(jwk, privateKey, await calculateJwkThumbprint(jwk));
  }

  proof(
    token: string,
    claims: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const ath = createHash('sha256').update(token).digest('base64url');
    const iat = Math.floor(Date.now() / 1000);
    const said = {
      htm: 'POST',
      htu: `${PUBLIC_URL}/files/mcp`,
      jti: randomUUID(),
      iat,
      ath,
      ...claims,
    };
    return new SignJWT(said)
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: this.#jwk, ...header })
      .sign(this.#key);
  }
}
