/**
 * Which upstream instance serves whom. Nothing but the isolation decides, and its key always holds
 * the principal or less only where the operator said so.
 */
import { TaskBook } from '../core/bridge/tasks/task-book.ts';
import type { Refusal } from '../core/errors.ts';
import type { Gate, Visitor } from '../core/gate.ts';
import type { Principal, UpstreamEra } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import type { BridgePorts } from './bridge/bridge-ports.ts';
import { LegacyOverModern } from './bridge/legacy-over-modern.ts';
import type { LegacyTask } from './bridge/legacy-task-call.ts';
import { ModernBridges } from './bridge/modern-bridges.ts';
import { type InstancePlace, InstancePlaces, type Isolation } from './instance-places.ts';
import { LegacyInstance } from './legacy-instance.ts';
import type { LegacyUpstream } from './legacy-upstream.ts';
import { ModernInstance } from './modern-instance.ts';
import type { ModernUpstream } from './modern-upstream.ts';
import { RestartBudget } from './restart-budget.ts';
import { TaskOwners } from './task-owners.ts';
import type { Ticker } from './ticker.ts';
import type { ProbeOutcome } from './upstream-probe.ts';

/** Whether tasks are carried across eras, which name and drive them differently. */
export type TaskChoice = 'off' | 'bridge';

/** Deaths in a row of one instance after which its server counts as looping. */
const CRASH_LOOP = 5;

interface PoolPorts extends Omit<BridgePorts, 'budget' | 'place'> {
  readonly gate: Gate | undefined;
}

export class InstancePool {
  /** What the upstream speaks; known before the first instance is asked for. */
  spoken: ProbeOutcome = { legacy: true, modern: true, isComplete: true, failure: undefined };
  readonly budget: RestartBudget;
  readonly #ports: BridgePorts;
  readonly #isolation: Isolation;
  readonly #places: InstancePlaces;
  readonly #exclusive = new Set<LegacyInstance | ModernInstance>();
  readonly #legacy = new Map<string, LegacyInstance>();
  readonly #modern = new Map<string, ModernInstance>();
  readonly #bridges: ModernBridges;
  /** Tasks of clients of the handshake revisions; undefined where they are not carried across. */
  readonly #tasks: TaskBook<LegacyTask> | undefined;
  /** Of tasks that clients and server have in the same words, where clients share the server. */
  readonly #taskOwners: TaskOwners;
  /** The same by era and key. */
  readonly #ownersAt: Readonly<Record<UpstreamEra, Map<string, TaskOwners>>> = {
    legacy: new Map(),
    modern: new Map(),
  };
  /** Sessions that had an instance of their own to carry tasks to. */
  #taskScopes = 0;
  readonly #armIdle: (key: string) => void;

  /** @param given - with the gate, where instances are counted by account. */
  constructor(
    { gate, ...given }: PoolPorts,
    isolation: Isolation,
    ticker: Ticker,
    tasks: TaskChoice = 'off',
  ) {
    this.budget = budgetOf(given, isolation);
    const ports = { ...given, budget: this.budget };
    this.#places = new InstancePlaces(gate, given.limits.upstreamInstancesMax, isolation);
    this.#ports = ports;
    this.#isolation = isolation;
    if (tasks === 'bridge') this.#tasks = new TaskBook();
    this.#taskOwners = new TaskOwners(ports.clock);
    const bridgesTasks = tasks === 'bridge';
    this.#bridges = new ModernBridges(
      (principal) => ({ ...this.#portsFor(principal), bridgesTasks }),
      this.#isPrivate,
      this.#places,
    );
    const { upstreamIdleMs, sharedIdleMs } = ports.limits;
    const idleMs = isolation === 'shared' ? sharedIdleMs : upstreamIdleMs;
    this.#armIdle = ticker.queue(idleMs, (key: string, now) => this.#closeIdle(key, now));
  }

  get size(): number {
    return this.#places.taken;
  }

  /** Requests in flight at all upstreams. */
  get pending(): number {
    let sum = this.#bridges.pending;
    for (const { instance } of this.#all()) sum += instance.pending.callCount;
    return sum;
  }

  /** The most deaths in a row of any instance: a crash loop. */
  get failures(): number {
    let most = this.#bridges.failures;
    for (const { instance } of this.#all()) {
      if (instance.state !== 'ready') most = Math.max(most, instance.failures);
    }
    return most;
  }

  /** Whether the server ends again and again. */
  isLooping(now: number): boolean {
    return this.failures >= CRASH_LOOP || this.budget.isSpent(now);
  }

  /** Starts at once what waits to be started. */
  retry(): void {
    this.budget.reset();
    for (const { instance } of this.#all()) instance.start();
    this.#bridges.retry();
  }

  /**
   * For one more session of somebody, who is on account of what has to be started.
   * @returns why there is none when a bound on instances is met.
   */
  legacy(visitor: Visitor): LegacyUpstream | Refusal {
    const { principal } = visitor;
    if (!this.spoken.legacy) return this.#legacyOverModern(visitor);
    if (this.#isolation === 'session') {
      const place = this.#places.take(visitor, true);
      if ('error' in place) return place;
      const instance = new LegacyInstance(this.#portsFor(principal, place), true, () => {
        this.#exclusive.delete(instance);
      });
      this.#exclusive.add(instance);
      return instance;
    }
    const key = this.#keyOf(principal);
    const known = this.#legacy.get(key);
    if (known !== undefined) return known;
    const place = this.#places.take(visitor);
    if ('error' in place) return place;
    const ports = this.#portsFor(principal, place);
    const instance = new LegacyInstance(ports, false, () => this.#armIdle(key));
    this.#legacy.set(key, instance);
    this.#armIdle(key);
    return instance;
  }

  /**
   * Requests of 2026 have no session: with isolation `session` a principal's share one instance.
   * @param message - the request it is for.
   */
  modern(visitor: Visitor, message: Message): ModernUpstream | Refusal {
    if (!this.spoken.modern) {
      const key = this.#keyOf(visitor.principal);
      if (this.#bridges.isNew(key)) this.#armIdle(key);
      return this.#bridges.of(key, visitor, message);
    }
    return this.#modernInstance(visitor);
  }

  /** Undefined where an instance serves one principal, or tasks are carried across eras. */
  taskOwners(era: UpstreamEra, principal: Principal): TaskOwners | undefined {
    if (this.#isPrivate || !this.spoken[era]) return undefined;
    const key = this.#keyOf(principal);
    const known = this.#ownersAt[era].get(key);
    if (known !== undefined) return known;
    const owners = this.#taskOwners.at(this.#numbersForAll(era) ? '' : `${era} ${key}`);
    this.#ownersAt[era].set(key, owners);
    return owners;
  }

  expire(now: number): void {
    for (const { instance } of this.#all()) instance.expire(now);
    this.#bridges.expire(now);
    this.#tasks?.expire(now);
    this.#taskOwners.expire(now);
  }

  close(): void {
    for (const { instance } of this.#all()) instance.close();
    this.#bridges.close();
    this.#exclusive.clear();
    this.#legacy.clear();
    this.#modern.clear();
  }

  #legacyOverModern(visitor: Visitor): LegacyUpstream | Refusal {
    const { principal } = visitor;
    const book = this.#tasks;
    const owner = principal.key;
    const scope = this.#numbersForAll('modern') ? '' : this.#taskScopeOf(principal);
    const isShared = !this.#isPrivate;
    const tasks = book === undefined ? undefined : { book, owner, scope, isShared };
    if (this.#isolation === 'session') {
      const place = this.#places.take(visitor, true);
      if ('error' in place) return place;
      const own = new ModernInstance(this.#portsFor(principal, place), true);
      this.#exclusive.add(own);
      const left = (): void => {
        this.#exclusive.delete(own);
        own.instance.close();
      };
      return new LegacyOverModern(this.#ports, () => own, tasks, left);
    }
    // The session keeps none: the one that it shares may be stopped while it is idle.
    const upstream = (): ModernInstance | Refusal => this.#modernInstance(visitor);
    const first = upstream();
    if ('error' in first) return first;
    return new LegacyOverModern(this.#ports, upstream, tasks);
  }

  #modernInstance(visitor: Visitor): ModernInstance | Refusal {
    const { principal } = visitor;
    const key = this.#keyOf(principal);
    const known = this.#modern.get(key);
    if (known !== undefined) return known;
    const place = this.#places.take(visitor);
    if ('error' in place) return place;
    const instance = new ModernInstance(this.#portsFor(principal, place), this.#isPrivate);
    this.#modern.set(key, instance);
    this.#armIdle(key);
    return instance;
  }

  /** Whether all instances are one server, which knows no sessions and so numbers tasks for all. */
  #numbersForAll(era: UpstreamEra): boolean {
    return era === 'modern' && this.#ports.upstream.kind === 'http';
  }

  /** Of one more session: whose tasks have their numbers from the same instance. */
  #taskScopeOf(principal: Principal): string {
    if (this.#isolation !== 'session') return this.#keyOf(principal);
    this.#taskScopes += 1;
    return String(this.#taskScopes);
  }

  /** Whether an instance serves one principal alone. */
  get #isPrivate(): boolean {
    return this.#isolation === 'session' || this.#isolation === 'principal';
  }

  /** An instance is told of its clients only what all of them have in common. */
  #portsFor(principal: Principal, place?: InstancePlace): BridgePorts {
    const ports = { ...this.#ports, place };
    if (this.#isolation === 'shared') return ports;
    const { tenant } = principal;
    return { ...ports, tenant, ...(this.#isPrivate ? { caller: principal } : {}) };
  }

  *#all(): Generator<LegacyInstance | ModernInstance> {
    yield* this.#exclusive;
    yield* this.#legacy.values();
    yield* this.#modern.values();
  }

  #keyOf(principal: Principal): string {
    if (this.#isolation === 'shared') return '';
    return this.#isolation === 'tenant' ? principal.tenant : principal.key;
  }

  /** An instance that nobody needs is stopped, whoever needs another of the same key. */
  #closeIdle(key: string, now: number): number | undefined {
    for (const owners of Object.values(this.#ownersAt)) owners.delete(key);
    const legacy = this.#legacy.get(key);
    if (legacy?.members === 0) {
      this.#legacy.delete(key);
      legacy.instance.close();
    }
    const isBridged = this.#bridges.closeIdle(key);
    const modern = this.#modern.get(key);
    if (modern?.isIdle === true) {
      this.#modern.delete(key);
      modern.instance.close();
    }
    return isBridged || modern?.isIdle === false ? now : undefined;
  }
}

/** A remote server costs us nothing to ask again: the growing delay is enough. */
function budgetOf(
  { upstream, limits }: Pick<BridgePorts, 'upstream' | 'limits'>,
  isolation: Isolation,
): RestartBudget {
  const { restartsPerWindowMax } = limits;
  const most = upstream.kind === 'http' ? Infinity : restartsPerWindowMax;
  return new RestartBudget({ ...limits, restartsPerWindowMax: most }, isolation === 'shared');
}
