/** Every state of a token about which its issuer is asked, and of the issuer that answers. */
import { Holder } from './holder.ts';
import { PUBLIC_URL } from './issuer.ts';
import { Introspection } from './introspection-endpoint.ts';
import { type Credential, REVOKED_JTI, type Standing, stated } from './matrix-credentials.ts';

export const OPAQUE_ISSUER = 'https://opaque.example.test';

type Answer = object | null | undefined;

/** An issuer that knows tokens, and knows of no other. */
export class OpaqueTokens {
  readonly url: string;
  readonly #answers = new Map<string, Answer>();

  private constructor(endpoint: Introspection) {
    this.url = endpoint.url;
    endpoint.says = (token) =>
      this.#answers.has(token) ? (this.#answers.get(token) as object) : { active: false };
  }

  static async start(): Promise<OpaqueTokens> {
    return new OpaqueTokens(await Introspection.start());
  }

  /** Those of one server. @param audience - its URL. @param sibling - that of another one. */
  async credentials(audience: string, sibling: string): Promise<Credential[]> {
    const holder = await Holder.make();
    const bound = { cnf: { jkt: holder.jkt } };
    const now = Math.floor(Date.now() / 1000);
    const good = (more: object = {}): object => ({
      active: true,
      sub: 'ada',
      org: 'acme',
      aud: audience,
      exp: now + 3600,
      ...more,
    });
    const opaque = (state: string, standing: Standing, answer: Answer): Credential => {
      const token = this.#add(`${state} ${audience}`, answer);
      const headers = { authorization: `Bearer ${token}` };
      return stated('opaque', state, standing, { isCovering: true, headers });
    };
    const bind = opaque('bound to a key, as Bearer', 'invalid', good(bound));
    const boundText = this.#add(`bound to a key ${audience}`, good(bound));
    return [
      opaque('right', 'right', good()),
      opaque('right, its issuer named', 'right', good({ iss: OPAQUE_ISSUER })),
      stated('opaque', 'bound to a key, right', 'right', {
        isCovering: true,
        headers: async ({ method, path }) => ({
          authorization: `DPoP ${boundText}`,
          dpop: await holder.proof(boundText, { htm: method, htu: PUBLIC_URL + path }),
        }),
      }),
      bind,
      opaque('other principal', 'other', good({ sub: 'bob' })),
      opaque('other tenant', 'other', good({ org: 'globex' })),
      opaque('inactive', 'invalid', { active: false }),
      opaque('active in words', 'invalid', good({ active: 'true' })),
      opaque('wrong audience', 'invalid', good({ aud: 'https://elsewhere.example.test/mcp' })),
      opaque("sibling's audience", 'invalid', good({ aud: sibling })),
      opaque('no audience', 'invalid', good({ aud: undefined })),
      opaque('expired', 'invalid', good({ exp: now - 3600 })),
      opaque('never expires', 'invalid', good({ exp: undefined })),
      opaque('not yet', 'invalid', good({ nbf: now + 3600 })),
      opaque('of another issuer, as it says', 'invalid', good({ iss: 'https://idp.example.test' })),
      opaque('revoked', 'invalid', good({ jti: REVOKED_JTI })),
      opaque('of an issuer that is down', 'unverifiable', undefined),
      opaque('of an issuer that answers rubbish', 'unverifiable', null),
    ];
  }

  /** A text as such tokens are, and what the issuer says of it. */
  #add(name: string, answer: Answer): string {
    const token = `opaque-${Buffer.from(name).toString('base64url')}`;
    this.#answers.set(token, answer);
    return token;
  }
}
