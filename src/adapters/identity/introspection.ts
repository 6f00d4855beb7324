/**
 * Asks an issuer about a token that says nothing by itself. Whoever sends rubbish makes us ask, so
 * what was no token is remembered for a moment.
 * @see https://www.rfc-editor.org/rfc/rfc7662
 */
import { CredentialError, credentialFault } from '../credentials/credential-error.ts';
import type { TokenPorts } from './jwt-identity.ts';
import {
  bindingOf,
  invalid,
  TOLERANCE_MS,
  type TokenOutcome,
  type TokenVerifier,
  UNAVAILABLE,
} from './token-facts.ts';
import { TokenMemory } from './token-memory.ts';
import { tokenDigest } from './verified-tokens.ts';

export interface IntrospectionChoice {
  readonly url: string;
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string };
}

/** Milliseconds for which a token that was none is not asked about again. */
const WRONG_MS = 10_000;

export function introspect(
  choice: IntrospectionChoice,
  ports: TokenPorts & { readonly now: () => number },
): TokenVerifier {
  const { clock, telemetry } = ports;
  const wrong = new TokenMemory(WRONG_MS);
  return {
    async verify(token) {
      const digest = tokenDigest(token);
      if (wrong.has(digest, clock.now())) return invalid('known-wrong');
      try {
        const outcome = outcomeOf(await ask(choice, ports, token), choice, ports.now());
        if (outcome.kind === 'invalid') wrong.add(digest, clock.now());
        return outcome;
      } catch (error) {
        const detail = credentialFault(error);
        telemetry.log('warn', 'introspection_failed', { issuer: choice.issuer, detail });
        return UNAVAILABLE;
      }
    },
  };
}

async function ask(
  { url, client }: IntrospectionChoice,
  { fetch }: TokenPorts,
  token: string,
): Promise<unknown> {
  // RFC 6749 section 2.3.1: both are form-encoded before they are joined.
  const user = [client.id, client.secret].map(formEncoded).join(':');
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      authorization: `Basic ${Buffer.from(user).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ token, token_type_hint: 'access_token' }),
  });
  if (response.status !== 200) throw new CredentialError(`The issuer answers ${response.status}.`);
  return response.json();
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

/** @see https://www.rfc-editor.org/rfc/rfc7662#section-2.2 */
function outcomeOf(answer: unknown, { issuer }: IntrospectionChoice, now: number): TokenOutcome {
  if (typeof answer !== 'object' || answer === null)
    throw new CredentialError('The answer is no object.');
  const claims = answer as Readonly<Record<string, unknown>>;
  if (claims['active'] !== true) return invalid('inactive');
  const { exp, nbf, iss } = claims;
  const binding = bindingOf(claims);
  if (iss !== undefined && iss !== issuer) return invalid('issuer');
  if (binding === undefined) return invalid('binding');
  if (typeof exp !== 'number') return invalid('claims');
  const isBegun =
    nbf === undefined || (typeof nbf === 'number' && nbf * 1000 <= now + TOLERANCE_MS);
  const expiresAt = exp * 1000;
  if (!isBegun) return invalid('not-yet');
  if (expiresAt + TOLERANCE_MS <= now) return invalid('expired');
  return { kind: 'facts', facts: { claims, issuer, expiresAt, binding } };
}
