/**
 * Many MCP servers behind one listener, each at `/<name>`. A reload leaves alone what did not
 * change; what changed or vanished is drained while the rest goes on.
 */
import { Denials, type Denied } from '../adapters/identity/denials.ts';
import { SubjectTokens } from '../adapters/credentials/subject-tokens.ts';
import { systemClock } from '../adapters/system/system-clock.ts';
import { silent } from '../adapters/telemetry/silent.ts';
import type { Grant } from '../core/grant.ts';
import { guardedTelemetry } from '../core/guarded-telemetry.ts';
import type {
  Application,
  HttpExchange,
  Identity,
  OpenDoor,
  Principal,
  Telemetry,
} from '../core/ports.ts';
import { checkOption, checkOptions } from '../core/option-kinds.ts';
import { METADATA_PATH } from '../core/security/protected-resource.ts';
import type { Endpoint } from '../server/endpoint.ts';
import { PORT_KINDS } from '../server/endpoint-options-fault.ts';
import { Administration, type ReloadNews } from './administration.ts';
import { ALL, AllEndpoint } from './all-endpoint.ts';
import { ClockWatch } from './clock-watch.ts';
import { CurrentIdentity } from './current-identity.ts';
import type { AllConfig, GatewayConfig, ListenConfig, ServerConfig } from './gateway-config.ts';
import { checkConfig, DENIED_KIND } from './gateway-config-fault.ts';
import { fixedDifferences } from './fixed-differences.ts';
import { GatewayGuards, type Guards } from './gateway-guards.ts';
import {
  discard,
  type GatewayServer,
  type GatewayServerParts,
  gatewayServers,
  type GatewayServerStatus,
} from './gateway-server.ts';
import { LeavingEndpoints } from './leaving-endpoints.ts';
import { Lobby } from './lobby.ts';
import { HealthWatch } from './health-watch.ts';
import { openCredentials } from './open-credentials.ts';
import type { ReloadOutcome } from './reload-outcome.ts';
import { deniedOf, suspendedBy, Tenants } from './tenants.ts';
import { whyNotReady } from './why-not-ready.ts';

export interface GatewayOptions extends Guards {
  /** Who may call, whatever the config says of it. Default: as the config says. */
  readonly identity?: Identity | undefined;
  /** Logs and counters; each server's carry its name. Default: none. */
  readonly telemetry?: Telemetry | undefined;
}

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
  readonly #denials = new Denials();
  readonly #tenants: Tenants;
  readonly #telemetry: Telemetry;
  readonly #lobby: Lobby;
  #servers: ReadonlyMap<string, GatewayServer>;
  #all: AllEndpoint | undefined;
  /** By the first segment of the path. */
  #endpoints: ReadonlyMap<string, Endpoint> = new Map();
  readonly #leaving = new LeavingEndpoints();
  readonly #watch: HealthWatch;
  readonly #clockWatch: ClockWatch;
  readonly #guards: GatewayGuards;
  readonly #administration: Administration;
  readonly #subjectTokens = new SubjectTokens();
  #draining: Promise<void> | undefined;

  constructor(config: GatewayConfig, options: GatewayOptions) {
    checkOptions(options, PORT_KINDS);
    checkConfig(config);
    this.#listen = config.listen;
    this.#telemetry = guardedTelemetry(options.telemetry ?? silent);
    this.#denials.configure(deniedOf(config), suspendedBy(config.tenants));
    this.#tenants = new Tenants(config.tenants);
    this.#subjectTokens.isWanted = config.servers.some(exchangesTokens);
    this.#identity = new CurrentIdentity(config, options.identity, this.#denials, {
      clock: systemClock,
      telemetry: this.#telemetry,
      subjectTokens: this.#subjectTokens,
      onRevoked: (ids) => {
        this.#administration.denied('revoke', 'keys', { credentials: [...ids] });
        this.#end((_, grant) => ids.has(grant?.credentialId ?? ''));
      },
      onAdded: (ids) => this.#administration.keysAdded(ids),
      onReplaced: (isTheirs) => this.#expire(isTheirs),
      opened: {
        ids: () => openCredentials(this.#serving()),
        ended: (issuer, id) => {
          this.#administration.denied('revoke', 'issuer', { credentials: [id] });
          this.#end((who, grant) => who.issuer === issuer && grant?.credentialId === id);
        },
      },
    });
    let guards: GatewayGuards | undefined;
    try {
      guards = new GatewayGuards(config, options, this.#telemetry);
      this.#guards = guards;
      this.#administration = new Administration(this.#guards.guards.audit, deniedOf(config));
      this.#lobby = new Lobby({
        ...this.#guards.guards,
        listen: config.listen,
        identity: this.#identity,
        telemetry: this.#telemetry,
        whyNotReady: () => whyNotReady(this.status, this.#guards.guards.audit),
        metadataAt: (path) => this.#metadataAt(path),
      });
      this.#servers = gatewayServers(config.servers, this.#parts);
      this.#merge(config.all, config.listen.drainMs);
    } catch (error) {
      // Whoever mends the config and tries again in this process needs the record, and nobody is
      // there for what a watched file of keys would tell.
      this.#identity.close();
      void guards?.close();
      throw error;
    }
    this.#watch = new HealthWatch(() => this.status.servers, systemClock, this.#telemetry);
    this.#clockWatch = new ClockWatch(
      systemClock,
      () => Date.now(),
      (aheadMs) => this.#leapt(aheadMs),
    );
  }

  handle(exchange: HttpExchange): void {
    const name = firstSegment(exchange.head.path);
    const endpoint = this.#leaving.of(name, exchange) ?? this.#endpoints.get(name);
    if (endpoint === undefined) this.#lobby.handle(exchange);
    else endpoint.handle(exchange);
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
   * sessions and streams, save for those of ways to come in that are others now. Listener and
   * identity given in the options stay as they are.
   */
  reload(config: GatewayConfig): ReloadOutcome {
    if (this.#draining !== undefined) return { kind: 'refused', reason: 'It is shutting down.' };
    const fresh = new Map<string, GatewayServer>();
    const news = this.#prepare(config, fresh);
    if (typeof news === 'string') {
      discard(fresh);
      const refused = { kind: 'refused', reason: news } as const;
      this.#administration.reloaded(refused, { isPolicyNew: false, isAuthNew: false });
      return refused;
    }
    const isSeenDifferently = this.#tenants.configure(config.tenants);
    const outcome = this.#replace(config, fresh);
    if (news.isPolicyNew) this.#learnTools();
    this.#administration.reloaded(outcome, news);
    if (isSeenDifferently) this.#all?.lookAgain();
    this.#deny(config);
    this.#endUnseen();
    return outcome;
  }

  /**
   * From now on nobody comes in as one of these, whatever the config says of them, and whatever
   * they have open ends at once, at every server.
   * @throws TypeError for what names nobody: it would be taken for done.
   */
  revoke(denied: Denied): void {
    checkOption('denied', denied, DENIED_KIND);
    this.#administration.denied('revoke', 'program', denied);
    this.#denials.deny(denied);
    this.#end((principal, grant) => this.#denials.isDenied(principal, grant));
  }

  /** Takes back what `revoke` said; whom the config denies stays denied. */
  reinstate(denied: Denied): void {
    checkOption('denied', denied, DENIED_KIND);
    this.#administration.denied('reinstate', 'program', denied);
    this.#denials.allow(denied);
  }

  async drain(windowMs: number): Promise<void> {
    this.#draining ??= this.#drainAll(windowMs);
    await this.#draining;
  }

  /** Ends every process of every server without waiting for calls, which are lost. */
  async abandon(): Promise<void> {
    // The merged ones first: their calls are on the record as they came in.
    this.#all?.endpoint.abandon();
    for (const { endpoint } of this.#leaving.all()) endpoint.abandon();
    for (const { endpoint } of this.#servers.values()) endpoint.abandon();
    const servers = [...this.#servers.values()].map((each) => each.abandon());
    await Promise.all([...servers, this.#leaving.abandon(), this.closeRecord()]);
  }

  /** Writes what waits of the record, and nothing more after it. Idempotent. */
  async closeRecord(): Promise<void> {
    await this.#guards.close();
  }

  /**
   * Whatever may fail comes before anything counts that is new.
   * @param fresh - takes the servers that are others than before.
   * @returns what counts now that did not before, or why nothing has changed.
   */
  #prepare(config: GatewayConfig, fresh: Map<string, GatewayServer>): ReloadNews | string {
    try {
      checkConfig(config);
      const { host, publicUrl } = this.#listen;
      const listen = { ...config.listen, host, publicUrl };
      const usePolicies = this.#guards.prepare(config);
      const others = config.servers.filter(
        (each) => this.#servers.get(each.name)?.fits(each) !== true,
      );
      for (const [name, each] of gatewayServers(others, this.#parts)) fresh.set(name, each);
      const isAuthNew = this.#identity.replace(config.auth, listen);
      usePolicies?.();
      return { isPolicyNew: usePolicies !== undefined, isAuthNew };
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #deny(config: GatewayConfig): void {
    const denied = deniedOf(config);
    this.#administration.configDenies(denied);
    this.#denials.configure(denied, suspendedBy(config.tenants));
    this.#end((principal, grant) => this.#denials.isDenied(principal, grant));
  }

  #end(isRevoked: (principal: Principal, grant?: Grant) => boolean): void {
    for (const endpoint of this.#serving()) endpoint.revoke(isRevoked);
  }

  #expire(isMeant: (grant: Grant) => boolean): void {
    for (const endpoint of this.#serving()) {
      endpoint.expire((_, grant) => grant !== undefined && isMeant(grant));
    }
  }

  #serving(): readonly Endpoint[] {
    const leaving = this.#leaving.all().map(({ endpoint }) => endpoint);
    return [...this.#endpoints.values(), ...leaving];
  }

  /** Whoever's credential ends some day comes back with it, and is verified by the clock of now. */
  #leapt(aheadMs: number): void {
    this.#telemetry.log('warn', 'clock_leapt', { aheadMs: Math.round(aheadMs) });
    for (const endpoint of this.#serving()) {
      endpoint.verifyAgain((_, grant) => grant !== undefined && grant.expiresAt !== Infinity);
    }
  }

  /** Other policies may look at what tools say of themselves. */
  #learnTools(): void {
    for (const { endpoint } of this.#servers.values()) endpoint.learn();
  }

  /**
   * What tenants have open at servers that they see no more, and at what those were before. One
   * that is gone nobody sees: it finishes its calls.
   */
  #endUnseen(): void {
    const before = this.#leaving.all().filter(({ name }) => this.#servers.has(name));
    for (const { name, endpoint } of [...this.#servers.values(), ...before]) {
      endpoint.revoke((principal) => !this.#tenants.sees(principal, name));
    }
  }

  /** What the server that a path of metadata belongs to says of itself. */
  #metadataAt(path: string): string | undefined {
    const [name] = this.#endpoints.keys();
    const isRoot =
      this.#endpoints.size === 1 && (path === METADATA_PATH || path === `${METADATA_PATH}/`);
    const asked = isRoot ? `${METADATA_PATH}/${name}` : path;
    for (const endpoint of this.#endpoints.values()) {
      const text = endpoint.metadataAt(asked);
      if (text !== undefined) return text;
    }
    return undefined;
  }

  #replace(config: GatewayConfig, fresh: ReadonlyMap<string, GatewayServer>): ReloadOutcome {
    const { listen, all, servers } = config;
    this.#subjectTokens.isWanted = servers.some(exchangesTokens);
    const before = this.#servers;
    const after = new Map<string, GatewayServer>();
    const added: string[] = [];
    const changed: string[] = [];
    for (const each of servers) {
      const known = before.get(each.name);
      const other = fresh.get(each.name);
      if (other !== undefined) {
        after.set(each.name, other);
        (known === undefined ? added : changed).push(each.name);
      } else if (known !== undefined) {
        after.set(each.name, known);
        known.follow(each);
        known.endpoint.retry();
      }
    }
    this.#servers = after;
    this.#merge(all, listen.drainMs);
    for (const [name, server] of before) {
      if (after.get(name) === server) continue;
      this.#leaving.add(name, server.endpoint, () => server.abandon(), listen.drainMs);
    }
    return {
      kind: 'applied',
      added,
      changed,
      removed: [...before.keys()].filter((name) => !after.has(name)),
      kept: after.size - added.length - changed.length,
      needsRestart: [
        ...fixedDifferences(this.#listen, listen),
        ...this.#guards.differences(config),
      ],
    };
  }

  /** Brings `/all` in step with the servers. */
  #merge(all: AllConfig | undefined, drainMs: number): void {
    const before = this.#all;
    const members = [...this.#servers.values()].filter(
      ({ name }) => all?.servers?.includes(name) ?? true,
    );
    if (all === undefined) this.#all = undefined;
    else if (before === undefined) this.#all = new AllEndpoint(members, this.#parts);
    else before.setServers(members);
    const endpoints = new Map<string, Endpoint>();
    for (const [name, { endpoint }] of this.#servers) endpoints.set(name, endpoint);
    if (this.#all !== undefined) endpoints.set(ALL, this.#all.endpoint);
    this.#endpoints = endpoints;
    if (this.#all !== undefined || before === undefined) return;
    this.#leaving.add(ALL, before.endpoint, () => Promise.resolve(), drainMs);
  }

  get #parts(): GatewayServerParts {
    return {
      ...this.#guards.guards,
      listen: this.#listen,
      identity: this.#identity,
      tenants: this.#tenants,
      telemetry: this.#telemetry,
      subjectTokens: this.#subjectTokens,
    };
  }

  /** What began to leave earlier gets no more time than the rest. */
  async #drainAll(windowMs: number): Promise<void> {
    this.#watch.stop();
    this.#clockWatch.stop();
    const disarm = systemClock.after(windowMs, () => void this.#leaving.abandon());
    const endpoints = [...this.#endpoints.values()].map((each) => each.drain(windowMs));
    await Promise.all([...endpoints, this.#leaving.gone]);
    disarm();
    this.#identity.close();
    await this.closeRecord();
  }
}

function firstSegment(path: string): string {
  const end = path.indexOf('/', 1);
  return end === -1 ? path.slice(1) : path.slice(1, end);
}

function exchangesTokens({ source }: ServerConfig): boolean {
  return source.kind === 'url' && source.credential?.kind === 'token-exchange';
}
