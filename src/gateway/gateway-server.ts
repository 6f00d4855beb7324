/** One server of a gateway: its config, its upstream and its endpoint at `/<name>`. */
import { isDeepStrictEqual } from 'node:util';
import type { SubjectTokens } from '../adapters/credentials/subject-tokens.ts';
import { reachableHosts } from '../adapters/system/reachable-hosts.ts';
import type { Identity, Telemetry, Upstream } from '../core/ports.ts';
import { createEndpoint, type EndpointOptions } from '../create-endpoint.ts';
import type { Endpoint, EndpointStatus } from '../server/endpoint.ts';
import type { ListenConfig, ServerConfig } from './gateway-config.ts';
import type { Guards } from './gateway-guards.ts';
import { serverTelemetry } from './server-telemetry.ts';
import type { Tenants } from './tenants.ts';
import { upstreamOf } from './upstream-of.ts';

/** What all servers of a gateway share. */
export interface GatewayServerParts extends Guards {
  /** Tokens of callers, for servers at which they are exchanged. */
  readonly subjectTokens: SubjectTokens;
  readonly listen: ListenConfig;
  readonly identity: Identity;
  readonly tenants: Tenants;
  readonly telemetry: Telemetry;
}

/** One server at this moment. */
export interface GatewayServerStatus extends EndpointStatus {
  readonly name: string;
  readonly isRequired: boolean;
}

export class GatewayServer {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly #upstream: Upstream;
  #config: ServerConfig;

  constructor(config: ServerConfig, parts: GatewayServerParts) {
    const { listen, identity, telemetry, access, audit, gate } = parts;
    const { name, limits } = config;
    const own = serverTelemetry(telemetry, name, parts.tenants);
    this.name = name;
    this.#config = config;
    this.#upstream = upstreamOf(config.source, {
      name,
      limits,
      telemetry: own,
      subjectTokens: parts.subjectTokens,
    });
    this.endpoint = createEndpoint({
      ...doorOf(listen, name),
      identity,
      access,
      audit,
      gate,
      limits,
      upstream: this.#upstream,
      telemetry: own,
      name,
      serves: (principal) => parts.tenants.sees(principal, name),
      isolation: config.isolation,
      eras: config.eras,
      endpointForm: config.endpointForm,
      priming: config.priming,
      heartbeat: config.heartbeat,
      tasks: config.tasks,
    });
  }

  get isRequired(): boolean {
    return this.#config.isRequired;
  }

  get status(): GatewayServerStatus {
    return { ...this.endpoint.status, name: this.name, isRequired: this.isRequired };
  }

  /** Whether it can go on as it is under this config. */
  fits(config: ServerConfig): boolean {
    return isDeepStrictEqual(
      { ...this.#config, isRequired: true },
      { ...config, isRequired: true },
    );
  }

  /** Takes over what only the gateway looks at, of a config that it fits. */
  follow(config: ServerConfig): void {
    this.#config = config;
  }

  /** Ends its processes without waiting for calls. */
  abandon(): Promise<void> {
    return this.#upstream.close();
  }
}

/**
 * Servers by name, in the order of their configs.
 * @throws TypeError as `createEndpoint` does; then none of them was left behind.
 */
export function gatewayServers(
  configs: readonly ServerConfig[],
  parts: GatewayServerParts,
): Map<string, GatewayServer> {
  const servers = new Map<string, GatewayServer>();
  try {
    for (const each of configs) servers.set(each.name, new GatewayServer(each, parts));
    return servers;
  } catch (error) {
    discard(servers);
    throw error;
  }
}

/** Ends servers that nobody was served by. */
export function discard(servers: ReadonlyMap<string, GatewayServer>): void {
  for (const each of servers.values()) {
    void each.endpoint.drain(0);
    void each.abandon();
  }
}

/** Where an endpoint is reached, who may address it, and from which pages. */
export function doorOf(
  { host, publicUrl, allowedOrigins }: ListenConfig,
  name: string,
): Pick<EndpointOptions, 'prefix' | 'publicUrl' | 'allowedHosts' | 'allowedOrigins'> {
  const prefix = `/${name}`;
  return {
    prefix,
    publicUrl: publicUrl === undefined ? undefined : publicUrl.replace(/\/+$/, '') + prefix,
    allowedHosts: reachableHosts(host, publicUrl),
    allowedOrigins,
  };
}
