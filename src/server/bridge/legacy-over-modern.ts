/**
 * A session of a legacy client over a server of the stateless revision: its handshake, its level
 * and its subscriptions live here. Its requests go to an instance of its own, or to the one that it
 * shares.
 */
import {
  initializeResult,
  offersTasks,
} from '../../core/bridge/legacy-client/initialize-result.ts';
import { LegacyClient } from '../../core/bridge/legacy-client/legacy-client.ts';
import { requestEnvelope, withEnvelope } from '../../core/bridge/legacy-client/request-envelope.ts';
import type { Refusal } from '../../core/errors.ts';
import { LOG_LEVELS } from '../../core/protocol/eras/stateless-2026.ts';
import type { Message } from '../../core/protocol/message.ts';
import { areTooMany } from '../../core/sessions/subscription.ts';
import type { Instance, InstancePorts } from '../instance.ts';
import type { UpstreamCall } from '../upstream-call.ts';
import type {
  LegacyCallOwner,
  LegacyMember,
  LegacyOutcome,
  LegacyUpstream,
} from '../legacy-upstream.ts';
import type { ModernInstance } from '../modern-instance.ts';
import { OUR_IDENTITY } from '../our-identity.ts';
import type { Asker } from './call-questions.ts';
import { LegacyOverModernCall, type CallingSession } from './legacy-over-modern-call.ts';
import { LegacyOverModernChanges } from './legacy-over-modern-changes.ts';
import { LegacyTaskCall } from './legacy-task-call.ts';
import { LegacyTasks, type TaskAccess } from './legacy-tasks.ts';
import { SubscribeCall } from './subscribe-call.ts';

/** Methods only a server of the other revisions would be asked. */
const NOT_CARRIED: ReadonlySet<string> = new Set(['server/discover', 'subscriptions/listen']);

export class LegacyOverModern implements LegacyUpstream, CallingSession {
  readonly isExclusive = false;
  readonly ports: InstancePorts;
  readonly upstream: () => ModernInstance | Refusal;
  client: LegacyClient = new LegacyClient(undefined, OUR_IDENTITY);
  #member: LegacyMember | undefined;
  /** The envelopes of the session as it is now, by whether the client can be asked. */
  #envelopes = new Map<string, string>();
  readonly #questions = new Map<string, { readonly asker: Asker; key: string }>();
  readonly #changes: LegacyOverModernChanges;
  readonly #tasks: LegacyTasks | undefined;
  readonly #left: () => void;
  /** Whether both sides have tasks and we carry them across. */
  #hasTasks = false;
  #nextQuestion = 1;

  /**
   * @param upstream - the instance of the session's principal, or why there is no room for it.
   * @param tasks - those of the session's principal; undefined where tasks are not bridged.
   * @param left - called when the session is over.
   */
  constructor(
    ports: InstancePorts,
    upstream: () => ModernInstance | Refusal,
    tasks?: TaskAccess,
    left: () => void = () => {},
  ) {
    this.ports = ports;
    this.#left = left;
    this.upstream = upstream;
    if (tasks !== undefined) this.#tasks = new LegacyTasks(this, tasks);
    this.#changes = new LegacyOverModernChanges(ports, upstream, (message) => {
      this.#member?.unrelated(message);
    });
  }

  get conversation(): Instance | undefined {
    const upstream = this.upstream();
    return 'error' in upstream ? undefined : upstream.instance;
  }

  join(member: LegacyMember): void {
    this.#member = member;
  }

  leave(_member: LegacyMember): void {
    this.#member = undefined;
    this.#questions.clear();
    this.#changes.stop();
    this.#left();
  }

  initialize(requested: unknown, done: (answer: string | Refusal) => void): void {
    const upstream = this.upstream();
    if ('error' in upstream) {
      done(upstream);
      return;
    }
    upstream.whenReady(() => {
      if (this.#member === undefined) return;
      const { discovered } = upstream;
      if (upstream.isDown || discovered === undefined) {
        done({ error: 'UPSTREAM_UNAVAILABLE' });
        return;
      }
      this.client = new LegacyClient(this.#member.initializeParams, OUR_IDENTITY);
      this.#envelopes.clear();
      this.#hasTasks = this.#tasks !== undefined && offersTasks(discovered, requested);
      done(initializeResult(discovered, requested, OUR_IDENTITY, this.#hasTasks));
      this.#changes.begin(upstream.capabilities);
    });
  }

  initialized(): void {
    // The handshake was ours.
  }

  request(owner: LegacyCallOwner, message: Message): LegacyOutcome {
    this.#changes.origin = message.origin ?? this.#changes.origin;
    const method = message.method ?? '';
    switch (method) {
      case 'ping':
        return { answer: '{}' };
      case 'logging/setLevel':
        return this.#setLevel(owner.member, message);
      case 'resources/subscribe':
        return this.#subscribe(owner, message);
      case 'resources/unsubscribe':
        this.#changes.unsubscribe(uriOf(message));
        return { answer: '{}' };
      default:
    }
    const tasks = this.#hasTasks ? this.#tasks : undefined;
    if (method.startsWith('tasks/') && tasks !== undefined) return tasks.request(owner, message);
    if (NOT_CARRIED.has(method) || method.startsWith('tasks/')) {
      return { error: 'METHOD_NOT_FOUND', id: message.id };
    }
    const finalWords = tasks?.finalWordsFor(message);
    const isTask = finalWords !== undefined && method === 'tools/call';
    const request = withEnvelope(message, this.envelope(owner, isTask));
    const call = new LegacyOverModernCall(this, owner, message, request, finalWords);
    return call.send() ?? call;
  }

  cancel(call: UpstreamCall, reason: string): void {
    if (call instanceof LegacyOverModernCall || call instanceof LegacyTaskCall) {
      call.cancel(reason);
    } else if (call instanceof SubscribeCall) {
      call.cancel();
      this.#changes.withdraw(call.settle);
    }
  }

  /** None of them means anything to a server without sessions. */
  notify(): void {}

  answer(_member: LegacyMember, message: Message): void {
    const question = this.#questions.get(message.id ?? '');
    if (question === undefined) return;
    this.#questions.delete(message.id ?? '');
    question.asker.reply(question.key, message);
  }

  changeNotices(): readonly Message[] {
    return this.#changes.notices();
  }

  ask(asker: Asker, key: string): string | undefined {
    if (this.#questions.size >= this.ports.limits.pendingPerOwnerMax) return undefined;
    const id = String(this.#nextQuestion);
    this.#nextQuestion += 1;
    this.#questions.set(id, { asker, key });
    return id;
  }

  withdraw(questionId: string): void {
    this.#questions.delete(questionId);
  }

  /** @param withTasks - see `requestEnvelope`. */
  envelope({ canBeAsked, member }: LegacyCallOwner, withTasks: boolean): string {
    const key = `${canBeAsked} ${withTasks}`;
    let envelope = this.#envelopes.get(key);
    if (envelope === undefined) {
      envelope = requestEnvelope(this.client, member.logLevel, canBeAsked, withTasks);
      this.#envelopes.set(key, envelope);
    }
    return envelope;
  }

  /** @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging */
  #setLevel(member: LegacyMember, message: Message): LegacyOutcome {
    const { level } = (message.value ?? {}) as { readonly level?: unknown };
    if (typeof level !== 'string' || !LOG_LEVELS.includes(level)) {
      const detail = 'params.level must be a logging level.';
      return { error: 'INVALID_PARAMS', id: message.id, detail };
    }
    member.logLevel = level;
    this.#envelopes.clear();
    return { answer: '{}' };
  }

  /** Answered when the server acknowledged that it will tell. */
  #subscribe(owner: LegacyCallOwner, message: Message): LegacyOutcome {
    const { id } = message;
    const uri = uriOf(message);
    const upstream = this.upstream();
    if ('error' in upstream) return { ...upstream, id };
    const resources = upstream.capabilities['resources'];
    if ((resources as { subscribe?: unknown } | undefined)?.subscribe !== true) {
      return { error: 'METHOD_NOT_FOUND', id };
    }
    if (uri === '') return { error: 'INVALID_PARAMS', id, detail: 'params.uri must be a URI.' };
    if (areTooMany(new Set(this.#changes.uris).add(uri), this.ports.limits)) {
      return { error: 'TOO_MANY_REQUESTS', id, detail: 'Too many subscriptions.' };
    }
    const call = new SubscribeCall(owner, message, this.ports.clock.now());
    this.#changes.subscribe(uri, call.settle);
    return call.outcome();
  }
}

function uriOf(message: Message): string {
  const { uri } = (message.value ?? {}) as { readonly uri?: unknown };
  return typeof uri === 'string' ? uri : '';
}
