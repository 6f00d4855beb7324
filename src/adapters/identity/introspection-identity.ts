/** Identity by opaque access tokens, about which their issuer is asked. */
import { apiKeyId } from './api-key.ts';
import { introspect } from './introspection.ts';
import { isJwt, jwtBelonging } from './jwt-belonging.ts';
import { tokenIdentity, type TokenPorts, type TokenRules, wallClock } from './jwt-identity.ts';
import type { TokenIdentity } from './token-identity.ts';

export interface IntrospectionOptions extends TokenRules {
  /** The introspection endpoint. */
  readonly url: string;
  /** Who issues the tokens: part of who their bearers are, and told to clients. */
  readonly issuer: string;
  /** Our own credential there, sent as HTTP Basic. */
  readonly client: { readonly id: string; readonly secret: string };
  /** Milliseconds for which an answer counts, and never longer than its token. Default 30000. */
  readonly keptMsMax?: number | undefined;
}

/** Half of what a revocation may take to be heard of. */
const KEPT_MS = 30_000;

/** Questions at a time that requests wait for; beyond it tokens are refused with 503. */
const ASKING_MAX = 64;

/** A token of another form than a header can carry is nobody's. @see RFC 6750 section 2.1 */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

export function introspectionIdentity(
  options: IntrospectionOptions,
  ports: TokenPorts,
): TokenIdentity {
  const { now = wallClock } = ports;
  const { issuer, keptMsMax = KEPT_MS } = options;
  const verifier = introspect(options, { ...ports, now });
  // A JWT that names nobody may be its own.
  const ours = new Set([issuer, undefined]);
  return tokenIdentity(options, ports, {
    verifier,
    keptMsMax,
    askingMax: ASKING_MAX,
    issuers: [issuer],
    form: {
      // A key of ours is shown to nobody.
      isFit: (text) => TOKEN.test(text) && apiKeyId(text) === undefined,
      // Nor is what another issuer signed: whoever is shown it could come in with it elsewhere.
      belongingOf: (text) =>
        isJwt(text) && jwtBelonging(text, ours) === 'foreign' ? 'foreign' : 'ours',
    },
  });
}
