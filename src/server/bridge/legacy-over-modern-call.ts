/**
 * One request of a legacy client at a server of the stateless revision: what the server asks for on
 * the way is asked of the client, and the request repeated, until there is a result.
 */
import { failedAcross, legacyError } from '../../core/bridge/legacy-client/legacy-error.ts';
import { isInputRequired } from '../../core/bridge/legacy-client/input-request.ts';
import {
  InputRounds,
  type RoundsDecision,
  type RoundsOutbox,
} from '../../core/bridge/legacy-client/input-rounds.ts';
import type { LegacyClient } from '../../core/bridge/legacy-client/legacy-client.ts';
import { legacyResult } from '../../core/bridge/legacy-client/legacy-result.ts';
import { withAnswers } from '../../core/bridge/legacy-client/request-envelope.ts';
import type { Refusal } from '../../core/errors.ts';
import { isLevelAtLeast } from '../../core/protocol/eras/stateless-2026.ts';
import type { Message } from '../../core/protocol/message.ts';
import type { CallState } from '../../core/sessions/pending.ts';
import type { InstancePorts } from '../instance.ts';
import type { CallOwner, UpstreamCall } from '../upstream-call.ts';
import type { LegacyCallOwner } from '../legacy-upstream.ts';
import type { ModernInstance } from '../modern-instance.ts';
import { type AskingCall, CallQuestions, type QuestionDesk } from './call-questions.ts';

/** The session's side of its calls. */
export interface CallingSession extends QuestionDesk {
  readonly ports: InstancePorts;
  readonly client: LegacyClient;
  /** The server, unless there is no room for it now. */
  readonly upstream: () => ModernInstance | Refusal;
}

export class LegacyOverModernCall implements AskingCall, CallOwner {
  /** Upstream it has another number with every round. */
  readonly number = 0;
  readonly owner: LegacyCallOwner;
  readonly id: string;
  readonly method: string;
  readonly progressToken: string | undefined;
  readonly startedAt: number;
  state: CallState = 'waiting';
  progress: number = -Infinity;
  readonly #session: CallingSession;
  /** With its envelope. */
  readonly #request: Message;
  readonly #tool: string;
  readonly #finalWords: ((result: Message, answer: Message) => Message) | undefined;
  #rounds: InputRounds | undefined;
  /** The current round's call, and where it was sent. */
  #upstreamCall: UpstreamCall | undefined;
  #upstream: ModernInstance | undefined;
  readonly #questions: CallQuestions;
  #disarm: () => void = () => {};

  /**
   * @param request - with its envelope.
   * @param finalWords - makes the client's answer of the result in its words and the server's own.
   */
  constructor(
    session: CallingSession,
    owner: LegacyCallOwner,
    original: Message,
    request: Message,
    finalWords?: (result: Message, answer: Message) => Message,
  ) {
    this.#finalWords = finalWords;
    this.#session = session;
    this.#questions = new CallQuestions(session, this);
    this.owner = owner;
    this.id = original.id ?? 'null';
    this.method = original.method ?? '';
    this.progressToken = original.token(original.spans.progressToken);
    this.startedAt = session.ports.clock.now();
    this.#request = request;
    this.#tool = this.method === 'tools/call' ? toolOf(original) : '';
  }

  /** @returns why it cannot be sent. */
  send(request: Message = this.#request): Refusal | undefined {
    const upstream = this.#session.upstream();
    if ('error' in upstream) return { ...upstream, id: this.id };
    this.#upstream = upstream;
    const outcome = upstream.request(this, request);
    if ('error' in outcome) return { ...outcome, id: this.id };
    this.#upstreamCall = outcome;
    return undefined;
  }

  /** The client gave it up. */
  cancel(reason: string): void {
    if (!this.#end('cancelled')) return;
    if (this.#upstreamCall !== undefined) this.#upstream?.cancel(this.#upstreamCall, reason);
    this.#abandon();
  }

  answered(_call: UpstreamCall, message: Message): void {
    if (this.state !== 'waiting') return;
    this.#upstreamCall = undefined;
    if (message.isError) this.#finish(legacyError(message, this.method));
    else if (isInputRequired(message)) this.#required(message);
    else {
      const wrapped = this.#tool !== '' && this.#upstream?.wrapsOutput(this.#tool) === true;
      const outbox: RoundsOutbox = [];
      this.#rounds?.completed(outbox);
      this.#carryOut(outbox);
      const result = legacyResult(message, this.method, wrapped);
      this.#finish(this.#finalWords?.(result, message) ?? result);
    }
  }

  lost(_call: UpstreamCall, refusal: Refusal): void {
    if (!this.#end('lost')) return;
    this.#upstreamCall = undefined;
    this.#abandon();
    this.owner.lost(this, refusal);
  }

  /**
   * Each round counts its progress anew upstream; to the client it is one request that advances.
   */
  related(_call: UpstreamCall, message: Message): void {
    const { progress, level } = (message.value ?? {}) as { progress?: unknown; level?: unknown };
    if (message.method === 'notifications/progress') {
      if (!(Number(progress) > this.progress)) return;
      this.progress = Number(progress);
    } else if (message.method === 'notifications/message') {
      const { logLevel } = this.owner.member;
      if (logLevel === undefined || !isLevelAtLeast(level, logLevel)) return;
    }
    this.owner.related(this, message);
  }

  closeStream(): void {
    this.owner.closeStream(this);
  }

  reply(key: string, message: Message): void {
    this.#questions.answered(key);
    const outbox: RoundsOutbox = [];
    this.#rounds?.answered(key, message, outbox);
    this.#carryOut(outbox);
  }

  #required(message: Message): void {
    const { client, ports } = this.#session;
    const { random, limits } = ports;
    this.#rounds ??= new InputRounds(this.method, client, () => random.sessionId(), limits);
    const outbox: RoundsOutbox = [];
    this.#rounds.required(message, outbox);
    this.#carryOut(outbox);
  }

  #carryOut(outbox: RoundsOutbox): void {
    for (const decision of outbox) this.#do(decision);
  }

  #do(decision: RoundsDecision): void {
    switch (decision.do) {
      case 'ask':
        this.#ask(decision.key, decision.method, decision.params);
        return;
      case 'withdraw':
        this.#questions.withdraw(decision.key);
        return;
      case 'wait':
        this.#wait(decision.ms);
        return;
      case 'retry': {
        this.#disarm();
        const refusal = this.send(withAnswers(this.#request, decision.members));
        if (refusal !== undefined && this.#end('lost')) this.owner.lost(this, refusal);
        return;
      }
      case 'visited':
        this.#questions.visited(decision.elicitationId);
        return;
      default:
        this.#finish(failedAcross(this.id, this.method, decision.text));
    }
  }

  #ask(key: string, method: string, params: string | undefined): void {
    if (this.state !== 'waiting') return;
    if (this.#questions.ask(key, method, params)) return;
    this.#abandon();
    this.#finish(failedAcross(this.id, this.method, 'Too many questions wait for this client.'));
  }

  #wait(ms: number): void {
    this.#disarm = this.#session.ports.clock.after(ms, () => {
      const outbox: RoundsOutbox = [];
      this.#rounds?.waited(outbox);
      this.#carryOut(outbox);
    });
  }

  #finish(message: Message): void {
    if (this.#end('answered')) this.owner.answered(this, message);
  }

  #end(state: CallState): boolean {
    if (this.state !== 'waiting') return false;
    this.state = state;
    this.#disarm();
    return true;
  }

  /** Questions that wait for the client are taken back. */
  #abandon(): void {
    const outbox: RoundsOutbox = [];
    this.#rounds?.abandoned(outbox);
    this.#carryOut(outbox);
  }
}

function toolOf(message: Message): string {
  const { name } = (message.value ?? {}) as { readonly name?: unknown };
  return typeof name === 'string' ? name : '';
}
