/**
 * A session of a legacy client over a server of the stateless revision: its handshake, its level
 * and its subscriptions live here, its requests go to the instance that serves its principal.
 */
import { initializeResult } from '../../core/bridge/legacy-client/initialize-result.ts';
import { LegacyClient } from '../../core/bridge/legacy-client/legacy-client.ts';
import { requestEnvelope, withEnvelope } from '../../core/bridge/legacy-client/request-envelope.ts';
import type { Refusal } from '../../core/errors.ts';
import { LOG_LEVELS } from '../../core/protocol/eras/stateless-2026.ts';
import type { Message } from '../../core/protocol/message.ts';
import type { InstancePorts, UpstreamCall } from '../instance.ts';
import type {
  LegacyCallOwner,
  LegacyMember,
  LegacyOutcome,
  LegacyUpstream,
} from '../legacy-upstream.ts';
import type { ModernInstance } from '../modern-instance.ts';
import { OUR_IDENTITY } from '../our-identity.ts';
import { LegacyOverModernCall, type CallingSession } from './legacy-over-modern-call.ts';
import { LegacyOverModernChanges } from './legacy-over-modern-changes.ts';
import { SubscribeCall } from './subscribe-call.ts';

/** Methods only a server of the other revisions would be asked. */
const NOT_CARRIED: ReadonlySet<string> = new Set(['server/discover', 'subscriptions/listen']);

export class LegacyOverModern implements LegacyUpstream, CallingSession {
  readonly isExclusive = false;
  readonly ports: InstancePorts;
  readonly upstream: () => ModernInstance | undefined;
  client: LegacyClient = new LegacyClient(undefined, OUR_IDENTITY);
  #member: LegacyMember | undefined;
  /** The envelopes of the session as it is now, by whether the client can be asked. */
  #envelopes = new Map<boolean, string>();
  readonly #questions = new Map<string, { readonly call: LegacyOverModernCall; key: string }>();
  readonly #changes: LegacyOverModernChanges;
  #nextQuestion = 1;

  /**
   * @param upstream - the instance of the session's principal; undefined while there is no room.
   */
  constructor(ports: InstancePorts, upstream: () => ModernInstance | undefined) {
    this.ports = ports;
    this.upstream = upstream;
    this.#changes = new LegacyOverModernChanges(ports, upstream, (message) => {
      this.#member?.unrelated(message);
    });
  }

  join(member: LegacyMember): void {
    this.#member = member;
  }

  leave(_member: LegacyMember): void {
    this.#member = undefined;
    this.#questions.clear();
    this.#changes.stop();
  }

  initialize(requested: unknown, done: (answer: string | Refusal) => void): void {
    const upstream = this.upstream();
    if (upstream === undefined) {
      done({ error: 'UPSTREAM_BUSY' });
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
      done(initializeResult(discovered, requested, OUR_IDENTITY));
      this.#changes.begin(upstream.capabilities);
    });
  }

  initialized(): void {
    // The handshake was ours.
  }

  request(owner: LegacyCallOwner, message: Message): LegacyOutcome {
    const method = message.method ?? '';
    switch (method) {
      case 'ping':
        return { answer: '{}' };
      case 'logging/setLevel':
        return this.#setLevel(owner.member, message);
      case 'resources/subscribe':
        return this.#subscribe(owner, message);
      case 'resources/unsubscribe': {
        const uri = uriOf(message);
        owner.member.subscribed.delete(uri);
        this.#changes.unsubscribe(uri);
        return { answer: '{}' };
      }
      default:
    }
    if (NOT_CARRIED.has(method) || method.startsWith('tasks/')) {
      return { error: 'METHOD_NOT_FOUND', id: message.id };
    }
    const envelope = this.#envelope(owner);
    const call = new LegacyOverModernCall(this, owner, message, withEnvelope(message, envelope));
    return call.send() ?? call;
  }

  cancel(call: UpstreamCall, reason: string): void {
    if (call instanceof LegacyOverModernCall) call.cancel(reason);
    else call.state = 'cancelled';
  }

  /** None of them means anything to a server without sessions. */
  notify(): void {}

  answer(_member: LegacyMember, message: Message): void {
    const question = this.#questions.get(message.id ?? '');
    if (question === undefined) return;
    this.#questions.delete(message.id ?? '');
    question.call.reply(question.key, message);
  }

  changeNotices(): readonly Message[] {
    return this.#changes.notices();
  }

  ask(call: LegacyOverModernCall, key: string): string | undefined {
    if (this.#questions.size >= this.ports.limits.pendingPerOwnerMax) return undefined;
    const id = String(this.#nextQuestion);
    this.#nextQuestion += 1;
    this.#questions.set(id, { call, key });
    return id;
  }

  withdraw(questionId: string): void {
    this.#questions.delete(questionId);
  }

  #envelope({ canBeAsked, member }: LegacyCallOwner): string {
    let envelope = this.#envelopes.get(canBeAsked);
    if (envelope === undefined) {
      envelope = requestEnvelope(this.client, member.logLevel, canBeAsked);
      this.#envelopes.set(canBeAsked, envelope);
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
    const { member } = owner;
    const uri = uriOf(message);
    const resources = this.upstream()?.capabilities['resources'];
    if ((resources as { subscribe?: unknown } | undefined)?.subscribe !== true) {
      return { error: 'METHOD_NOT_FOUND', id };
    }
    if (uri === '') return { error: 'INVALID_PARAMS', id, detail: 'params.uri must be a URI.' };
    if (this.#changes.size >= this.ports.limits.subscriptionsPerOwnerMax) {
      return { error: 'TOO_MANY_REQUESTS', id, detail: 'Too many subscriptions.' };
    }
    const call = new SubscribeCall(owner, message, this.ports.clock.now());
    this.#changes.subscribe(uri, (refusal) => {
      if (refusal === undefined) member.subscribed.add(uri);
      call.settle(refusal);
    });
    return call.outcome();
  }
}

function uriOf(message: Message): string {
  const { uri } = (message.value ?? {}) as { readonly uri?: unknown };
  return typeof uri === 'string' ? uri : '';
}
