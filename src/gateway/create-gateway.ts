/** `tidegate/gateway`: many servers behind one listener. */
import { Gateway, type GatewayOptions } from './gateway.ts';
import type { GatewayConfig } from './gateway-config.ts';

export { loadConfig, type LoadedConfig } from './config/load-config.ts';
export type { Problem } from './config/problem.ts';
export type { ConfigOutcome, ConfigPlaces } from './config/read-config.ts';
export type { Denied } from '../adapters/identity/denials.ts';
export type { AllowRule, PolicyRules } from '../adapters/policy/policy-rules.ts';
export type { Gateway, GatewayOptions, GatewayStatus } from './gateway.ts';
export type { ReloadOutcome } from './reload-outcome.ts';
export type { GatewayServerStatus } from './gateway-server.ts';
export type {
  AllConfig,
  AuthConfig,
  GatewayConfig,
  IntrospectionAuthConfig,
  JwtAuthConfig,
  ListenConfig,
  ServerConfig,
  ServerSource,
  TenantAccess,
  TenantConfig,
  UpstreamCredentialConfig,
} from './gateway-config.ts';

/**
 * Serves every server of a config at `/<name>/mcp`, `/<name>/sse` and `/<name>/messages`. Give it
 * to `serve`, `nodeHandler` or `fetchHandler`. A server that cannot be started disturbs no other.
 * @throws TypeError when a member of the config or an option is of the wrong kind, or no member of
 * it, when two servers have one name, or a name, the public URL or an origin is malformed.
 * @throws Error when the credential of the config cannot be used, or nobody is asked for one where
 * others can reach.
 */
export function createGateway(config: GatewayConfig, options: GatewayOptions = {}): Gateway {
  return new Gateway(config, options);
}
