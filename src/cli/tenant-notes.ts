/**
 * Ways to come in whose people are all of one tenant, and that tenant sees no server: they would be
 * let in and find nothing, which is seldom meant. A name may be a variable's value: none is told.
 */
import type { ConfigPath } from '../gateway/config/problem.ts';
import type { AuthConfig, GatewayConfig } from '../gateway/gateway-config.ts';
import { suspendedBy, Tenants } from '../gateway/tenants.ts';

export interface StartNote {
  readonly at: ConfigPath;
  readonly note: string;
}

export function tenantNotes({ auth, tenants, servers }: GatewayConfig): readonly StartNote[] {
  const named = new Tenants(tenants);
  const isSuspended = suspendedBy(tenants);
  return waysOf(auth).flatMap(({ way, at }) => {
    const tenant = oneTenantOf(way);
    if (tenant === undefined || isSuspended(tenant)) return [];
    if (servers.some(({ name }) => named.sees({ tenant }, name))) return [];
    const whose = tenant === 'default' ? 'the tenant default' : 'its one tenant';
    const note =
      `Whoever comes in this way is of ${whose}, which sees no server. ` +
      'Name it or "*" under tenants.';
    return [{ at, note }];
  });
}

/** Each way to come in, and where it is in the file. */
export function waysOf(auth: AuthConfig): readonly { way: AuthConfig; at: ConfigPath }[] {
  return auth.kind === 'several'
    ? auth.ways.map((way, index) => ({ way, at: ['auth', index] }))
    : [{ way: auth, at: ['auth'] }];
}

/** Undefined where each credential names its own. */
function oneTenantOf(way: AuthConfig): string | undefined {
  if (way.kind === 'kept' || way.kind === 'token' || way.kind === 'none') return 'default';
  if (way.kind === 'keys' || way.kind === 'several') return undefined;
  const { tenant = 'default' } = way;
  return typeof tenant === 'string' ? tenant : undefined;
}
