/**
 * Requests that are for no server: health, and whatever does not exist. The steps are those of an
 * endpoint, so that a name that is not served is answered like a path that is not served, and only
 * to who may know.
 */
import { systemClock } from '../adapters/system/system-clock.ts';
import { systemRandom } from '../adapters/system/system-random.ts';
import type { HttpExchange, Identity, Telemetry } from '../core/ports.ts';
import { HostOriginGuard } from '../core/security/host-origin.ts';
import { hostOriginRules } from '../create-endpoint.ts';
import { type Door, enter } from '../server/admission.ts';
import { AskedIdentity } from '../server/asked-identity.ts';
import { refuseExchange } from '../server/inbound.ts';
import type { ListenConfig } from './gateway-config.ts';
import type { Guards } from './gateway-guards.ts';
import { doorOf } from './gateway-server.ts';

export interface LobbyParts extends Pick<Guards, 'audit' | 'gate'> {
  readonly listen: ListenConfig;
  readonly identity: Identity;
  readonly telemetry: Telemetry;
  readonly whyNotReady: () => string | undefined;
  /** What a server says of where its tokens come from, by the path it is asked at. */
  readonly metadataAt: (path: string) => string | undefined;
}

/** What a request for no server is recorded under. */
const NAME = 'gateway';

export class Lobby {
  readonly #door: Door;

  /** @throws TypeError when the public URL or an origin is malformed. */
  constructor({ listen, ...parts }: LobbyParts) {
    const sight = { telemetry: parts.telemetry, clock: systemClock };
    const guard = new HostOriginGuard(hostOriginRules(doorOf(listen, NAME)));
    const identity = new AskedIdentity(parts.identity, undefined, sight);
    this.#door = { ...parts, identity, name: NAME, guard, random: systemRandom };
  }

  handle(exchange: HttpExchange): void {
    enter(this.#door, exchange, (headers) => {
      refuseExchange(this.#door, exchange, headers, { error: 'ROUTE_NOT_FOUND' });
    });
  }
}
