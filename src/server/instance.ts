/**
 * One running upstream and everything in flight there. Ids and progress tokens upstream are ours;
 * an answer reaches the one owner of its call. When the upstream dies every call in flight is
 * answered at once, and it is started again with backoff.
 */
import type { ErrorCode, Refusal } from '../core/errors.ts';
import type { Origin } from '../core/grant.ts';
import type { Limits } from '../core/limits.ts';
import type {
  Clock,
  Principal,
  Randomness,
  Telemetry,
  Upstream,
  UpstreamClosedCause,
  UpstreamConnection,
  UpstreamEra,
  UpstreamEvents,
} from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import { LISTEN, Pending } from '../core/sessions/pending.ts';
import { Ghosts } from './ghosts.ts';
import { HeldCalls } from './held-calls.ts';
import type { InstancePlace } from './instance-places.ts';
import type { InstanceRole } from './instance-role.ts';
import { OwedMessages } from './owed-messages.ts';
import type { RestartBudget } from './restart-budget.ts';
import { Restarts } from './restarts.ts';
import {
  askedBy,
  cancellationOf,
  numbered,
  progressFor,
  type CallOwner,
  type UpstreamCall,
} from './upstream-call.ts';

export interface InstancePorts {
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly telemetry: Telemetry;
  readonly limits: Limits;
  /** What the server's starts may cost; shared by all of its instances. */
  readonly budget: RestartBudget;
  /** The one principal the instance serves; absent when it serves several. */
  readonly caller?: Principal | undefined;
  /** The one tenant the instance serves; absent when it serves several. */
  readonly tenant?: string | undefined;
  /** Told when the server says that lists of its changed. */
  readonly listChanged?: ((instance: Instance, change: Message) => void) | undefined;
  /** Given back when it is closed. */
  readonly place?: InstancePlace | undefined;
}

export const INSTANCE_TRANSITIONS = {
  /** Connected; the handshake is not over. Calls wait. */
  starting: { ready: 'ready', fail: 'waiting', close: 'closed' },
  ready: { fail: 'waiting', close: 'closed' },
  /** Dead; started again when the backoff is over. Calls are refused. */
  waiting: { start: 'starting', close: 'closed' },
  closed: {},
} as const;

export type InstanceState = keyof typeof INSTANCE_TRANSITIONS;

export class Instance {
  readonly era: UpstreamEra;
  readonly ports: InstancePorts;
  readonly pending: Pending<CallOwner>;
  state: InstanceState = 'waiting';
  /** Conversations it began: the number of the one it is in. */
  starts = 0;
  readonly #role: InstanceRole;
  readonly #restarts: Restarts;
  #connection: UpstreamConnection | undefined;
  readonly #held: HeldCalls;
  readonly #ghosts: Ghosts;
  readonly #owed: OwedMessages;
  #isRestart = false;
  #disarm: (() => void) | undefined;
  #disarmHandshake: (() => void) | undefined;

  constructor(era: UpstreamEra, ports: InstancePorts, role: InstanceRole) {
    this.era = era;
    this.ports = ports;
    this.#role = role;
    this.pending = new Pending(ports.limits.pendingPerUpstreamMax);
    this.#held = new HeldCalls(ports.limits.pendingPerUpstreamMax);
    this.#ghosts = new Ghosts(ports.limits.pendingPerUpstreamMax);
    this.#owed = new OwedMessages(ports.limits);
    this.#restarts = new Restarts(ports.budget, ports.random);
  }

  /** Deaths in a row without a stable run between them. */
  get failures(): number {
    return this.#restarts.failures;
  }

  start(): void {
    if (this.state !== 'waiting') return;
    this.#disarm?.();
    this.#disarm = undefined;
    const pauseMs = this.#restarts.pauseMs(this.ports.clock.now());
    if (pauseMs > 0) {
      this.#disarm = this.ports.clock.after(pauseMs, () => this.start());
      return;
    }
    this.#restarts.starting();
    this.starts += 1;
    this.state = INSTANCE_TRANSITIONS.waiting.start;
    let connection: UpstreamConnection | undefined;
    const isCurrent = (): boolean => connection === this.#connection;
    const events: UpstreamEvents = {
      onMessage: (message, relatedTo) => {
        if (isCurrent()) this.#received(message, relatedTo);
      },
      onOversized: (id) => {
        if (isCurrent()) this.#oversized(id);
      },
      onCloseStream: (id) => {
        const call = isCurrent() ? this.pending.find(id) : undefined;
        call?.owner.closeStream(call);
      },
      onClosed: (cause, detail) => {
        if (isCurrent()) this.#down(cause, detail);
      },
    };
    const { upstream, caller, tenant } = this.ports;
    connection = upstream.connect(this.era, events, caller, tenant);
    this.#connection = connection;
    this.#disarm = this.ports.clock.after(this.ports.limits.upstreamStartMsMax, () =>
      this.#failed('the handshake took too long'),
    );
    this.#role.handshake(this.#isRestart, (failure) => {
      if (!isCurrent() || this.state !== 'starting') return;
      if (failure === undefined) this.#ready();
      else this.#failed(failure);
    });
    this.#isRestart = true;
  }

  /**
   * Sends a client's request under a number of ours.
   * @returns the call, or a refusal when a bound is met or the upstream is down.
   */
  request(owner: CallOwner, message: Message): UpstreamCall | Refusal {
    const id = message.id ?? 'null';
    if (this.state === 'waiting' || this.state === 'closed') {
      return { error: 'UPSTREAM_UNAVAILABLE', id };
    }
    const call = this.#begin(owner, message, this.state === 'starting');
    if (!('error' in call) && call.method === 'initialize') this.#expireHandshake(call);
    return call;
  }

  /** A request of our own, part of the handshake or beside the clients'. */
  ask(
    method: string,
    params: string,
    done: (answer: Message | Refusal) => void,
    origin?: Origin,
  ): UpstreamCall | undefined {
    const request = Message.request('0', method, params).sentFor(origin);
    const call = this.#begin(askedBy(done), request, false);
    if (!('error' in call)) return call;
    done(call);
    return undefined;
  }

  /**
   * The call a message without a mark belongs to: the only one in flight, while none that was given
   * up may still speak.
   */
  get sole(): UpstreamCall | undefined {
    return this.#ghosts.areAbout(this.ports.clock.now()) ? undefined : this.pending.sole;
  }

  /** Whether what the upstream says names the call it belongs to. */
  get canTell(): boolean {
    const { kind } = this.ports.upstream;
    if (kind !== 'http') return kind === 'in-process';
    return this.state === 'ready' && this.#connection?.canTell !== false;
  }

  /**
   * A notification, or an answer to the upstream's question; held until the handshake is over, and
   * while there is no room for it.
   */
  tell(message: Message): void {
    if (this.state === 'ready') this.#say(message);
    if (this.state === 'starting') this.#held.holdNotification(message);
  }

  /** The same, as part of the handshake. */
  tellNow(message: Message): void {
    this.#say(message);
  }

  /** The owner gave the call up: upstream is told, a late answer finds nobody. */
  cancel(call: UpstreamCall, reason: string): void {
    if (!this.pending.end(call, 'cancel')) return;
    const wasHeld = this.#held.drop(call);
    if (!wasHeld && call.method !== LISTEN) {
      this.#ghosts.add(call.number, this.ports.clock.now());
    }
    if (!wasHeld && call.method !== 'initialize') this.#tellCancelled(call, reason);
    this.#role.ended?.(call);
  }

  /** Calls that outlived the longest duration are answered with an error. */
  expire(now: number): void {
    this.#payOwed();
    for (const call of this.pending.startedBefore(now - this.ports.limits.callMsMax)) {
      if (!this.pending.end(call, 'refuse')) continue;
      this.#ghosts.add(call.number, now);
      this.#tellCancelled(call, 'timed out');
      this.#lose(call, 'CALL_TIMED_OUT');
    }
  }

  close(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#disarm?.();
    this.#disarm = undefined;
    this.#handshakeOver();
    const connection = this.#connection;
    this.#connection = undefined;
    this.#owed.clear();
    this.#loseAll('UPSTREAM_UNAVAILABLE');
    connection?.close();
    this.ports.place?.giveBack();
  }

  #begin(owner: CallOwner, message: Message, isHeld: boolean): UpstreamCall | Refusal {
    const id = message.id ?? 'null';
    const token = message.token(message.spans.progressToken);
    const now = this.ports.clock.now();
    const call = this.pending.begin(owner, id, message.method ?? '', token, now);
    if (call === undefined) return { error: 'TOO_MANY_REQUESTS', id };
    const ours = numbered(message, call.number);
    if (isHeld) {
      this.#held.hold(ours, call);
      return call;
    }
    this.#payOwed();
    const outcome = this.#connection?.send(ours) ?? 'closed';
    if (outcome === 'sent') return call;
    this.pending.end(call, 'refuse');
    return { error: outcome === 'full' ? 'UPSTREAM_BUSY' : 'UPSTREAM_UNAVAILABLE', id };
  }

  /** A server that never answers the client's handshake is not waited for as long as for a call. */
  #expireHandshake(call: UpstreamCall): void {
    this.#handshakeOver();
    this.#disarmHandshake = this.ports.clock.after(this.ports.limits.upstreamStartMsMax, () => {
      if (this.pending.end(call, 'refuse')) this.#lose(call, 'CALL_TIMED_OUT');
    });
  }

  /** Its timer would keep the call, and with it all of its session. */
  #handshakeOver(): void {
    this.#disarmHandshake?.();
    this.#disarmHandshake = undefined;
  }

  #received(message: Message, relatedTo: string | undefined): void {
    this.#payOwed();
    if (message.kind === 'response') {
      this.#restarts.answered();
      const call = this.pending.find(message.id);
      if (call === undefined || !this.pending.end(call, 'answer')) {
        this.#ghosts.answered(message.id);
        this.ports.telemetry.count('upstream_stray_total', { kind: 'response' });
        return;
      }
      if (call.method === 'initialize') this.#handshakeOver();
      this.#role.ended?.(call, message);
      call.owner.answered(call, message);
      return;
    }
    if (message.method === 'notifications/progress') this.#progressed(message);
    else this.#role.received(message, this.pending.find(relatedTo), relatedTo !== undefined);
  }

  #progressed(message: Message): void {
    const call = this.pending.find(message.token(message.spans.progressToken));
    const told = progressFor(call, message);
    if (call !== undefined && told !== undefined) call.owner.related(call, told);
    else this.ports.telemetry.count('upstream_stray_total', { kind: 'progress' });
  }

  #oversized(id: string | undefined): void {
    const call = this.pending.find(id);
    if (call === undefined || !this.pending.end(call, 'refuse')) return;
    this.#lose(call, 'UPSTREAM_MESSAGE_TOO_LARGE');
  }

  #ready(): void {
    this.#disarm?.();
    this.#disarm = undefined;
    this.state = INSTANCE_TRANSITIONS.starting.ready;
    this.#restarts.ready(this.ports.clock.now());
    for (const { message, call } of this.#held.take()) {
      if (call === undefined) {
        this.#say(message);
        continue;
      }
      if (call.state !== 'waiting') continue;
      const outcome = this.#connection?.send(message) ?? 'closed';
      if (outcome === 'sent') continue;
      if (this.pending.end(call, 'refuse')) this.#lose(call, 'UPSTREAM_BUSY');
    }
  }

  #failed(why: string): void {
    const connection = this.#connection;
    this.#down('start-failed', why);
    connection?.close();
  }

  #down(cause: UpstreamClosedCause, detail: string): void {
    if (this.state === 'closed' || this.state === 'waiting') return;
    const { telemetry, clock, upstream } = this.ports;
    this.#disarm?.();
    this.#connection = undefined;
    this.#ghosts.clear();
    this.#owed.clear();
    this.state = INSTANCE_TRANSITIONS.ready.fail;
    const delayMs = this.#restarts.down(clock.now());
    const fields = { upstream: upstream.name, era: this.era, cause, detail };
    telemetry.log('warn', 'upstream_down', { ...fields, failures: this.failures, delayMs });
    this.#loseAll('UPSTREAM_UNAVAILABLE');
    if (!this.#role.down()) this.close();
    if (this.#isClosed()) return;
    telemetry.count('upstream_restarts_total', { upstream: upstream.name });
    this.#disarm = clock.after(delayMs, () => this.start());
  }

  #isClosed(): boolean {
    return this.state === 'closed';
  }

  #loseAll(error: ErrorCode): void {
    this.#held.take();
    for (const call of this.pending.all()) {
      if (this.pending.end(call, 'lose')) this.#lose(call, error);
    }
  }

  #lose(call: UpstreamCall, error: ErrorCode): void {
    this.#role.ended?.(call);
    call.owner.lost(call, { error, id: call.id });
  }

  /** In order with what is owed. */
  #say(message: Message): void {
    this.#payOwed();
    const connection = this.#connection;
    if (connection === undefined) return;
    if (this.#owed.size === 0 && connection.send(message) !== 'full') return;
    if (this.#owed.add(message)) return;
    const { telemetry, upstream } = this.ports;
    // Clients may say as much as they like to a server that takes nothing.
    telemetry.log('debug', 'upstream_untold', { upstream: upstream.name, method: message.method });
  }

  #payOwed(): void {
    const connection = this.#connection;
    // Asked for every message, and nearly always there is nothing.
    if (this.#owed.size === 0 || connection === undefined) return;
    this.#owed.pay((message) => connection.send(message));
  }

  #tellCancelled(call: UpstreamCall, reason: string): void {
    this.tell(cancellationOf(call, reason));
  }
}
