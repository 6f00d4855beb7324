/** What the sections of a config file hold once each key is checked alone. */
import type { ChildResources } from '../../adapters/upstreams/stdio/child-resources.ts';
import type { Limits } from '../../core/limits.ts';
import type { EndpointForm } from '../../core/protocol/eras/http-sse-2024.ts';
import type { Priming } from '../../core/protocol/eras/streamable-2025.ts';
import type { Isolation } from '../../server/instance-places.ts';
import type { ServedEraChoice } from '../../server/upstream-probe.ts';
import type { TransportShape } from './transport-schema.ts';

export interface ListenShape extends TransportShape {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly publicUrl?: string | undefined;
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Milliseconds. */
  readonly drain?: number | undefined;
}

export interface TokenShape {
  readonly token: string;
}

export interface NoAuthShape {
  readonly type: 'none';
  readonly insecure?: boolean | undefined;
}

export interface AllShape {
  readonly servers: readonly string[];
}

export interface ServerOptionsShape {
  readonly isolation?: Isolation | undefined;
  readonly eras?: ServedEraChoice | undefined;
  readonly limits?: Readonly<Partial<Record<keyof Limits, number | undefined>>> | undefined;
  readonly endpointForm?: EndpointForm | undefined;
  readonly priming?: Priming | undefined;
  readonly heartbeat?: 'comment' | 'off' | undefined;
  readonly tasks?: 'off' | 'bridge' | undefined;
  readonly required?: boolean | undefined;
}

export interface CommandShape extends ServerOptionsShape {
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  readonly workdir?: string | undefined;
  readonly resources?: ChildResources | undefined;
  readonly sandbox?: readonly string[] | undefined;
  readonly stderr?: 'log' | 'count' | undefined;
}

export interface UrlShape extends ServerOptionsShape {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly allowedHosts?: readonly string[] | undefined;
  readonly ca?: string | undefined;
  readonly proxy?: string | undefined;
  readonly auth?: UpstreamAuthShape | undefined;
}

export interface UpstreamAuthShape {
  readonly type: 'client_credentials' | 'token_exchange';
  readonly issuer?: string | undefined;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
}

export interface ModuleShape extends ServerOptionsShape {
  readonly module: string;
  readonly export?: string | undefined;
}
