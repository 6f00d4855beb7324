/** From what a config says of one way to come in to what asks those who come by it. */
import { homedir } from 'node:os';
import { type GuardedFetch, guardedFetch } from '../adapters/credentials/guarded-fetch.ts';
import { rememberingIdentity, type SubjectTokens } from '../adapters/credentials/subject-tokens.ts';
import { introspectionIdentity } from '../adapters/identity/introspection-identity.ts';
import { jwtIdentity, type TokenPorts } from '../adapters/identity/jwt-identity.ts';
import { KeyRing } from '../adapters/identity/key-ring.ts';
import { mtlsIdentity } from '../adapters/identity/mtls.ts';
import { noAuth } from '../adapters/identity/no-auth.ts';
import { staticToken } from '../adapters/identity/static-token.ts';
import type { TokenIdentity } from '../adapters/identity/token-identity.ts';
import type { OpenedByTokens } from '../adapters/identity/token-watch.ts';
import { keepToken, tokenFilePath } from '../adapters/identity/token-file.ts';
import { HttpOutbound } from '../adapters/outbound/http-outbound.ts';
import { SsrfGuard } from '../adapters/outbound/ssrf-guard.ts';
import type { Grant } from '../core/grant.ts';
import type { GrantingDoor } from '../core/granting-door.ts';
import type { Clock, Identity, Telemetry } from '../core/ports.ts';
import { isLoopback } from '../core/security/listen-host.ts';
import type { AuthConfig, ListenConfig } from './gateway-config.ts';

export interface IdentityPorts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Told the ids of keys that are gone. */
  readonly onRevoked: (credentialIds: ReadonlySet<string>) => void;
  /** Told the ids of credentials that are new. */
  readonly onAdded?: ((credentialIds: readonly string[]) => void) | undefined;
  /** Told how to know the grants of ways in that a config changed, or names no more. */
  readonly onReplaced?: ((isTheirs: (grant: Grant) => boolean) => void) | undefined;
  /** What is open, and ends with the token that opened it. */
  readonly opened?: OpenedByTokens | undefined;
  /** Where tokens of an issuer are noted, for servers at which they are exchanged. */
  readonly subjectTokens?: SubjectTokens | undefined;
}

/** What names one way to come in. */
export type WayConfig = Exclude<AuthConfig, { readonly kind: 'several' }>;

export interface BuiltIdentity {
  readonly identity: Identity;
  /** Its keys, where it is by keys of a file. */
  readonly ring?: KeyRing | undefined;
  /** What it let in; absent where keys are told of one by one. */
  readonly given?: GrantingDoor['given'] | undefined;
  /** Stops whatever it watches and asks. */
  close(): void;
}

/**
 * @throws Error when the door would stand open to others, a token is unfit, or what is kept cannot
 * be read.
 */
export function identityOf(
  auth: WayConfig,
  listen: ListenConfig,
  ports: IdentityPorts,
): BuiltIdentity {
  switch (auth.kind) {
    case 'none':
      if (!auth.insecure && !isPrivate(listen)) {
        throw new Error('No credential is asked where others can reach the gateway.');
      }
      return unwatched(noAuth());
    case 'token':
      return unwatched(staticToken(auth.token));
    case 'kept': {
      const kept = keepToken(tokenFilePath(process.env, process.platform, homedir()));
      if (kept.kind === 'failed') throw new Error(kept.reason);
      return unwatched(staticToken(kept.token));
    }
    case 'keys': {
      const ring = new KeyRing({ path: auth.path, ...ports });
      return { identity: ring, ring, close: () => ring.close() };
    }
    case 'mtls':
      return unwatched(mtlsIdentity({ ...auth, clock: ports.clock }));
    case 'jwt': {
      const { issuer, jwksUri, algorithms, types, allowedHosts, ...rules } = auth;
      const issuers = [{ issuer, jwksUri, algorithms, types }];
      return asking(allowedHosts, ports, (asked) => jwtIdentity({ ...rules, issuers }, asked));
    }
    case 'introspection': {
      const { allowedHosts, ...options } = auth;
      return asking(allowedHosts, ports, (asked) => introspectionIdentity(options, asked));
    }
    default:
      // A program may have written it that nothing checked.
      throw new TypeError('auth: kind must be one of those of AuthConfig.');
  }
}

function unwatched(identity: Identity & GrantingDoor): BuiltIdentity {
  const { given } = identity;
  return { identity, given, close() {} };
}

/** An identity that asks an issuer, at addresses the operator allows. */
function asking(
  allowedHosts: readonly string[],
  { clock, telemetry, opened, subjectTokens }: IdentityPorts,
  build: (ports: TokenPorts) => TokenIdentity,
): BuiltIdentity {
  const http = new HttpOutbound(new SsrfGuard(allowedHosts));
  const fetch: GuardedFetch = guardedFetch(http, ISSUER_MS_MAX);
  const built = build({ fetch, clock, telemetry, opened });
  const identity = subjectTokens === undefined ? built : rememberingIdentity(built, subjectTokens);
  const close = (): void => {
    built.close();
    void http.close();
  };
  return { identity, given: built.given, close };
}

/** Milliseconds an issuer may take to answer: requests wait for it. */
const ISSUER_MS_MAX = 5000;

/** A tunnel or a proxy named by the public URL brings strangers to a loopback address, too. */
function isPrivate({ host, publicUrl }: ListenConfig): boolean {
  return isLoopback(host) && (publicUrl === undefined || isLoopback(new URL(publicUrl).hostname));
}
