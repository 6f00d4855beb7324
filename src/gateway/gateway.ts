/**
 * Many MCP servers behind one listener, each at `/<name>`. A reload leaves alone what did not
 * change; what changed or vanished is drained while the rest goes on.
 */
import { isDeepStrictEqual } from 'node:util';
import { silent } from '../adapters/telemetry/silent.ts';
import type { Application, HttpExchange, Identity, OpenDoor, Telemetry } from '../core/ports.ts';
import { CurrentIdentity, identityOf } from './current-identity.ts';
import type { GatewayConfig, ListenConfig, ServerConfig } from './gateway-config.ts';
import { GatewayServer, type GatewayServerStatus } from './gateway-server.ts';
import { Lobby } from './lobby.ts';
import { whyNotReady } from './why-not-ready.ts';

export interface GatewayOptions {
  /** Who may call, whatever the config says of it. Default: as the config says. */
  readonly identity?: Identity | undefined;
  /** Logs and counters; each server's carry its name. Default: none. */
  readonly telemetry?: Telemetry | undefined;
}

export type ReloadOutcome =
  | {
      readonly kind: 'applied';
      readonly added: readonly string[];
      readonly changed: readonly string[];
      readonly removed: readonly string[];
      /** How many servers went on untouched. */
      readonly kept: number;
      /** Settings of the listener that differ and count from the next start, as `listen.port`. */
      readonly needsRestart: readonly string[];
    }
  /** Nothing was changed; `reason` is one sentence. */
  | { readonly kind: 'refused'; readonly reason: string };

/** What a gateway holds at this moment, for tests, metrics and status pages. */
export interface GatewayStatus {
  readonly isDraining: boolean;
  /** In the order of the config. */
  readonly servers: readonly GatewayServerStatus[];
  /** Servers of earlier configs that still finish their calls. */
  readonly leaving: number;
}

export class Gateway implements Application, OpenDoor {
  readonly #listen: ListenConfig;
  readonly #identity: CurrentIdentity;
  readonly #isIdentityGiven: boolean;
  readonly #telemetry: Telemetry;
  readonly #lobby: Lobby;
  /** By name: the first segment of the path. */
  #servers: ReadonlyMap<string, GatewayServer> = new Map();
  readonly #leaving = new Map<GatewayServer, Promise<void>>();
  #draining: Promise<void> | undefined;

  constructor(config: GatewayConfig, options: GatewayOptions) {
    this.#listen = config.listen;
    this.#telemetry = options.telemetry ?? silent;
    this.#isIdentityGiven = options.identity !== undefined;
    checkNames(config.servers);
    this.#identity = new CurrentIdentity(
      options.identity ?? identityOf(config.auth, config.listen),
    );
    this.#lobby = new Lobby({
      listen: config.listen,
      identity: this.#identity,
      telemetry: this.#telemetry,
      whyNotReady: () =>
        this.#draining === undefined ? whyNotReady(this.status.servers) : 'shutting down',
    });
    this.#servers = new Map(config.servers.map((each) => [each.name, this.#open(each)]));
  }

  handle(exchange: HttpExchange): void {
    const server = this.#servers.get(firstSegment(exchange.head.path));
    if (server === undefined) this.#lobby.handle(exchange);
    else server.endpoint.handle(exchange);
  }

  /** Whether anybody may call: listeners beyond this machine refuse to serve such a gateway. */
  get isOpen(): boolean {
    return this.#identity.isOpen;
  }

  get status(): GatewayStatus {
    return {
      isDraining: this.#draining !== undefined,
      servers: Array.from(this.#servers.values(), ({ status }) => status),
      leaving: this.#leaving.size,
    };
  }

  /**
   * Serves another config from the next request on. Servers whose settings are the same keep their
   * sessions and streams. Listener and identity given in the options stay as they are.
   */
  reload(config: GatewayConfig): ReloadOutcome {
    if (this.#draining !== undefined) return { kind: 'refused', reason: 'It is shutting down.' };
    try {
      checkNames(config.servers);
      const { host, publicUrl } = this.#listen;
      const listen = { ...config.listen, host, publicUrl };
      if (!this.#isIdentityGiven) this.#identity.replace(identityOf(config.auth, listen));
    } catch (error) {
      return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) };
    }
    return this.#replace(config);
  }

  async drain(windowMs: number): Promise<void> {
    this.#draining ??= this.#drainAll(windowMs);
    await this.#draining;
  }

  /** Ends every process of every server without waiting for calls. */
  async abandon(): Promise<void> {
    const all = [...this.#servers.values(), ...this.#leaving.keys()];
    await Promise.all(all.map((server) => server.abandon()));
  }

  #replace({ listen, servers }: GatewayConfig): ReloadOutcome {
    const before = this.#servers;
    const after = new Map<string, GatewayServer>();
    const added: string[] = [];
    const changed: string[] = [];
    for (const config of servers) {
      const known = before.get(config.name);
      if (known?.keepsUnder(config) === true) {
        after.set(config.name, known);
        continue;
      }
      after.set(config.name, this.#open(config));
      (known === undefined ? added : changed).push(config.name);
    }
    this.#servers = after;
    for (const [name, server] of before) {
      if (after.get(name) !== server) this.#letGo(server, listen.drainMs);
    }
    return {
      kind: 'applied',
      added,
      changed,
      removed: [...before.keys()].filter((name) => !after.has(name)),
      kept: after.size - added.length - changed.length,
      needsRestart: differences(this.#listen, listen),
    };
  }

  #open(config: ServerConfig): GatewayServer {
    return new GatewayServer(config, {
      listen: this.#listen,
      identity: this.#identity,
      telemetry: this.#telemetry,
    });
  }

  #letGo(server: GatewayServer, windowMs: number): void {
    const gone = server.endpoint.drain(windowMs).then(() => {
      this.#leaving.delete(server);
    });
    this.#leaving.set(server, gone);
  }

  async #drainAll(windowMs: number): Promise<void> {
    const servers = [...this.#servers.values()];
    await Promise.all([
      ...servers.map(({ endpoint }) => endpoint.drain(windowMs)),
      ...this.#leaving.values(),
    ]);
  }
}

function firstSegment(path: string): string {
  const end = path.indexOf('/', 1);
  return end === -1 ? path.slice(1) : path.slice(1, end);
}

function checkNames(servers: readonly ServerConfig[]): void {
  const names = new Set<string>();
  for (const { name } of servers) {
    if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) {
      throw new TypeError(`"${name}" is no name for a server.`);
    }
    if (names.has(name)) throw new TypeError(`Two servers are named ${name}.`);
    names.add(name);
  }
}

/** Names of the settings that differ and cannot be changed while the listener is open. */
function differences(before: ListenConfig, after: ListenConfig): readonly string[] {
  const names = ['host', 'port', 'publicUrl', 'allowedOrigins'] as const;
  return names
    .filter((name) => !isDeepStrictEqual(before[name], after[name]))
    .map((name) => `listen.${name}`);
}
