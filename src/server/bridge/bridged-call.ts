/**
 * One call at a server of the handshake revisions, made for a client of 2026: the machine of its
 * rounds, its upstream session and whichever request of the client waits for it now, joined.
 */
import { isConnectionLost } from '../../core/connection-lost.ts';
import type { Refusal } from '../../core/errors.ts';
import {
  covers,
  isQuestionMethod,
  requiredBy,
  type ClientCapabilities,
} from '../../core/bridge/modern-client/client-capabilities.ts';
import { inputRequestsOf } from '../../core/bridge/modern-client/input-request.ts';
import { mayAsk, toLegacyRequest } from '../../core/bridge/modern-client/legacy-request.ts';
import { toModernError, urlElicitations } from '../../core/bridge/modern-client/modern-error.ts';
import {
  toModernResult,
  type LegacyServer,
} from '../../core/bridge/modern-client/modern-result.ts';
import { bindingOf, writeState } from '../../core/bridge/modern-client/request-state.ts';
import {
  Rounds,
  type Answers,
  type CallEnd,
  type RoundsDecision,
} from '../../core/bridge/modern-client/rounds.ts';
import {
  asTaskRequest,
  createdTaskOf,
  modernCreated,
} from '../../core/bridge/modern-client/task-result.ts';
import { tasksFault, type Members, type TaskSupport } from '../../core/bridge/tasks/task-words.ts';
import type { Principal } from '../../core/ports.ts';
import { Message } from '../../core/protocol/message.ts';
import type { CallEntry, CallPlace } from '../call-entry.ts';
import type { CallOwner, UpstreamCall } from '../upstream-call.ts';
import { refuseQuestion } from '../refuse-question.ts';
import type { BridgePorts } from './bridge-ports.ts';
import type { Leg, LegWork } from './leg.ts';

/** The upstream session a call is made on. */
export interface CallSession extends CallPlace {
  readonly capabilities: ClientCapabilities;
  readonly server: LegacyServer | undefined;
  /** Runs `then` once the handshake is over, or failed. */
  whenReady(then: () => void): void;
  /** A call is about to be made there, unless it is turned away: it has its turn. */
  taken(call: BridgedCall): void;
  /** It is let in. */
  begun(call: BridgedCall): void;
  /** Sees that what the call wants logged is logged, then runs `then`. */
  prepareLevel(then: () => void): void;
  /** The call was given up and may still speak. */
  haunt(): void;
  released(call: BridgedCall): void;
}

/** Who keeps the calls, and is told what becomes of them. */
export interface BridgedCallKeeper {
  readonly ports: BridgePorts;
  hasRoomToPark(principal: Principal): boolean;
  /** Its client went to find answers. */
  parked(call: BridgedCall, id: string): void;
  /** It is over upstream, or was never sent. */
  ended(call: BridgedCall): void;
  /** A call may not be made on this session, which nothing was sent to for it. */
  turnedAway(session: CallSession): void;
  /** Whether a call may, or must, become a task there. */
  taskSupportOf(session: CallSession, message: Message): TaskSupport | undefined;
  /** The server made a task of it, on its session. @returns it by the id that its client knows. */
  madeTask(call: BridgedCall, session: CallSession, task: Members): Members;
}

export interface BridgedCallFacts {
  readonly principal: Principal;
  readonly message: Message;
  readonly logLevel: string | undefined;
  /** Answers that came with the first request. */
  readonly answers: Answers;
  /** Rounds that went before the call. */
  readonly round: number;
  /** Whether the server may make a task of it. */
  readonly hasTasks: boolean;
  /** Of a call of a tool: lets it in where it is made. */
  readonly entry: CallEntry | undefined;
}

export class BridgedCall implements CallOwner, LegWork {
  readonly facts: BridgedCallFacts;
  readonly queuedAt: number;
  readonly canAsk: boolean;
  readonly #keeper: BridgedCallKeeper;
  #session: CallSession | undefined;
  readonly #rounds: Rounds;
  #leg: Leg | undefined;
  /** The progress token upstream's reports are relayed under without a change. */
  readonly #firstToken: string | undefined;
  #inner: UpstreamCall | undefined;
  /** Whether the server is to make a task of it. */
  isTask = false;
  /** Whether the server was told of it: nothing it says before that is about it. */
  isSent = false;
  /** Questions the client declared no capability for. */
  #undeclared: ClientCapabilities | undefined;
  #disarm: (() => void) | undefined;
  /** What `requestState` calls it; undefined until its client is sent for answers. */
  parkedAs: string | undefined;

  constructor(keeper: BridgedCallKeeper, facts: BridgedCallFacts, leg: Leg) {
    this.#keeper = keeper;
    this.facts = facts;
    this.queuedAt = keeper.ports.clock.now();
    this.canAsk = mayAsk(facts.message.method);
    this.#rounds = new Rounds(keeper.ports.limits, facts.answers, facts.round);
    this.#leg = leg;
    this.#firstToken = leg.progressToken;
    leg.work = this;
  }

  get isOver(): boolean {
    return this.#rounds.state === 'ended';
  }

  /** Its client is away for answers, and upstream is not done with it. */
  get isParked(): boolean {
    return this.#rounds.state === 'parked';
  }

  get session(): CallSession | undefined {
    return this.#session;
  }

  /** Sends it as soon as the session is open, if it may be made there. */
  start(session: CallSession): void {
    const { entry } = this.facts;
    this.#session = session;
    session.taken(this);
    if (entry === undefined) session.whenReady(() => this.#admitted(session));
    else entry.admit(session, (fault) => this.#entered(fault, () => this.#admitted(session)));
  }

  /** A retry of the client. @returns whether it is the one that was waited for. */
  join(leg: Leg, round: number, answers: Answers): boolean {
    if (this.#rounds.isJoined || this.isOver || round !== this.#rounds.round) return false;
    this.#leg = leg;
    leg.work = this;
    const now = this.#keeper.ports.clock.now();
    return this.#drive((outbox) => this.#rounds.joined(round, answers, now, outbox));
  }

  /** It could not be sent in time. */
  giveUp(refusal: Refusal): void {
    this.#settle(refusal);
  }

  /** Nobody can come back for it: the endpoint ends. */
  close(): void {
    this.#disarm?.();
    this.#disarm = undefined;
  }

  left(reason: string): void {
    this.#leg = undefined;
    this.#drive((outbox) => this.#rounds.left(outbox), reason);
  }

  /** A question of the server that belongs to this call. */
  asked(message: Message): void {
    const { method, value } = message;
    const upstreamId = message.id ?? 'null';
    if (!isQuestionMethod(method)) return this.#refuse(upstreamId, 'METHOD_NOT_FOUND');
    if (!this.canAsk) return this.#refuse(upstreamId, 'NO_ORIGINATING_REQUEST');
    const required = requiredBy(method, value);
    if (!covers(this.#session?.capabilities ?? {}, required)) {
      this.#undeclared = { ...this.#undeclared, ...required };
      return this.#refuse(upstreamId, 'METHOD_NOT_FOUND');
    }
    const now = this.#keeper.ports.clock.now();
    this.#drive((outbox) => this.#rounds.asked(upstreamId, method, value, now, outbox));
  }

  /** The server takes a question back. @returns whether it was one of this call. */
  withdrawn(upstreamId: string): boolean {
    if (!this.#rounds.isOpen(upstreamId)) return false;
    this.#drive(() => this.#rounds.withdrawn(upstreamId));
    return true;
  }

  related(_call: UpstreamCall, message: Message): void {
    this.#drive((outbox) => this.#rounds.noticed(message, outbox));
  }

  noticed(message: Message): void {
    this.#drive((outbox) => this.#rounds.noticed(message, outbox));
  }

  answered(_call: UpstreamCall, message: Message): void {
    // Over one channel whatever it still says would be taken for the next call's.
    if (isConnectionLost(message) && this.canAsk) this.#session?.haunt();
    this.#settle(this.#translated(message));
  }

  lost(_call: UpstreamCall, refusal: Refusal): void {
    if (refusal.error === 'CALL_TIMED_OUT') this.#session?.haunt();
    this.#settle(refusal);
  }

  closeStream(): void {
    // Streams of 2026 cannot be resumed, so there is nothing to come back for.
  }

  #admitted(session: CallSession): void {
    if (this.isOver) return;
    const { message, hasTasks } = this.facts;
    const support = this.#keeper.taskSupportOf(session, message);
    const fault = tasksFault(support, hasTasks);
    if (fault !== undefined) {
      this.#turnAway(fault);
      return;
    }
    this.isTask = support !== undefined && hasTasks;
    session.begun(this);
    session.prepareLevel(() => this.#enterAgain(session));
  }

  /** It waited since it was let in: the server may be another process, with other tools. */
  #enterAgain(session: CallSession): void {
    const { entry } = this.facts;
    if (this.isOver) return;
    if (entry === undefined) this.#send(session);
    else entry.judge(session.instance, (fault) => this.#entered(fault, () => this.#send(session)));
  }

  #entered(fault: Refusal | undefined, then: () => void): void {
    if (this.isOver) return;
    if (fault === undefined) then();
    else this.#turnAway(fault);
  }

  /** Nothing is left of it, and whoever let it come as far answers its client. */
  #turnAway(fault: Refusal): void {
    const { entry } = this.facts;
    const session = this.#session;
    const leg = this.#release();
    this.#settle(fault);
    if (session !== undefined) this.#keeper.turnedAway(session);
    if (leg !== undefined) entry?.turnAway(fault);
  }

  #send(session: CallSession): void {
    const request = toLegacyRequest(this.facts.message);
    const asking = this.isTask ? asTaskRequest(request) : request;
    this.isSent = true;
    const outcome = session.instance.request(this, asking);
    if ('error' in outcome) this.#settle(outcome);
    else this.#inner = outcome;
  }

  #settle(end: CallEnd): void {
    this.#inner = undefined;
    this.#drive((outbox) => this.#rounds.settled(end, outbox));
    this.#session?.released(this);
  }

  #translated(message: Message): CallEnd {
    const { method } = this.facts.message;
    const task = this.isTask ? createdTaskOf(message) : undefined;
    if (task !== undefined && this.#session !== undefined) {
      const known = this.#keeper.madeTask(this, this.#session, task);
      return modernCreated(known, this.#session.server?.infoText ?? '');
    }
    const visits = this.canAsk ? urlElicitations(message) : undefined;
    if (visits !== undefined) return this.#visitsFirst(inputRequestsOf(visits));
    const failed = message.isError || (message.value as { isError?: unknown })?.isError === true;
    if (failed && this.#undeclared !== undefined) return missing(this.#undeclared);
    const params = this.facts.message.value as { uri?: unknown } | undefined;
    const isRead = method === 'resources/read' && typeof params?.uri === 'string';
    if (message.isError) return toModernError(message, isRead ? String(params.uri) : undefined);
    return toModernResult(method ?? '', message, this.#session?.server?.infoText ?? '');
  }

  /** The call is over and is made again when its client has been where it was sent. */
  #visitsFirst(inputRequests: string): CallEnd {
    const { clock, limits } = this.#keeper.ports;
    const url = { elicitation: { url: {} } };
    if (!covers(this.#session?.capabilities ?? {}, url)) return missing(url);
    if (this.#rounds.round >= limits.bridgedRoundsMax) return { error: 'TOO_MANY_ROUNDS' };
    const expiresAt = clock.now() + limits.parkedMsMax;
    return this.#inputRequired(inputRequests, undefined, this.#rounds.round + 1, expiresAt);
  }

  #inputRequired(
    inputRequests: string,
    call: string | undefined,
    round: number,
    expiresAt: number,
  ): Message {
    const { principal, message } = this.facts;
    const state = writeState({ call, round, expiresAt });
    const sealed = this.#keeper.ports.seal.seal(state, bindingOf(principal, message));
    const info = this.#session?.server?.infoText ?? '';
    const meta = info === '' ? '' : `,"_meta":{${info}}`;
    const asked = `"inputRequests":${inputRequests},"requestState":${JSON.stringify(sealed)}`;
    return Message.result('null', `{"resultType":"input_required",${asked}${meta}}`);
  }

  #drive<Result>(step: (outbox: RoundsDecision[]) => Result, reason = 'nobody waits'): Result {
    const outbox: RoundsDecision[] = [];
    const result = step(outbox);
    for (const decision of outbox) this.#do(decision, reason);
    this.#arm();
    return result;
  }

  #do(decision: RoundsDecision, reason: string): void {
    switch (decision.do) {
      case 'answer':
        this.#session?.instance.tell(Message.result(decision.upstreamId, decision.result));
        return;
      case 'refuse':
        this.#refuse(decision.upstreamId, decision.error);
        return;
      case 'deliver':
        if (this.#leg !== undefined) this.#leg.owner.related(this.#leg, this.#worded(decision));
        return;
      case 'ask': {
        const { inputRequests, round, expiresAt } = decision;
        const leg = this.#release();
        const id = (this.parkedAs ??= this.#keeper.ports.random.sessionId());
        const message = this.#inputRequired(inputRequests, id, round, expiresAt);
        this.#keeper.parked(this, id);
        leg?.owner.answered(leg, message);
        return;
      }
      case 'finish':
        this.#finish(decision.end);
        return;
      default:
        this.#abandon(reason);
    }
  }

  #finish(end: CallEnd): void {
    const leg = this.#release();
    this.#keeper.ended(this);
    if (leg === undefined) return;
    if ('error' in end) leg.owner.lost(leg, { ...end, id: leg.id });
    else leg.owner.answered(leg, end);
  }

  #abandon(reason: string): void {
    const inner = this.#inner;
    this.#inner = undefined;
    if (inner !== undefined) {
      this.#session?.instance.cancel(inner, reason);
      if (this.canAsk) this.#session?.haunt();
    }
    this.#session?.released(this);
    this.#keeper.ended(this);
  }

  /** Progress of a later leg goes by the token of that leg's request, and nowhere without one. */
  #worded({ message }: { readonly message: Message }): Message {
    const token = this.#leg?.progressToken;
    const isProgress = message.method === 'notifications/progress';
    if (!isProgress || token === undefined || token === this.#firstToken) return message;
    const { progressToken: _old, ...rest } = message.value as Record<string, unknown>;
    const tail = JSON.stringify(rest).slice(1);
    const params = `{"progressToken":${token}${tail === '}' ? '' : ','}${tail}`;
    return Message.notification('notifications/progress', params);
  }

  #refuse(upstreamId: string, error: Refusal['error']): void {
    this.#session?.instance.tell(refuseQuestion(upstreamId, { error }));
  }

  #release(): Leg | undefined {
    const leg = this.#leg;
    this.#leg = undefined;
    if (leg !== undefined) leg.work = undefined;
    return leg;
  }

  #arm(): void {
    this.#disarm?.();
    this.#disarm = undefined;
    const { clock } = this.#keeper.ports;
    const { nextDeadline } = this.#rounds;
    if (nextDeadline === Infinity) return;
    this.#disarm = clock.after(Math.max(0, nextDeadline - clock.now()), () => {
      const hasRoom = this.#keeper.hasRoomToPark(this.facts.principal);
      this.#drive((outbox) => this.#rounds.tick(clock.now(), hasRoom, outbox), 'nobody came back');
    });
  }
}

function missing(requiredCapabilities: ClientCapabilities): Refusal {
  return { error: 'MISSING_CAPABILITY', data: JSON.stringify({ requiredCapabilities }) };
}
