/** Identity by access tokens that are JWTs of issuers the operator trusts. */
import type { Clock, Telemetry } from '../../core/ports.ts';
import type { GuardedFetch } from '../credentials/guarded-fetch.ts';
import { type ClaimMapping, mapTenant } from './claim-mapping.ts';
import { DPOP_ALGORITHMS, DpopProofs } from './dpop-proofs.ts';
import { IssuedBy } from './issued-by.ts';
import { type Belonging, isJwt, jwtBelonging } from './jwt-belonging.ts';
import { JwtVerifier } from './jwt-verifier.ts';
import type { TokenForm } from './presented-tokens.ts';
import { TokenIdentity } from './token-identity.ts';
import type { TokenVerifier } from './token-facts.ts';
import { type OpenedByTokens, TokenWatch } from './token-watch.ts';
import { VerifiedTokens } from './verified-tokens.ts';

export interface JwtIssuer {
  /** Exactly as tokens and the issuer's metadata name it. */
  readonly issuer: string;
  /** Where its keys are. Default: as its metadata says (RFC 8414, OpenID Connect Discovery). */
  readonly jwksUri?: string | undefined;
  /** Asymmetric ones only. Default: RS256, PS256, ES256, ES384 and EdDSA. */
  readonly algorithms?: readonly string[] | undefined;
  /** Values of `typ` that count. Default `at+jwt` and `JWT`; a token without it is a `JWT`. */
  readonly types?: readonly string[] | undefined;
}

export interface TokenRules extends ClaimMapping {
  /** Audiences that count at every server, besides each one's own URL. Default: none. */
  readonly audiences?: readonly string[] | undefined;
  /** Scopes without which no request goes on. Default: none. */
  readonly requiredScopes?: readonly string[] | undefined;
  /** Proofs of possession: not read, for tokens bound to a key, or needed. Default `bound`. */
  readonly dpop?: 'off' | 'bound' | 'required' | undefined;
  /** Whether a proof must hold a nonce of ours. Default false. */
  readonly dpopNonce?: boolean | undefined;
  /** As `VerifiedTokensOptions` has it. Default 100. */
  readonly failuresPerSecondMax?: number | undefined;
}

export interface TokenPorts {
  readonly fetch: GuardedFetch;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Wall-clock milliseconds. Default: the machine's. */
  readonly now?: (() => number) | undefined;
  /** What ends with a token that counts no more. Undefined: nothing is looked after. */
  readonly opened?: OpenedByTokens | undefined;
}

export interface JwtIdentityOptions extends TokenRules {
  /** At least one. */
  readonly issuers: readonly JwtIssuer[];
}

/** The machine's, whatever became of it since we started. */
export const wallClock = (): number => Date.now();

export const JWT_ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const ALGORITHMS_DEFAULT: readonly string[] = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];

/** @throws TypeError when an algorithm is none that JWTs of others may be signed with. */
export function jwtIdentity(options: JwtIdentityOptions, ports: TokenPorts): TokenIdentity {
  const { clock, fetch, telemetry, now = wallClock } = ports;
  const verifiers = options.issuers.map(({ issuer, jwksUri, algorithms, types }) => {
    const chosen = algorithms ?? ALGORITHMS_DEFAULT;
    const wrong = chosen.find((each) => !JWT_ALGORITHMS.includes(each));
    if (wrong !== undefined) throw new TypeError(`${wrong} is not a signature of an issuer's own.`);
    const onFailure = (detail: string): void =>
      telemetry.log('warn', 'issuer_keys_failed', { issuer, detail });
    const kinds = (types ?? ['at+jwt', 'JWT']).map((type) => type.toLowerCase());
    const parts = { issuer, jwksUri, algorithms: chosen, types: kinds };
    return [issuer, new JwtVerifier({ ...parts, fetch, clock, now, onFailure })] as const;
  });
  const verifier = new IssuedBy(new Map(verifiers));
  const issuers = options.issuers.map(({ issuer }) => issuer);
  const ours = new Set(issuers);
  const belongingOf = (token: string): Belonging => jwtBelonging(token, ours);
  const form = { isFit: isJwt, belongingOf };
  return tokenIdentity(options, ports, { verifier, issuers, form });
}

/** What identities by tokens have in common, however tokens are verified. */
export function tokenIdentity(
  rules: TokenRules,
  { clock, now = wallClock, opened }: TokenPorts,
  kind: {
    readonly verifier: TokenVerifier;
    /** Milliseconds for which an answer of it counts. Default: until the token ends. */
    readonly keptMsMax?: number | undefined;
    /** As `VerifiedTokensOptions` has it. */
    readonly askingMax?: number | undefined;
    readonly issuers: readonly string[];
    readonly form: TokenForm;
  },
): TokenIdentity {
  const { audiences = [], requiredScopes = [], dpop = 'bound', dpopNonce = false } = rules;
  const { failuresPerSecondMax } = rules;
  const { keptMsMax = Infinity } = kind;
  const isOff = dpop === 'off';
  const watch = opened === undefined ? undefined : new TokenWatch({ clock, opened, keptMsMax });
  const tokens = new VerifiedTokens(kind.verifier, {
    now,
    clock,
    keptMsMax,
    failuresPerSecondMax,
    askingMax: kind.askingMax,
    // What names no tenant lets nobody in, and is one for itself.
    tenantOf: ({ claims }) => mapTenant(claims, rules) ?? '',
    isOpen: (token) => watch?.isOpen(token) === true,
    onEnded: (token) => watch?.ended(token),
  });
  watch?.start(tokens);
  return new TokenIdentity({
    tokens,
    close: () => watch?.close(),
    form: kind.form,
    mapping: rules,
    audiences,
    authorization: {
      issuers: kind.issuers,
      scopes: requiredScopes,
      dpopAlgorithms: isOff ? [] : DPOP_ALGORITHMS,
      isDpopRequired: dpop === 'required',
    },
    proofs: isOff ? undefined : new DpopProofs({ clock, now, isNonceNeeded: dpopNonce }),
    clock,
    now,
  });
}
