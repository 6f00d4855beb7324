import type { Limits } from '../core/limits.ts';
import type { ServeOptions } from './serve-options.ts';

/** The options as the parser gives them: each value checked, none compared with another. */
export interface RawOptions {
  readonly host: string;
  readonly port: number;
  readonly token?: string;
  readonly auth: boolean;
  readonly insecure?: boolean;
  readonly publicUrl?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly tlsClientCrl?: string;
  readonly allowedOrigin?: readonly string[];
  readonly config?: string;
  readonly upstream?: string;
  readonly upstreamHeader?: Readonly<Record<string, string>>;
  readonly upstreamAllow?: readonly string[];
  readonly upstreamCa?: string;
  readonly upstreamClientId?: string;
  readonly upstreamIssuer?: string;
  readonly upstreamScope?: string;
  readonly proxy?: string;
  readonly isolation: ServeOptions['isolation'];
  readonly endpointForm: ServeOptions['endpointForm'];
  readonly priming: ServeOptions['priming'];
  readonly heartbeat: ServeOptions['heartbeat'];
  readonly bridgeTasks?: boolean;
  readonly limit?: Partial<Limits>;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly logStderr?: boolean;
  readonly logLevel: ServeOptions['logLevel'];
  readonly logFormat?: ServeOptions['logFormat'];
  /** Milliseconds. */
  readonly drain: number;
  readonly json?: boolean;
}
