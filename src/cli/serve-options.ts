import type { LogFormat } from '../adapters/telemetry/console-telemetry.ts';
import type { Limits } from '../core/limits.ts';
import type { LogLevel } from '../core/ports.ts';

export const ISOLATIONS = ['session', 'principal', 'tenant', 'shared'] as const;
export const ENDPOINT_FORMS = ['relative', 'root', 'absolute'] as const;
export const PRIMINGS = ['auto', 'off'] as const;
export const HEARTBEATS = ['comment', 'off'] as const;
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export const LOG_FORMATS = ['pretty', 'json'] as const;

/** How clients prove who they are. */
export type CredentialChoice =
  | { readonly kind: 'none' }
  /** Each client's certificate, and nothing besides. */
  | { readonly kind: 'certificate' }
  /** Given by the operator, who knows it. */
  | { readonly kind: 'given'; readonly token: string; readonly by: string }
  /** Made once and kept in the user's configuration. */
  | { readonly kind: 'kept' };

/** A server at a URL instead of a command. */
export interface RemoteChoice {
  readonly url: string;
  /** Sent with every request to it. */
  readonly headers: Readonly<Record<string, string>>;
  /** Hosts that may be called without TLS and at private addresses. */
  readonly allowedHosts: readonly string[];
  /** A file of certificates to trust besides the platform's. */
  readonly caFile: string | undefined;
  /** Undefined: as the environment says. */
  readonly proxy: string | undefined;
  /** The client we are at its authorization server. */
  readonly client: ClientChoice;
}

/** The client we are at an authorization server, as far as its operator said. */
export interface ClientChoice {
  readonly id: string | undefined;
  /** From the environment alone. */
  readonly secret: string | undefined;
  readonly issuer: string | undefined;
  readonly scope: string | undefined;
}

/** Paths of PEM files. */
export interface TlsChoice {
  readonly cert: string;
  readonly key: string;
  /** Authorities, one of which must have signed the certificate of each client. */
  readonly clientCa: string | undefined;
  /** Lists of certificates that these authorities revoked. */
  readonly clientCrl: string | undefined;
}

/** `tidegate [options] -- <command> [args...]`, or with `--upstream <url>`, checked. */
export interface ServeOptions {
  /** Undefined: the server is a command. */
  readonly upstream: RemoteChoice | undefined;
  /** Empty when there is an upstream. */
  readonly command: string;
  readonly args: readonly string[];
  /** Variables set for the command besides those every server gets. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  /** Whether what the command writes to stderr is logged. */
  readonly logsStderr: boolean;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | undefined;
  readonly allowedOrigins: readonly string[] | undefined;
  /** Undefined: plain HTTP. */
  readonly tls: TlsChoice | undefined;
  readonly credential: CredentialChoice;
  readonly isolation: (typeof ISOLATIONS)[number];
  readonly endpointForm: (typeof ENDPOINT_FORMS)[number];
  readonly priming: (typeof PRIMINGS)[number];
  readonly heartbeat: (typeof HEARTBEATS)[number];
  /** Whether tasks are carried across eras. */
  readonly tasks: 'off' | 'bridge';
  readonly limits: Partial<Limits>;
  readonly logLevel: LogLevel | 'silent';
  /** Undefined: `pretty` on a terminal, else `json`. */
  readonly logFormat: LogFormat | undefined;
  readonly drainMs: number;
  /** One line of JSON on standard output instead of text for people. */
  readonly isJson: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;
