/** The tenants of a file: from checked sections to what the gateway is told. */
import { SsrfGuard } from '../../adapters/outbound/ssrf-guard.ts';
import type { ServerConfig, TenantConfig } from '../gateway-config.ts';
import { isRecord } from './config-section.ts';
import type { ConfigPath } from './problem.ts';
import { nearest } from './nearest.ts';
import { type ProblemList, quoted } from './problem-list.ts';
import { tenantAccess } from './remote-source.ts';
import { othersFault, sharingFault } from '../tenants.ts';
import { TENANT, type TenantShape } from './tenant-schema.ts';

/** @param servers - those there are. */
export function tenantsConfig(
  value: unknown,
  servers: readonly ServerConfig[],
  problems: ProblemList,
): Readonly<Record<string, TenantConfig>> | undefined {
  if (value === undefined) return undefined;
  if (!isRecord(value)) {
    problems.value(['tenants'], 'Give tenants by name: tenants: { acme: { servers: [files] } }.');
    return undefined;
  }
  const tenants = Object.entries(value).map(([name, each]): [string, TenantConfig] => {
    const path = ['tenants', name];
    const found = TENANT.read(each ?? {}, path, problems);
    tellUnknown(found, servers, path, problems);
    const credentials = Object.entries(found.credentials ?? {}).flatMap(([server, shape]) => {
      const config = servers.find((known) => known.name === server);
      if (config === undefined || config.source.kind !== 'url') return [];
      const here = [...path, 'credentials', server];
      const guard = new SsrfGuard(config.source.allowedHosts);
      return [[server, tenantAccess(shape, guard, config.isolation, here, problems)] as const];
    });
    const { suspended = false, servers: seen, limits } = found;
    return [
      name,
      {
        servers: seen,
        isSuspended: suspended,
        limits,
        credentials: Object.fromEntries(credentials),
      },
    ];
  });
  const named = Object.fromEntries(tenants);
  const others = othersFault(named);
  if (others !== undefined) problems.key(['tenants', '*', others.key], others.message);
  for (const { name, ...server } of servers) {
    const fault = sharingFault(server, named);
    if (fault !== undefined) problems.value(['servers', name, 'isolation'], fault);
  }
  return named;
}

function tellUnknown(
  { servers: seen = [], credentials = {} }: TenantShape,
  servers: readonly ServerConfig[],
  path: ConfigPath,
  problems: ProblemList,
): void {
  const names = servers.map(({ name }) => name);
  const unknown = (name: string): string | undefined => {
    if (names.includes(name)) return undefined;
    const near = nearest(name.slice(0, 100), names);
    const meant = near === undefined ? '' : ` Did you mean ${quoted(near)}?`;
    return `There is no server of this name.${meant}`;
  };
  seen.forEach((name, index) => {
    const fault = unknown(name);
    if (fault !== undefined) problems.value([...path, 'servers', index], fault);
  });
  for (const name of Object.keys(credentials)) {
    const isRemote = servers.some((each) => each.name === name && each.source.kind === 'url');
    const fault = unknown(name) ?? (isRemote ? undefined : 'Only a server with a url takes these.');
    if (fault !== undefined) problems.key([...path, 'credentials', name], fault);
  }
}

/** Servers with what each tenant shows them. */
export function withTenants(
  servers: readonly ServerConfig[],
  tenants: Readonly<Record<string, TenantConfig>> | undefined,
): readonly ServerConfig[] {
  return servers.map((server) => {
    if (server.source.kind !== 'url') return server;
    const own = Object.entries(tenants ?? {}).flatMap(([tenant, { credentials }]) => {
      const access = credentials[server.name];
      return access === undefined ? [] : [[tenant, access] as const];
    });
    if (own.length === 0) return server;
    return { ...server, source: { ...server.source, tenants: Object.fromEntries(own) } };
  });
}
