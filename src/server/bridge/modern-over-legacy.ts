/**
 * A server of the handshake revisions as 2026 clients see it: its upstream sessions by what their
 * clients declared, the calls that wait for answers, and who listens.
 *
 * Rules: a server that cannot say for which call it asks is given one call at a time that may ask.
 * A call whose turn has not come waits in line for the session before it, so that a server keeps
 * what it remembers; only while that one waits for people, or is kept long by somebody else, does
 * another session serve instead. Principals that share the server take turns.
 */
import type { Refusal } from '../../core/errors.ts';
import { isBridged, mayAsk } from '../../core/bridge/modern-client/legacy-request.ts';
import { readAnswers } from '../../core/bridge/modern-client/input-request.ts';
import {
  discoverResult,
  type LegacyServer,
} from '../../core/bridge/modern-client/modern-result.ts';
import { bindingOf, readState } from '../../core/bridge/modern-client/request-state.ts';
import { tasksFault, type Members, type TaskSupport } from '../../core/bridge/tasks/task-words.ts';
import type { Principal } from '../../core/ports.ts';
import type { Envelope } from '../../core/protocol/eras/stateless-2026.ts';
import { Message } from '../../core/protocol/message.ts';
import type { Filter, Subscription } from '../../core/sessions/subscription.ts';
import type { CallEntry } from '../call-entry.ts';
import type { CallOwner, UpstreamCall } from '../upstream-call.ts';
import type { InstancePlaces } from '../instance-places.ts';
import type { Listener } from '../listener.ts';
import type { BridgeClient } from './bridge-client.ts';
import type { BridgePorts } from './bridge-ports.ts';
import { BridgeSession } from './bridge-session.ts';
import { BridgedCall, type BridgedCallKeeper, type CallSession } from './bridged-call.ts';
import { BridgedTasks } from './bridged-tasks.ts';
import { LegacyListenHub } from './legacy-listen-hub.ts';
import { Leg } from './leg.ts';
import { SessionGroups, type SessionGroupsKeeper } from './session-groups.ts';

interface Waiting {
  readonly client: BridgeClient;
  readonly call: BridgedCall;
}

export class ModernOverLegacy implements SessionGroupsKeeper, BridgedCallKeeper {
  readonly ports: BridgePorts;
  readonly hub: LegacyListenHub;
  readonly #groups: SessionGroups;
  readonly #isPrivate: boolean;
  /** Calls whose clients went for answers, by the id in their `requestState`. */
  readonly #parked = new Map<string, BridgedCall>();
  /** Undefined where tasks are not carried across. */
  readonly #tasks: BridgedTasks | undefined;
  #line: Waiting[] = [];
  #isServing = false;

  /**
   * @param isPrivate - whether one principal alone is served.
   * @param places - those of upstream sessions.
   */
  constructor(ports: BridgePorts, isPrivate: boolean, places: InstancePlaces) {
    this.ports = ports;
    this.#isPrivate = isPrivate;
    this.#groups = new SessionGroups(this, isPrivate, places);
    this.hub = new LegacyListenHub(() => this.sessions, ports.limits.pendingPerOwnerMax);
    if (ports.bridgesTasks === true) this.#tasks = new BridgedTasks(ports);
  }

  /** Whether anybody needs it now. */
  get isIdle(): boolean {
    const isUsed = ({ calls, hasLivingTasks }: BridgeSession): boolean =>
      calls.size > 0 || hasLivingTasks;
    if (this.sessions.some(isUsed)) return false;
    return this.hub.size === 0 && this.pending === 0 && this.#parked.size === 0;
  }

  /** Requests somebody waits for. */
  get pending(): number {
    let sum = this.#line.length;
    for (const session of this.sessions) sum += session.busy;
    return sum;
  }

  /** All there are now. */
  get sessions(): readonly BridgeSession[] {
    return this.#groups.all;
  }

  /** The first session for such a client, or why no more may be opened. */
  sessionFor(client: BridgeClient): BridgeSession | Refusal {
    return this.#groups.of(client)[0] ?? this.#groups.open(client);
  }

  /** Where a new call would be made now; undefined while it would have to wait for one. */
  freeSession(client: BridgeClient, { method }: Message): BridgeSession | undefined {
    const group = this.#groups.of(client);
    return mayAsk(method) ? group.find(({ isFree }) => isFree) : group[0];
  }

  /** Where the call is that this request goes on with; undefined where it is a new one. */
  joinedSession(client: BridgeClient, message: Message): BridgeSession | undefined {
    const id = isRetry(message) ? this.#stateOf(client, message)?.call : undefined;
    const session = id === undefined ? undefined : this.#parked.get(id)?.session;
    return session instanceof BridgeSession ? session : undefined;
  }

  /** Whether the server has tasks and they are carried across, as far as is known. */
  carriesTasks(client: BridgeClient): boolean {
    if (this.#tasks === undefined) return false;
    const session = this.sessionFor(client);
    return !('error' in session) && session.runsToolsAsTasks;
  }

  request(
    client: BridgeClient,
    owner: CallOwner,
    message: Message,
    { envelope, entry }: { readonly envelope: Envelope; readonly entry: CallEntry | undefined },
  ): UpstreamCall | Refusal {
    const { id, method } = message;
    const leg = new Leg(owner, message, this.ports.clock.now());
    if (method === 'server/discover') return this.#discover(client, leg);
    if (this.#tasks !== undefined && BridgedTasks.handles(method ?? '')) {
      return this.#tasks.request(client.principal.key, leg, message);
    }
    if (!isBridged(method)) return { error: 'METHOD_NOT_FOUND', id };
    const params = (message.value ?? {}) as { inputResponses?: unknown };
    const answers = readAnswers(params.inputResponses);
    let round = 0;
    if (isRetry(message)) {
      const state = this.#stateOf(client, message);
      if (state === undefined) return { error: 'REQUEST_STATE_INVALID', id };
      if (state.call !== undefined) {
        const call = this.#parked.get(state.call);
        const support = call && this.taskSupportOf(call.session, message);
        const fault = tasksFault(support, client.hasTasks);
        if (fault !== undefined) return { ...fault, id };
        // What is still to be let in somewhere is no part of a call that was.
        const isKnown = entry === undefined && call !== undefined;
        if (isKnown && call.join(leg, state.round, answers)) return leg;
        return { error: 'REQUEST_STATE_INVALID', id };
      }
      round = state.round;
      const isWilling = [...answers.values()].every(({ action }) => action === 'accept');
      if (!isWilling) return this.#declined(leg);
    }
    const call = new BridgedCall(
      this,
      {
        principal: client.principal,
        message,
        logLevel: envelope.logLevel,
        answers,
        round,
        hasTasks: client.hasTasks,
        entry,
      },
      leg,
    );
    return this.#begin(client, call, leg);
  }

  cancel(call: UpstreamCall, reason: string): void {
    if (call instanceof Leg) call.work?.left(reason);
  }

  listen(client: BridgeClient, filter: Filter, listener: Listener): Subscription {
    const session = this.hub.primary ?? this.sessionFor(client);
    const { key } = client.principal;
    if (!('error' in session)) {
      const owned = this.#tasks?.owned(key, filter) ?? filter;
      const subscription = this.hub.open(session, key, owned, listener);
      this.#tasks?.listen(key, subscription, listener);
      return subscription;
    }
    listener.ended(session);
    return { filter, state: 'ended', honoured: filter };
  }

  unlisten(subscription: Subscription): void {
    this.hub.close(subscription);
    this.#tasks?.unlisten(subscription);
  }

  /** Calls that waited too long are answered; sessions nobody needs are closed. */
  expire(now: number): void {
    const { callMsMax, upstreamIdleMs } = this.ports.limits;
    for (const { call } of this.#line.slice()) {
      if (now - call.queuedAt >= callMsMax) call.giveUp({ error: 'CALL_TIMED_OUT' });
    }
    for (const session of this.sessions) {
      session.instance.expire(now);
      this.#tasks?.expire(session);
      const isBusy = session.calls.size > 0 || session.busy > 0 || session.hasLivingTasks;
      const isNeeded = session === this.hub.primary || isBusy;
      const isStale = session.isHaunted && session.isExclusive;
      if (!isNeeded && (isStale || now - session.lastUsedAt >= upstreamIdleMs))
        this.#groups.close(session);
    }
    this.#serveLine();
  }

  close(): void {
    // Before a session is closed: each that is makes room for those in line.
    for (const { call } of this.#line.slice()) call.giveUp({ error: 'UPSTREAM_UNAVAILABLE' });
    for (const session of this.sessions) {
      this.#tasks?.lost(session);
      session.instance.close();
    }
    for (const call of this.#parked.values()) call.close();
    this.#parked.clear();
    this.#groups.clear();
  }

  /* ------------------------------------------------------------ told by its calls */

  hasRoomToPark({ key }: Principal): boolean {
    let parked = 0;
    for (const { facts } of this.#parked.values()) if (facts.principal.key === key) parked += 1;
    return parked < this.ports.limits.parkedPerOwnerMax;
  }

  parked(call: BridgedCall, id: string): void {
    this.#parked.set(id, call);
    this.#serveLine();
  }

  ended(call: BridgedCall): void {
    if (call.parkedAs !== undefined) this.#parked.delete(call.parkedAs);
    if (this.#line.length > 0) this.#line = this.#line.filter((each) => each.call !== call);
  }

  /** One that was opened for that call alone is needed by nobody. */
  turnedAway(session: CallSession): void {
    if (!(session instanceof BridgeSession) || !session.isUnused) return;
    if (!this.#groups.isFirst(session) && !this.isPrimary(session)) this.#groups.close(session);
  }

  taskSupportOf(session: CallSession | undefined, message: Message): TaskSupport | undefined {
    if (this.#tasks === undefined || message.method !== 'tools/call') return undefined;
    if (!(session instanceof BridgeSession) || !session.runsToolsAsTasks) return undefined;
    const { name } = (message.value ?? {}) as { readonly name?: unknown };
    return session.headers.taskSupportOf(String(name));
  }

  madeTask({ facts }: BridgedCall, session: CallSession, task: Members): Members {
    if (!(session instanceof BridgeSession)) return task;
    return this.#tasks?.created(session, facts.principal.key, task) ?? task;
  }

  /* ------------------------------------------------------------ told by its sessions */

  changed(message: Message): void {
    this.hub.changed(message);
  }

  ready(session: BridgeSession, isRestart: boolean): void {
    this.hub.ready(session, isRestart);
    this.#serveLine();
  }

  freed(): void {
    this.#serveLine();
  }

  down(session: BridgeSession): boolean {
    this.#tasks?.lost(session);
    if (this.#groups.isFirst(session) || this.isPrimary(session)) return true;
    this.#groups.forget(session);
    return false;
  }

  isPrimary(session: BridgeSession): boolean {
    return session === this.hub.primary;
  }

  closing(session: BridgeSession): void {
    this.#tasks?.lost(session);
  }

  /* ------------------------------------------------------------ */

  #discover(client: BridgeClient, leg: Leg): UpstreamCall | Refusal {
    const session = this.sessionFor(client);
    if ('error' in session) return { ...session, id: leg.id };
    let isWanted = true;
    leg.work = {
      left: () => {
        isWanted = false;
      },
    };
    session.whenReady(() => {
      if (!isWanted) return;
      const { server } = session;
      if (session.isDown || server === undefined) {
        leg.owner.lost(leg, { error: 'UPSTREAM_UNAVAILABLE', id: leg.id });
      } else leg.owner.answered(leg, Message.result(leg.id, this.#discovered(session, server)));
    });
    return leg;
  }

  #discovered(session: BridgeSession, server: LegacyServer): string {
    return discoverResult(server, this.#tasks !== undefined && session.runsToolsAsTasks);
  }

  #stateOf({ principal }: BridgeClient, message: Message): ReturnType<typeof readState> {
    const { requestState: sealed } = message.value as { readonly requestState: unknown };
    if (typeof sealed !== 'string') return undefined;
    const text = this.ports.seal.open(sealed, bindingOf(principal, message));
    return readState(text, this.ports.clock.now());
  }

  /** The user would not go where the server needs it to have been. */
  #declined(leg: Leg): UpstreamCall {
    const text = 'The user declined what the server requires first.';
    const result = { resultType: 'complete', isError: true, content: [{ type: 'text', text }] };
    if (leg.method === 'tools/call') {
      leg.owner.answered(leg, Message.result(leg.id, JSON.stringify(result)));
    } else leg.owner.lost(leg, { error: 'ANSWER_DECLINED', id: leg.id });
    return leg;
  }

  #begin(client: BridgeClient, call: BridgedCall, leg: Leg): UpstreamCall | Refusal {
    const session = this.#sessionForCall(client, call);
    if (session === 'wait') {
      if (this.#line.length >= this.ports.limits.pendingPerUpstreamMax) {
        return { error: 'TOO_MANY_REQUESTS', id: leg.id };
      }
      this.#line.push({ client, call });
      return leg;
    }
    if ('error' in session) return { ...session, id: leg.id };
    call.start(session);
    return leg;
  }

  #sessionForCall(client: BridgeClient, call: BridgedCall): BridgeSession | 'wait' | Refusal {
    const group = this.#groups.of(client);
    const first = group[0] ?? this.#groups.open(client);
    if ('error' in first || !first.isExclusive || !call.canAsk) return first;
    const free = group.find(({ isFree }) => isFree);
    if (free !== undefined && this.#groups.mayTakeOneMore(client)) return free;
    const mustWait = group.some(
      (each) => !each.isHaunted && !each.isWaitingForPeople && !this.#hasHadItsTurn(each, client),
    );
    return mustWait || !this.#groups.makesRoom(client) ? 'wait' : this.#groups.open(client);
  }

  /** Whether somebody else's call has had the session for so long that others need not wait. */
  #hasHadItsTurn(session: BridgeSession, { principal }: BridgeClient): boolean {
    if (this.#isPrivate || session.isHeldBy(principal)) return false;
    return this.ports.clock.now() - session.turnAt >= this.ports.limits.sharedTurnMsMax;
  }

  /** Whoever waits and can be served is; one that cannot does not hold up the others' sessions. */
  #serveLine(): void {
    if (this.#isServing || this.#line.length === 0) return;
    this.#isServing = true;
    for (const waiting of this.#line.slice()) {
      const { client, call } = waiting;
      if (!this.#line.includes(waiting)) continue;
      const session = this.#sessionForCall(client, call);
      if (session === 'wait') continue;
      this.#line.splice(this.#line.indexOf(waiting), 1);
      this.#letOthersPass(client);
      if ('error' in session) call.giveUp(session);
      else call.start(session);
    }
    this.#isServing = false;
  }

  /** Whose turn has come waits with all its other calls behind those of others. */
  #letOthersPass({ principal }: BridgeClient): void {
    if (this.#isPrivate) return;
    const isOwn = ({ client }: Waiting): boolean => client.principal.key === principal.key;
    this.#line = [...this.#line.filter((each) => !isOwn(each)), ...this.#line.filter(isOwn)];
  }
}

/** Whether it says that it goes on with a call that was made before. */
function isRetry({ method, value }: Message): boolean {
  const { requestState } = (value ?? {}) as { readonly requestState?: unknown };
  return requestState !== undefined && mayAsk(method);
}
