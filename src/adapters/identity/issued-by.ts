import { invalid, type TokenFacts, type TokenOutcome, type TokenVerifier } from './token-facts.ts';

/**
 * Gives each JWT to the verifier of the issuer it names; an issuer that nobody named has none. What
 * the token names is not believed by that: the verifier checks it with everything else.
 */
export class IssuedBy implements TokenVerifier {
  readonly #verifiers: ReadonlyMap<string, Required<TokenVerifier>>;

  constructor(verifiers: ReadonlyMap<string, Required<TokenVerifier>>) {
    this.#verifiers = verifiers;
  }

  async verify(token: string): Promise<TokenOutcome> {
    const { decodeJwt } = await import('jose');
    try {
      const verifier = this.#verifiers.get(decodeJwt(token).iss ?? '');
      return verifier === undefined ? invalid('issuer') : await verifier.verify(token);
    } catch {
      return invalid('malformed');
    }
  }

  async again(facts: TokenFacts): Promise<TokenOutcome> {
    return this.#verifiers.get(facts.issuer)?.again(facts) ?? invalid('issuer');
  }
}
