/**
 * One `tasks/get`, `tasks/result` or `tasks/cancel` of a legacy client at a server of the tasks
 * extension: as many requests upstream as its answer takes.
 */
import { failedAcross, legacyError } from '../../core/bridge/legacy-client/legacy-error.ts';
import { taskRequest } from '../../core/bridge/legacy-client/request-envelope.ts';
import { legacyState } from '../../core/bridge/legacy-client/task-result.ts';
import {
  TaskWait,
  type TaskWaitDecision,
  type TaskWaitOutbox,
} from '../../core/bridge/legacy-client/task-wait.ts';
import { isTerminal, type Members } from '../../core/bridge/tasks/task-words.ts';
import type { Refusal } from '../../core/errors.ts';
import { Message } from '../../core/protocol/message.ts';
import type { CallState } from '../../core/sessions/pending.ts';
import type { CallOwner, UpstreamCall } from '../upstream-call.ts';
import type { LegacyCallOwner } from '../legacy-upstream.ts';
import type { ModernInstance } from '../modern-instance.ts';
import { type AskingCall, CallQuestions } from './call-questions.ts';
import type { CallingSession } from './legacy-over-modern-call.ts';

/** What is kept of a task. */
export interface LegacyTask {
  readonly tool: string;
  /** The client was told so: that stays, whatever becomes of the work. */
  isCancelled: boolean;
  /** A task of ours, that is done: its state, and its result as JSON text. */
  readonly done: { readonly state: Members; readonly result: string } | undefined;
}

export interface TaskSession extends CallingSession {
  /** What every request of the client carries in `_meta`. */
  envelope(owner: LegacyCallOwner, withTasks: boolean): string;
}

type Then = (answer: Message) => void;

const TERMINAL_CODE = -32602;

export class LegacyTaskCall implements AskingCall, CallOwner {
  /** Upstream it has another number with every request. */
  readonly number = 0;
  readonly owner: LegacyCallOwner;
  readonly id: string;
  readonly method: string;
  readonly progressToken = undefined;
  readonly startedAt: number;
  state: CallState = 'waiting';
  progress: number = -Infinity;
  readonly #session: TaskSession;
  readonly #taskId: string;
  readonly #task: LegacyTask;
  #wait: TaskWait | undefined;
  #upstream: ModernInstance | undefined;
  #upstreamCall: UpstreamCall | undefined;
  #then: Then = () => {};
  readonly #questions: CallQuestions;
  #disarm: () => void = () => {};

  constructor(
    session: TaskSession,
    owner: LegacyCallOwner,
    message: Message,
    taskId: string,
    task: LegacyTask,
  ) {
    this.#session = session;
    this.#questions = new CallQuestions(session, this);
    this.owner = owner;
    this.id = message.id ?? 'null';
    this.method = message.method ?? '';
    this.startedAt = session.ports.clock.now();
    this.#taskId = taskId;
    this.#task = task;
  }

  /** @returns why it cannot be sent. */
  start(): Refusal | undefined {
    switch (this.method) {
      case 'tasks/get':
        return this.#ask('tasks/get', (answer) => this.#finish(this.#stateOf(answer)));
      case 'tasks/cancel':
        return this.#ask('tasks/get', (answer) => this.#cancelTask(answer));
      default:
        return this.#ask('tasks/get', (answer) => this.#beginWait(answer));
    }
  }

  /** The client gave the request up; the task goes on. */
  cancel(reason: string): void {
    if (!this.#end('cancelled')) return;
    if (this.#upstreamCall !== undefined) this.#upstream?.cancel(this.#upstreamCall, reason);
    this.#abandon();
  }

  answered(_call: UpstreamCall, message: Message): void {
    if (this.state !== 'waiting') return;
    this.#upstreamCall = undefined;
    if (message.isError) {
      this.#abandon();
      this.#finish(legacyError(message, this.method));
    } else this.#then(message);
  }

  lost(_call: UpstreamCall, refusal: Refusal): void {
    this.#upstreamCall = undefined;
    this.#lose(refusal);
  }

  related(): void {
    // The extension has neither progress nor logs of tasks.
  }

  closeStream(): void {
    this.owner.closeStream(this);
  }

  reply(key: string, message: Message): void {
    this.#questions.answered(key);
    this.#drive((wait, outbox) => wait.answered(key, message, outbox));
  }

  /** A cancelled task stays so for whoever cancelled it, even while the work goes on. */
  #stateOf({ id, value }: Message): Message {
    const state = value as Members;
    const isCancelled = this.#task.isCancelled && state['status'] !== 'cancelled';
    return legacyState(id ?? 'null', isCancelled ? { ...state, status: 'cancelled' } : state);
  }

  #cancelTask(before: Message): void {
    const state = before.value as Members;
    if (isTerminal(state['status'])) {
      const message = `Cannot cancel task in terminal status: ${String(state['status'])}`;
      this.#finish(Message.error(this.id, JSON.stringify({ code: TERMINAL_CODE, message })));
      return;
    }
    const refusal = this.#ask('tasks/cancel', () => {
      this.#task.isCancelled = true;
      this.#finish(this.#stateOf(before));
    });
    if (refusal !== undefined) this.#lose(refusal);
  }

  #beginWait(answer: Message): void {
    const { client, ports } = this.#session;
    const isWrapped = this.#upstream?.wrapsOutput(this.#task.tool) === true;
    this.#wait = new TaskWait(this.#taskId, client, () => ports.random.sessionId(), isWrapped);
    this.#got(answer);
  }

  #got(answer: Message): void {
    const { isCancelled } = this.#task;
    const known = answer.value as Members;
    const seen = isCancelled
      ? Message.result('0', JSON.stringify({ ...known, status: 'cancelled' }))
      : answer;
    this.#drive((wait, outbox) => wait.got(seen, outbox));
  }

  #drive(input: (wait: TaskWait, outbox: TaskWaitOutbox) => void): void {
    if (this.#wait === undefined) return;
    const outbox: TaskWaitOutbox = [];
    input(this.#wait, outbox);
    for (const decision of outbox) this.#do(decision);
  }

  #do(decision: TaskWaitDecision): void {
    switch (decision.do) {
      case 'get':
        this.#poll();
        return;
      case 'wait':
        this.#disarm();
        this.#disarm = this.#session.ports.clock.after(decision.ms, () =>
          this.#drive((wait, outbox) => wait.waited(outbox)),
        );
        return;
      case 'ask':
        this.#question(decision.key, decision.method, decision.params);
        return;
      case 'withdraw':
        this.#questions.withdraw(decision.key);
        return;
      case 'update': {
        const members = [`"inputResponses":${decision.inputResponses}`];
        const then = (): void => this.#drive((wait, outbox) => wait.updated(outbox));
        const refusal = this.#ask('tasks/update', then, members);
        if (refusal !== undefined) this.#lose(refusal);
        return;
      }
      case 'visited':
        this.#questions.visited(decision.elicitationId);
        return;
      case 'finish':
        this.#finish(decision.answer);
        return;
      default:
        this.#finish(failedAcross(this.id, this.method, decision.text));
    }
  }

  #poll(): void {
    const { clock, limits } = this.#session.ports;
    if (clock.now() - this.startedAt >= limits.callMsMax) {
      this.#lose({ error: 'CALL_TIMED_OUT' });
      return;
    }
    const refusal = this.#ask('tasks/get', (answer) => this.#got(answer));
    if (refusal !== undefined) this.#lose(refusal);
  }

  #ask(method: string, then: Then, members: readonly string[] = []): Refusal | undefined {
    this.#then = then;
    const envelope = this.#session.envelope(this.owner, true);
    const upstream = this.#session.upstream();
    if ('error' in upstream) return { ...upstream, id: this.id };
    this.#upstream = upstream;
    const request = taskRequest(method, this.#taskId, envelope, members);
    const outcome = upstream.request(this, request);
    if ('error' in outcome) return { ...outcome, id: this.id };
    this.#upstreamCall = outcome;
    return undefined;
  }

  #question(key: string, method: string, params: string): void {
    if (this.state !== 'waiting') return;
    if (this.#questions.ask(key, method, params)) return;
    this.#abandon();
    this.#finish(failedAcross(this.id, this.method, 'Too many questions wait for this client.'));
  }

  #lose(refusal: Refusal): void {
    if (!this.#end('lost')) return;
    this.#abandon();
    this.owner.lost(this, { ...refusal, id: this.id });
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
    this.#drive((wait, outbox) => wait.abandoned(outbox));
  }
}
