/**
 * Many `subscriptions/listen` streams of clients over one listen of ours upstream.
 *
 * Rules: a listener's acknowledgment is its first message and says the subset upstream honours;
 * what upstream publishes after accepting waits for nobody. When a wider filter is needed, the new
 * listen is opened and acknowledged before the old one is given up, so no change falls between the
 * two.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import type { Limits } from '../limits.ts';

export type SubscriptionBounds = Pick<Limits, 'subscriptionsPerOwnerMax' | 'subscriptionCharsMax'>;

export interface Filter {
  readonly toolsListChanged: boolean;
  readonly promptsListChanged: boolean;
  readonly resourcesListChanged: boolean;
  readonly uris: ReadonlySet<string>;
  /**
   * Tasks whose state is told. Default: none.
   * @see https://modelcontextprotocol.io/extensions/tasks/overview
   */
  readonly taskIds?: ReadonlySet<string> | undefined;
}

/** Tasks of one listen; further ones are not honoured. */
const TASK_IDS_MAX = 1000;

export const SUBSCRIPTION_TRANSITIONS = {
  /** Waits for a listen upstream that covers it. */
  waiting: { acknowledge: 'listening', end: 'ended' },
  listening: { end: 'ended' },
  ended: {},
} as const;

export type SubscriptionState = keyof typeof SUBSCRIPTION_TRANSITIONS;

/** A client's listen stream; the owner keeps it and gives it back with every input. */
export interface Subscription {
  readonly filter: Filter;
  state: SubscriptionState;
  honoured: Filter;
  /** Listens that were asked for upstream before it came. */
  readonly listensBefore?: number | undefined;
}

export type SubscriptionDecision =
  /** Open a listen upstream; its number is told by `asked`. */
  | { readonly do: 'listen'; readonly filter: Filter }
  | { readonly do: 'unlisten'; readonly number: number }
  | { readonly do: 'acknowledge'; readonly subscription: Subscription };

const NOTHING: Filter = {
  toolsListChanged: false,
  promptsListChanged: false,
  resourcesListChanged: false,
  uris: new Set(),
};

interface UpstreamListen {
  readonly number: number;
  readonly asked: Filter;
  /** The how manieth it is. */
  readonly ordinal: number;
}

export class Subscriptions {
  readonly #all = new Set<Subscription>();
  /** The listen whose events are delivered. */
  #current: UpstreamListen | undefined;
  #currentHonoured: Filter = NOTHING;
  /** The wider one that is not acknowledged yet. */
  #next: UpstreamListen | undefined;
  #isAsking = false;
  #listens = 0;

  get size(): number {
    return this.#all.size;
  }

  open(filter: Filter, outbox: SubscriptionDecision[]): Subscription {
    const listensBefore = this.#listens;
    const subscription: Subscription = {
      filter,
      state: 'waiting',
      honoured: NOTHING,
      listensBefore,
    };
    this.#all.add(subscription);
    this.#settle(outbox);
    return subscription;
  }

  close(subscription: Subscription, outbox: SubscriptionDecision[]): void {
    if (!this.#all.delete(subscription)) return;
    subscription.state = 'ended';
    this.#giveUp(outbox);
  }

  /** Nobody is left: what is open upstream is not needed. */
  #giveUp(outbox: SubscriptionDecision[]): void {
    if (this.#all.size > 0) return;
    if (this.#current !== undefined) outbox.push({ do: 'unlisten', number: this.#current.number });
    this.#current = undefined;
    this.#currentHonoured = NOTHING;
  }

  /** The listen asked for was sent under this number. */
  asked(number: number, filter: Filter): void {
    this.#isAsking = false;
    this.#next = { number, asked: filter, ordinal: this.#listens };
  }

  /** Upstream acknowledged the listen of this number. */
  acknowledged(number: number, honoured: Filter, outbox: SubscriptionDecision[]): void {
    if (this.#next?.number !== number) return;
    const previous = this.#current;
    this.#current = this.#next;
    this.#currentHonoured = honoured;
    this.#next = undefined;
    if (previous !== undefined) outbox.push({ do: 'unlisten', number: previous.number });
    this.#settle(outbox);
    if (this.#all.size > 0) return;
    outbox.push({ do: 'unlisten', number });
    this.#current = undefined;
  }

  /**
   * The upstream connection is new: every listen there is gone. Listeners stay; one listen for all
   * is asked for.
   */
  restarted(outbox: SubscriptionDecision[]): void {
    this.#current = undefined;
    this.#next = undefined;
    this.#isAsking = false;
    this.#settle(outbox);
  }

  /**
   * The listen of this number ended from upstream's side, with an answer or an error, or was not
   * acknowledged in time.
   * @returns those that depended on it; they are ended. Who came after it was asked for has the
   * next one asked for.
   */
  ended(number: number, outbox: SubscriptionDecision[]): readonly Subscription[] {
    const isCurrent = this.#current?.number === number;
    const listen = isCurrent ? this.#current : this.#next;
    if (listen?.number !== number) return [];
    if (isCurrent) this.#current = undefined;
    else this.#next = undefined;
    const wanted: SubscriptionState = isCurrent ? 'listening' : 'waiting';
    // After a restart those that listen wait for the next one, too.
    const isDeaf = this.#current === undefined && this.#next === undefined && !this.#isAsking;
    const affected = [...this.#all].filter(({ state, listensBefore = 0 }) => {
      const isLater = state === 'waiting' && listensBefore >= listen.ordinal;
      return !isLater && (isDeaf || state === wanted);
    });
    for (const subscription of affected) {
      this.#all.delete(subscription);
      subscription.state = 'ended';
    }
    this.#giveUp(outbox);
    this.#settle(outbox);
    return affected;
  }

  /** Who receives a change that came on the listen of this number. */
  *receivers(number: number, method: string, subject: string | undefined): Generator<Subscription> {
    if (this.#current?.number !== number) return;
    for (const subscription of this.#all) {
      if (subscription.state !== 'listening') continue;
      if (wants(subscription.honoured, method, subject)) yield subscription;
    }
  }

  all(): readonly Subscription[] {
    return [...this.#all];
  }

  /**
   * Acknowledges whom the current listen covers, and asks for a wider one if it leaves anybody
   * waiting.
   */
  #settle(outbox: SubscriptionDecision[]): void {
    let isShort = false;
    for (const subscription of this.#all) {
      if (subscription.state !== 'waiting') continue;
      if (!this.#isCovered(subscription)) {
        isShort = true;
        continue;
      }
      subscription.state = SUBSCRIPTION_TRANSITIONS.waiting.acknowledge;
      subscription.honoured = intersection(subscription.filter, this.#currentHonoured);
      outbox.push({ do: 'acknowledge', subscription });
    }
    const isLost = this.#current === undefined && this.#all.size > 0;
    if ((!isShort && !isLost) || this.#next !== undefined || this.#isAsking) return;
    this.#isAsking = true;
    this.#listens += 1;
    outbox.push({ do: 'listen', filter: this.#union() });
  }

  /**
   * A resource that was not honoured once may be honoured now: whoever comes for it later has it
   * asked for again.
   */
  #isCovered({ filter, listensBefore = 0 }: Subscription): boolean {
    if (this.#current === undefined || !covers(this.#current.asked, filter)) return false;
    if (this.#current.ordinal > listensBefore) return true;
    for (const uri of filter.uris) if (!this.#currentHonoured.uris.has(uri)) return false;
    return true;
  }

  #union(): Filter {
    const uris = new Set<string>();
    const taskIds = new Set<string>();
    let [tools, prompts, resources] = [false, false, false];
    for (const { filter } of this.#all) {
      tools ||= filter.toolsListChanged;
      prompts ||= filter.promptsListChanged;
      resources ||= filter.resourcesListChanged;
      for (const uri of filter.uris) uris.add(uri);
      for (const taskId of filter.taskIds ?? []) taskIds.add(taskId);
    }
    return {
      toolsListChanged: tools,
      promptsListChanged: prompts,
      resourcesListChanged: resources,
      uris,
      ...(taskIds.size === 0 ? {} : { taskIds }),
    };
  }
}

/** The filter a client or an acknowledgment carries in `params.notifications`. */
export function readFilter(notifications: unknown): Filter {
  const record = (
    typeof notifications === 'object' && notifications !== null ? notifications : {}
  ) as Record<string, unknown>;
  const taskIds = textsOf(record['taskIds']).slice(0, TASK_IDS_MAX);
  return {
    toolsListChanged: record['toolsListChanged'] === true,
    promptsListChanged: record['promptsListChanged'] === true,
    resourcesListChanged: record['resourcesListChanged'] === true,
    uris: new Set(textsOf(record['resourceSubscriptions'])),
    ...(taskIds.length === 0 ? {} : { taskIds: new Set(taskIds) }),
  };
}

/** Whether these are more resources than one session or one listen may subscribe. */
export function areTooMany(uris: Iterable<string>, bounds: SubscriptionBounds): boolean {
  let count = 0;
  let chars = 0;
  for (const uri of uris) {
    count += 1;
    chars += uri.length;
  }
  return count > bounds.subscriptionsPerOwnerMax || chars > bounds.subscriptionCharsMax;
}

/** Of all URIs and task ids it names, each with its quotes and its comma. */
export function charsOf({ uris, taskIds }: Filter): number {
  let chars = 0;
  for (const uri of uris) chars += uri.length + 3;
  for (const taskId of taskIds ?? []) chars += taskId.length + 3;
  return chars;
}

function textsOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
}

/** The filter as `params.notifications`: what is not wanted is left out. */
export function filterText(filter: Filter): string {
  const record: Record<string, unknown> = {};
  if (filter.toolsListChanged) record['toolsListChanged'] = true;
  if (filter.promptsListChanged) record['promptsListChanged'] = true;
  if (filter.resourcesListChanged) record['resourcesListChanged'] = true;
  if (filter.uris.size > 0) record['resourceSubscriptions'] = [...filter.uris];
  if (hasTasks(filter)) record['taskIds'] = [...(filter.taskIds ?? [])];
  return JSON.stringify(record);
}

export function isEmptyFilter(filter: Filter): boolean {
  const { toolsListChanged, promptsListChanged, resourcesListChanged, uris } = filter;
  const hasLists = toolsListChanged || promptsListChanged || resourcesListChanged;
  return !hasLists && uris.size === 0 && !hasTasks(filter);
}

export function hasTasks({ taskIds }: Filter): boolean {
  return taskIds !== undefined && taskIds.size > 0;
}

/** What a change is about: the URI of a resource, or the id of a task. */
export function subjectOf(method: string | undefined, params: unknown): string | undefined {
  const { uri, taskId } = (params ?? {}) as { readonly uri?: unknown; readonly taskId?: unknown };
  const subject = method === 'notifications/tasks' ? taskId : uri;
  return typeof subject === 'string' ? subject : undefined;
}

/**
 * Whether a change is one the filter opted in to.
 * @param subject - see `subjectOf`.
 */
export function wants(filter: Filter, method: string, subject: string | undefined): boolean {
  switch (method) {
    case 'notifications/tools/list_changed':
      return filter.toolsListChanged;
    case 'notifications/prompts/list_changed':
      return filter.promptsListChanged;
    case 'notifications/resources/list_changed':
      return filter.resourcesListChanged;
    case 'notifications/resources/updated':
      return subject !== undefined && coversUri(filter.uris, subject);
    case 'notifications/tasks':
      return subject !== undefined && filter.taskIds?.has(subject) === true;
    default:
      return false;
  }
}

/**
 * An update may name a sub-resource of the one subscribed. It is looked up by what it may be in:
 * one listener may have a thousand URIs, and one principal a thousand listeners.
 */
export function coversUri(uris: ReadonlySet<string>, uri: string): boolean {
  if (uris.size === 0 || uris.has(uri)) return uris.size > 0;
  if (uri.length > LOOKED_UP_CHARS_MAX) return isWithinAny(uris, uri);
  let slash = uri.indexOf('/');
  for (; slash >= 0; slash = uri.indexOf('/', slash + 1)) {
    if (uris.has(uri.slice(0, slash)) || uris.has(uri.slice(0, slash + 1))) return true;
  }
  return false;
}

/** Of a longer one every part would have to be hashed, and a server may send megabytes. */
const LOOKED_UP_CHARS_MAX = 512;

function isWithinAny(uris: ReadonlySet<string>, uri: string): boolean {
  for (const each of uris) if (uri.startsWith(each.endsWith('/') ? each : `${each}/`)) return true;
  return false;
}

function covers(wide: Filter, narrow: Filter): boolean {
  if (narrow.toolsListChanged && !wide.toolsListChanged) return false;
  if (narrow.promptsListChanged && !wide.promptsListChanged) return false;
  if (narrow.resourcesListChanged && !wide.resourcesListChanged) return false;
  for (const uri of narrow.uris) if (!wide.uris.has(uri)) return false;
  for (const each of narrow.taskIds ?? []) if (wide.taskIds?.has(each) !== true) return false;
  return true;
}

function intersection(one: Filter, other: Filter): Filter {
  const taskIds = [...(one.taskIds ?? [])].filter((each) => other.taskIds?.has(each) === true);
  return {
    toolsListChanged: one.toolsListChanged && other.toolsListChanged,
    promptsListChanged: one.promptsListChanged && other.promptsListChanged,
    resourcesListChanged: one.resourcesListChanged && other.resourcesListChanged,
    uris: new Set([...one.uris].filter((uri) => other.uris.has(uri))),
    ...(taskIds.length === 0 ? {} : { taskIds: new Set(taskIds) }),
  };
}
