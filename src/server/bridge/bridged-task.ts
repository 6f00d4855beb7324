/**
 * One task at a server of 2025-11-25, made for a 2026 client: its state is asked for when the
 * client asks; what it needs and what it ends with come on one `tasks/result` of ours, which stays
 * open for as long as it takes.
 */
import {
  covers,
  isQuestionMethod,
  requiredBy,
  type ClientCapabilities,
  type QuestionMethod,
} from '../../core/bridge/modern-client/client-capabilities.ts';
import {
  inputRequestOf,
  isAnswer,
  readAnswers,
} from '../../core/bridge/modern-client/input-request.ts';
import { toModernError } from '../../core/bridge/modern-client/modern-error.ts';
import type { LegacyServer } from '../../core/bridge/modern-client/modern-result.ts';
import {
  acknowledgment,
  modernState,
  modernStateResult,
} from '../../core/bridge/modern-client/task-result.ts';
import type { Members } from '../../core/bridge/tasks/task-words.ts';
import type { ErrorCode, Refusal } from '../../core/errors.ts';
import { Message } from '../../core/protocol/message.ts';
import type { Instance } from '../instance.ts';
import type { UpstreamCall } from '../upstream-call.ts';
import { refuseQuestion } from '../refuse-question.ts';

/** The upstream session a task lives on. */
export interface TaskHome {
  readonly instance: Instance;
  readonly capabilities: ClientCapabilities;
  readonly server: LegacyServer | undefined;
  readonly isDown: boolean;
}

type Outcome = Message | Refusal;

interface Question {
  readonly upstreamId: string;
  readonly method: QuestionMethod;
  /** The entry of `inputRequests`. */
  readonly text: string;
}

/** Whoever waits for what belongs to a state. */
interface Waiter {
  readonly isWanted: () => boolean;
  readonly wake: (failure: Refusal | undefined) => void;
}

/** Questions that may be open at once. */
const QUESTIONS_MAX = 32;
const INVALID_PARAMS = -32602;

/** What a task is called. */
export interface TaskIds {
  /** By its client. */
  readonly own: string;
  /** By its server: another session may have one of the same. */
  readonly upstream: string;
}

export class BridgedTask {
  readonly ids: TaskIds;
  /** On the endpoint's clock. */
  readonly expiresAt: number;
  /** Whether the server may have more to say of it. */
  isLiving = true;
  readonly #home: TaskHome;
  readonly #changed: (task: BridgedTask, state: string) => void;
  readonly #questions = new Map<string, Question>();
  readonly #keys = new Set<string>();
  #asked = 0;
  #stream: UpstreamCall | undefined;
  #isStreaming = false;
  #ending: Message | undefined;
  #waiters: Waiter[] = [];
  /** Whether the server reported the end, and what belongs to it is waited for. */
  #isEndReported = false;

  /** @param changed - told of every state the server reports by itself, as JSON text. */
  constructor(
    home: TaskHome,
    ids: TaskIds,
    expiresAt: number,
    changed: (task: BridgedTask, state: string) => void,
  ) {
    this.#home = home;
    this.ids = ids;
    this.expiresAt = expiresAt;
    this.#changed = changed;
  }

  /** The answer to `tasks/get`. @param isWanted - whether anybody still waits for it. */
  get(done: (outcome: Outcome) => void, isWanted: () => boolean): void {
    this.#ask('tasks/get', (answer) => {
      if ('error' in answer) done(answer);
      else if (answer.isError) done(toModernError(answer, undefined));
      else {
        this.#describe(answer.value as Members, isWanted, (state) => {
          const isState = typeof state === 'string';
          done(isState ? modernStateResult(state, this.#infoText) : state);
        });
      }
    });
  }

  /** The answer to `tasks/update`; answers nobody waits for are ignored. */
  update(inputResponses: unknown, done: (outcome: Outcome) => void): void {
    for (const [key, answer] of readAnswers(inputResponses)) {
      const question = this.#questions.get(key);
      if (question === undefined || !isAnswer(question.method, answer)) continue;
      this.#questions.delete(key);
      this.#home.instance.tell(Message.result(question.upstreamId, JSON.stringify(answer)));
    }
    done(acknowledgment(this.#infoText));
  }

  /** The answer to `tasks/cancel`: a task that is over already is no error here. */
  cancel(done: (outcome: Outcome) => void): void {
    this.#ask('tasks/cancel', (answer) => {
      if ('error' in answer) {
        done(answer);
        return;
      }
      const { code } = answer.value as { readonly code?: unknown };
      const isFault = answer.isError && code !== INVALID_PARAMS;
      done(isFault ? toModernError(answer, undefined) : acknowledgment(this.#infoText));
    });
  }

  /** A question of the server that is marked with this task. */
  asked(message: Message): void {
    const { method, value } = message;
    const upstreamId = message.id ?? 'null';
    if (!isQuestionMethod(method) || !covers(this.#home.capabilities, requiredBy(method, value))) {
      this.#refuse(upstreamId, 'METHOD_NOT_FOUND');
      return;
    }
    if (this.#questions.size >= QUESTIONS_MAX) {
      this.#refuse(upstreamId, 'TOO_MANY_REQUESTS');
      return;
    }
    this.#asked += 1;
    const isTaken = (key: string): boolean => this.#keys.has(key);
    const { key, text } = inputRequestOf(method, value, this.#asked, isTaken);
    this.#keys.add(key);
    this.#questions.set(key, { upstreamId, method, text });
    this.#wake(undefined);
  }

  /** The server takes a question back. @returns whether it was one of this task. */
  withdrawn(upstreamId: string): boolean {
    for (const [key, question] of this.#questions) {
      if (question.upstreamId === upstreamId) return this.#questions.delete(key);
    }
    return false;
  }

  /** `notifications/tasks/status`: a server may say that it is over as often as it likes. */
  notified(message: Message): void {
    const task = (message.value ?? {}) as Members;
    const isEnd = hasEnding(task);
    if (isEnd && this.#isEndReported) return;
    if (isEnd) this.#isEndReported = true;
    const isWanted = (): boolean => true;
    this.#describe(task, isWanted, (state) => {
      if (isEnd) this.#isEndReported = false;
      if (typeof state === 'string') this.#changed(this, state);
    });
  }

  /** Nobody can ask for it any more. */
  end(): void {
    this.isLiving = false;
    for (const { upstreamId } of this.#questions.values()) this.#refuse(upstreamId, 'CLIENT_GONE');
    this.#questions.clear();
    if (this.#stream !== undefined) this.#home.instance.cancel(this.#stream, 'nobody waits');
    this.#stream = undefined;
    this.#wake({ error: 'UPSTREAM_UNAVAILABLE' });
  }

  /** The state with what belongs to it: waits for what the server has not sent yet. */
  #describe(task: Members, isWanted: () => boolean, done: (state: string | Refusal) => void): void {
    const { status } = task;
    const isOver = hasEnding(task);
    if (isOver || status === 'cancelled') this.isLiving = false;
    const needsMore = isOver || (status === 'input_required' && this.#questions.size === 0);
    if (!needsMore || this.#ending !== undefined) {
      done(this.#worded(task));
      return;
    }
    if (isOver) {
      this.#wait({ isWanted, wake: (failure) => done(failure ?? this.#worded(task)) });
      return;
    }
    // The questions are on their way: the next look finds them, if this one does not.
    const { clock, limits } = this.#home.instance.ports;
    const finish = (): void => {
      disarm();
      this.#waiters = this.#waiters.filter((each) => each !== waiter);
      done(this.#worded(task));
    };
    const disarm = clock.after(limits.askWindowMs, finish);
    const waiter: Waiter = { isWanted, wake: finish };
    this.#wait(waiter);
  }

  /** Clients that left wait no more, however long the server takes. */
  #wait(waiter: Waiter): void {
    this.#waiters = this.#waiters.filter(({ isWanted }) => isWanted());
    this.#waiters.push(waiter);
    this.#openStream();
  }

  #worded(task: Members): string {
    const entries = [...this.#questions].map(([key, { text }]) => `${JSON.stringify(key)}:${text}`);
    const inputRequests = entries.length === 0 ? undefined : `{${entries.join(',')}}`;
    const named = { ...task, taskId: this.ids.own };
    return modernState(named, { ending: this.#ending, inputRequests, infoText: this.#infoText });
  }

  get #infoText(): string {
    return this.#home.server?.infoText ?? '';
  }

  #openStream(): void {
    if (this.#isStreaming) return;
    this.#isStreaming = true;
    this.#stream = this.#ask('tasks/result', (answer) => {
      this.#isStreaming = false;
      this.#stream = undefined;
      if (!('error' in answer)) this.#ending = answer;
      this.#wake('error' in answer ? answer : undefined);
    });
  }

  #wake(failure: Refusal | undefined): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { wake } of waiters) wake(failure);
  }

  #ask(method: string, done: (answer: Outcome) => void): UpstreamCall | undefined {
    if (this.#home.isDown) {
      done({ error: 'UPSTREAM_UNAVAILABLE' });
      return undefined;
    }
    return this.#home.instance.ask(method, JSON.stringify({ taskId: this.ids.upstream }), done);
  }

  #refuse(upstreamId: string, error: ErrorCode): void {
    this.#home.instance.tell(refuseQuestion(upstreamId, { error }));
  }
}

/** Whether there is more to it than the state: its result, or its error. */
function hasEnding({ status }: Members): boolean {
  return status === 'completed' || status === 'failed';
}
