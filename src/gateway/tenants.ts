/** Which tenants there are, and which servers each of them sees. */
import { isDeepStrictEqual } from 'node:util';
import type { Rates } from '../adapters/gate/rate-rules.ts';
import type { Denied } from '../adapters/identity/denials.ts';
import type { Principal } from '../core/ports.ts';
import type { GatewayConfig, ServerConfig, TenantConfig } from './gateway-config.ts';

type Named = GatewayConfig['tenants'];

/** Stands for every tenant that is not named. */
const OTHERS = '*';

export class Tenants {
  #named: Named;

  constructor(named: Named) {
    this.#named = named;
  }

  /**
   * Counts from the next request on.
   * @returns whether anything differs.
   */
  configure(named: Named): boolean {
    if (isDeepStrictEqual(this.#named, named)) return false;
    this.#named = named;
    return true;
  }

  /** A server that is not seen is answered for like a name there is not. */
  sees({ tenant }: Pick<Principal, 'tenant'>, server: string): boolean {
    if (this.#named === undefined) return true;
    const config = tenantOf(this.#named, tenant);
    return config !== undefined && (config.servers?.includes(server) ?? true);
  }

  /** What a tenant is called in logs and metrics; undefined while none is named. */
  labelOf(tenant: unknown): string | undefined {
    if (this.#named === undefined || typeof tenant !== 'string') return undefined;
    return Object.hasOwn(this.#named, tenant) ? tenant : OTHERS;
  }
}

/** Why a server may not serve as it is told to; undefined when it may. */
export function sharingFault(
  { isolation }: Pick<ServerConfig, 'isolation'>,
  tenants: Named,
): string | undefined {
  const names = Object.keys(tenants ?? {});
  const isOne = names.length < 2 && !names.includes(OTHERS);
  if (isolation !== 'shared' || isOne) return undefined;
  return 'Tenants may not share one instance of a server: isolation may be tenant, not shared.';
}

/** Why the entry of those that are not named may not hold what it does; undefined when it may. */
export function othersFault(
  tenants: Named = {},
): { readonly key: 'limits' | 'credentials'; readonly message: string } | undefined {
  if (!Object.hasOwn(tenants, OTHERS)) return undefined;
  const { limits, credentials = {} } = tenants[OTHERS] as Partial<TenantConfig>;
  if (limits !== undefined) {
    const message = 'Only a named tenant has limits of its own; others have those of rates.tenant.';
    return { key: 'limits', message };
  }
  if (Object.keys(credentials).length === 0) return undefined;
  const message =
    "Only a named tenant has credentials of its own; others have the server's headers and auth.";
  return { key: 'credentials', message };
}

/** Which tenants are out, those that are not named included. */
export function suspendedBy(tenants: Named): (tenant: string) => boolean {
  return (tenant) => tenants !== undefined && tenantOf(tenants, tenant)?.isSuspended === true;
}

/** Whom a config denies by name, the tenants it suspends included. */
export function deniedOf({
  denied = {},
  tenants = {},
}: Pick<GatewayConfig, 'denied' | 'tenants'>): Denied {
  const suspended = Object.keys(tenants).filter((name) => tenants[name]?.isSuspended === true);
  return { ...denied, tenants: [...(denied.tenants ?? []), ...suspended] };
}

/** Limits, with those of single tenants. */
export function ratesOf({
  rates,
  tenants = {},
}: Pick<GatewayConfig, 'rates' | 'tenants'>): Rates | undefined {
  const own = Object.entries(tenants).flatMap(([name, { limits }]) =>
    limits === undefined ? [] : [[name, limits] as const],
  );
  return own.length === 0 ? rates : { ...rates, tenants: Object.fromEntries(own) };
}

function tenantOf(named: NonNullable<Named>, tenant: string): TenantConfig | undefined {
  if (Object.hasOwn(named, tenant)) return named[tenant];
  return Object.hasOwn(named, OTHERS) ? named[OTHERS] : undefined;
}
