/** What programs may get wrong about the servers and tenants of a config; files were checked. */
import type { GatewayConfig } from './gateway-config.ts';
import { nameFault } from './config/server-names.ts';
import { othersFault, sharingFault } from './tenants.ts';

/** @throws TypeError when a gateway cannot be of these. */
export function checkServers({ servers, tenants }: GatewayConfig): void {
  const others = othersFault(tenants);
  if (others !== undefined) throw new TypeError(`tenants["*"].${others.key}: ${others.message}`);
  for (const server of servers) {
    const fault = sharingFault(server, tenants);
    if (fault !== undefined) throw new TypeError(`${server.name}: ${fault}`);
  }
  const names = new Set<string>();
  for (const { name } of servers) {
    const fault = nameFault(name);
    if (fault !== undefined) throw new TypeError(`${JSON.stringify(name)}: ${fault}`);
    if (names.has(name)) throw new TypeError(`Two servers are named ${name}.`);
    names.add(name);
  }
}
