/**
 * Says when a server goes down and when it is up again, once each and by its name. What lasts less
 * than a look is not told here; each instance's end is in the log of its own.
 */
import type { Clock, Telemetry } from '../core/ports.ts';
import type { GatewayServerStatus } from './gateway-server.ts';

const LOOK_MS = 1000;

type Watched = Pick<GatewayServerStatus, 'name' | 'upstream' | 'isRequired'>;

export class HealthWatch {
  readonly #servers: () => readonly Watched[];
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  #told: ReadonlyMap<string, Watched['upstream']> = new Map();
  #disarm: () => void = () => {};

  constructor(servers: () => readonly Watched[], clock: Clock, telemetry: Telemetry) {
    this.#servers = servers;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#look();
  }

  stop(): void {
    this.#disarm();
  }

  #look(): void {
    const now = this.#servers();
    for (const server of now) this.#tell(server);
    this.#told = new Map(now.map(({ name, upstream }) => [name, upstream]));
    this.#disarm = this.#clock.after(LOOK_MS, () => this.#look());
  }

  #tell({ name, upstream, isRequired }: Watched): void {
    if (upstream === 'starting' || upstream === this.#told.get(name)) return;
    if (upstream === 'up') this.#telemetry.log('info', 'server_up', { server: name });
    else {
      const fields = { server: name, state: upstream, isRequired };
      this.#telemetry.log('error', 'server_down', fields);
    }
  }
}
