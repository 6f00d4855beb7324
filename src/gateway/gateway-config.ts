/**
 * What a gateway is told: its listener, its door, and its servers by name. A config file becomes
 * this after every check has passed; a program may write it by hand.
 */
import type { TlsOptions } from '../adapters/http/node.ts';
import type { RateRules, Rates } from '../adapters/gate/rate-rules.ts';
import type { Denied } from '../adapters/identity/denials.ts';
import type { IntrospectionOptions } from '../adapters/identity/introspection-identity.ts';
import type { JwtIssuer, TokenRules } from '../adapters/identity/jwt-identity.ts';
import type { MtlsOptions } from '../adapters/identity/mtls.ts';
import type { PolicyRules } from '../adapters/policy/policy-rules.ts';
import type { ChildResources } from '../adapters/upstreams/stdio/child-resources.ts';
import type { Limits } from '../core/limits.ts';
import type { EndpointForm } from '../core/protocol/eras/http-sse-2024.ts';
import type { Priming } from '../core/protocol/eras/streamable-2025.ts';
import type { Isolation } from '../server/instance-places.ts';
import type { ServedEraChoice } from '../server/upstream-probe.ts';

export interface GatewayConfig {
  readonly listen: ListenConfig;
  readonly auth: AuthConfig;
  /** Who is out, whatever credential they show; undefined for nobody. */
  readonly denied?: Denied | undefined;
  /** The endpoint `/all` that merges the servers; undefined for none. */
  readonly all: AllConfig | undefined;
  /** Who may do what; undefined: whoever is let in may do everything. */
  readonly policy?: PolicyRules | undefined;
  /** By name; `*` stands for those that are not named. Undefined: all see every server. */
  readonly tenants?: Readonly<Record<string, TenantConfig>> | undefined;
  /** Limits by account, over all servers; undefined for none. */
  readonly rates?: Rates | undefined;
  /** The record; undefined for none. */
  readonly audit?: AuditConfig | undefined;
  /** In the order of the file, which is the order of merged lists. */
  readonly servers: readonly ServerConfig[];
}

export interface ListenConfig {
  readonly host: string;
  readonly port: number;
  /** The URL clients reach the gateway by, without the servers' names. */
  readonly publicUrl: string | undefined;
  readonly allowedOrigins: readonly string[] | undefined;
  /** Milliseconds that a shutdown may take. */
  readonly drainMs: number;
  /** Files by their absolute paths; undefined for plain HTTP. */
  readonly tls?: TlsOptions | undefined;
  /** Proxies that are believed, as addresses and ranges; undefined for none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** The one header of theirs that is read; undefined for both. */
  readonly forwardedHeader?: 'forwarded' | 'x-forwarded-for' | undefined;
  /** Whether their connections begin with the header of the PROXY protocol. */
  readonly proxyProtocol?: boolean | undefined;
}

export type AuthConfig =
  /** The token kept in the user's config folder, made once. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'token'; readonly token: string }
  /** No credential is asked; refused on other than loopback unless `insecure`. */
  | { readonly kind: 'none'; readonly insecure: boolean }
  /** API keys of a file, by its absolute path. */
  | { readonly kind: 'keys'; readonly path: string }
  | JwtAuthConfig
  | IntrospectionAuthConfig
  /** Client certificates that the authorities in `listen.tls` verify. */
  | ({ readonly kind: 'mtls' } & Pick<MtlsOptions, 'tenant' | 'subject' | 'groups'>)
  /** The first that knows a credential decides. */
  | { readonly kind: 'several'; readonly ways: readonly AuthConfig[] };

/** Access tokens of one issuer that are JWTs. */
export interface JwtAuthConfig extends TokenRules, JwtIssuer {
  readonly kind: 'jwt';
  /** Hosts that may be asked without TLS and at private addresses. */
  readonly allowedHosts: readonly string[];
}

/** Access tokens about which their issuer is asked (RFC 7662). */
export interface IntrospectionAuthConfig extends IntrospectionOptions {
  readonly kind: 'introspection';
  /** Hosts that may be asked without TLS and at private addresses. */
  readonly allowedHosts: readonly string[];
}

export interface TenantConfig {
  /** Names of the servers it sees; undefined for all. */
  readonly servers: readonly string[] | undefined;
  readonly isSuspended: boolean;
  /** In place of those of all tenants, key by key. */
  readonly limits: RateRules | undefined;
  /** At servers with a URL, by their names. */
  readonly credentials: Readonly<Record<string, TenantAccess>>;
}

/** What a tenant shows a remote server in place of what others show it. */
export interface TenantAccess {
  readonly headers: Readonly<Record<string, string>>;
  readonly credential: UpstreamCredentialConfig | undefined;
}

export interface AuditConfig {
  /** Absolute; undefined for standard output. */
  readonly file: string | undefined;
  /** Bytes after which the file is put aside. */
  readonly rotateBytes: number;
  /** Whether calls are refused while it cannot be written. */
  readonly isRequired: boolean;
  /** A secret of 32 characters or more that makes digests HMACs; undefined for plain ones. */
  readonly digestKey?: string | undefined;
}

export interface AllConfig {
  /** Names of the servers it merges; undefined for every one. */
  readonly servers: readonly string[] | undefined;
}

/** One server, served at `/<name>/…`. */
export interface ServerConfig {
  /** `[a-z0-9][a-z0-9-]*`, at most 64 characters, unique, and none of the gateway's own paths. */
  readonly name: string;
  readonly source: ServerSource;
  readonly isolation: Isolation;
  readonly eras: ServedEraChoice;
  /** Bounds that differ from their defaults. */
  readonly limits: Partial<Limits>;
  readonly endpointForm: EndpointForm;
  readonly priming: Priming;
  readonly heartbeat: 'comment' | 'off';
  /** Whether tasks are carried across eras. Default `off`. */
  readonly tasks?: 'off' | 'bridge' | undefined;
  /** Whether `/readyz` fails while it is down. Default true. */
  readonly isRequired: boolean;
}

export type ServerSource =
  | {
      readonly kind: 'command';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      /** Absolute. */
      readonly cwd: string | undefined;
      /** Absolute: each child works in a folder of its tenant's below it, in place of `cwd`. */
      readonly workdir?: string | undefined;
      /** What each of its processes may use. */
      readonly resources?: ChildResources | undefined;
      /** Words in front of the command. */
      readonly sandbox?: readonly string[] | undefined;
      /** Whether its stderr is logged or counted. Default `count`. */
      readonly stderr?: 'log' | 'count' | undefined;
    }
  | {
      readonly kind: 'url';
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly allowedHosts: readonly string[];
      /** PEM text of certificates to trust besides the platform's. */
      readonly ca: string | undefined;
      /** URL of an HTTP proxy; undefined for the environment's. */
      readonly proxy: string | undefined;
      readonly credential: UpstreamCredentialConfig | undefined;
      /** Of single tenants, by their names. */
      readonly tenants?: Readonly<Record<string, TenantAccess>> | undefined;
    }
  | {
      readonly kind: 'module';
      /** Absolute path of an ES module. */
      readonly path: string;
      /** The export that returns a server of the official SDK, 1.x or 2.x. Default `default`. */
      readonly exportName: string;
    };

/** Our own credential at a remote server, from its authorization server. Never a client's. */
export type UpstreamCredentialConfig =
  | {
      readonly kind: 'client-credentials';
      /** Undefined: found by the server's protected resource metadata (RFC 9728). */
      readonly issuer: string | undefined;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope: string | undefined;
    }
  /** RFC 8693: the client's token is exchanged for one of the upstream's, for each principal. */
  | {
      readonly kind: 'token-exchange';
      readonly issuer: string | undefined;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope: string | undefined;
      readonly audience: string | undefined;
    };
