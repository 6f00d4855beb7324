/** `/all`: the servers of a gateway as one, for each principal those that it may use. */
import { systemClock } from '../adapters/system/system-clock.ts';
import { systemRandom } from '../adapters/system/system-random.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { createEndpoint } from '../create-endpoint.ts';
import type { Endpoint } from '../server/endpoint.ts';
import { OUR_IDENTITY } from '../server/our-identity.ts';
import { doorOf, type GatewayServer, type GatewayServerParts } from './gateway-server.ts';
import type { MergedMember } from './merge/merge-parts.ts';
import { mergedUpstream, type MergedUpstream } from './merge/merged-upstream.ts';
import { serverTelemetry } from './server-telemetry.ts';

export const ALL = 'all';

export class AllEndpoint {
  readonly endpoint: Endpoint;
  readonly #upstream: MergedUpstream;
  #members: readonly MergedMember[];

  constructor(servers: readonly GatewayServer[], parts: GatewayServerParts) {
    const telemetry = serverTelemetry(parts.telemetry, ALL, parts.tenants);
    this.#members = membersOf(servers);
    this.#upstream = mergedUpstream(this.#members, {
      serverInfo: OUR_IDENTITY,
      clock: systemClock,
      random: systemRandom,
      telemetry,
      limits: DEFAULT_LIMITS,
      sees: (caller, server) => parts.tenants.sees(caller, server),
    });
    this.endpoint = createEndpoint({
      ...doorOf(parts.listen, ALL),
      identity: parts.identity,
      // Access is each member's to decide, with the names it knows.
      passesOrigin: true,
      audit: parts.audit,
      gate: parts.gate,
      upstream: this.#upstream,
      telemetry,
      name: ALL,
      // What one principal may see, and under which credential, is nobody else's.
      isolation: 'principal',
    });
  }

  /** Who listens is told of a change only when there is one. */
  setServers(servers: readonly GatewayServer[]): void {
    const members = membersOf(servers);
    const isSame =
      members.length === this.#members.length &&
      members.every(({ name, app }, index) => {
        const before = this.#members[index];
        return before?.name === name && before.app === app;
      });
    if (isSame) return;
    this.#members = members;
    this.#upstream.setMembers(members);
  }

  /** Tenants see other servers than before. */
  lookAgain(): void {
    this.#upstream.setMembers(this.#members);
  }
}

function membersOf(servers: readonly GatewayServer[]): readonly MergedMember[] {
  return servers.map(({ name, endpoint }) => ({ name, app: endpoint }));
}
