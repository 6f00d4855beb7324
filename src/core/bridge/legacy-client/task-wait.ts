/**
 * A `tasks/result` of a legacy client over the tasks extension, which has no such method: the state
 * is asked for until it is final, and what the task needs on the way is asked of the client.
 *
 * Rules: a question is put to the client once, however often the server names it; its answers go up
 * together. The server's own interval is kept, within bounds.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks#retrieving-task-results
 */
import type { Message } from '../../protocol/message.ts';
import { readRound, withElicitationId, type InputRequest } from './input-request.ts';
import type { LegacyClient } from './legacy-client.ts';
import { isMembers, type Members } from '../tasks/task-words.ts';
import { finalAnswer, relatedToTask } from './task-result.ts';

export const TASK_WAIT_TRANSITIONS = {
  /** The state was asked for. */
  getting: { pause: 'pausing', ask: 'asking', finish: 'finished' },
  /** Until the state is asked for again. */
  pausing: { get: 'getting', finish: 'finished' },
  /** Questions are with the client. */
  asking: { update: 'updating', finish: 'finished' },
  /** The answers are on their way to the server. */
  updating: { pause: 'pausing', finish: 'finished' },
  finished: {},
} as const;

export type TaskWaitState = keyof typeof TASK_WAIT_TRANSITIONS;

export type TaskWaitDecision =
  /** Send `tasks/get`, and give its answer to `got`. */
  | { readonly do: 'get' }
  /** Call `waited` after this many milliseconds, unless the state changed. */
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'ask'; readonly key: string; readonly method: string; readonly params: string }
  /** The client need not answer this one any more. */
  | { readonly do: 'withdraw'; readonly key: string }
  /** Send `tasks/update` with this JSON text, and call `updated` with its answer. */
  | { readonly do: 'update'; readonly inputResponses: string }
  /** What the user did on this page is complete. */
  | { readonly do: 'visited'; readonly elicitationId: string }
  /** Answer the request with this. */
  | { readonly do: 'finish'; readonly answer: Message }
  /** The result cannot be waited for, and why. */
  | { readonly do: 'fail'; readonly text: string };

export type TaskWaitOutbox = TaskWaitDecision[];

/** The interval where the server names none, and its bounds; milliseconds. */
const INTERVAL_MS = 1000;
const INTERVAL_MS_MIN = 50;
const INTERVAL_MS_MAX = 60_000;
/** How soon a task is looked at again after its questions were answered. */
const ANSWERED_MS = 50;
/** How long the client has for questions: people answer them. */
const ASKING_MS_MAX = 600_000;

export class TaskWait {
  state: TaskWaitState = 'getting';
  readonly #taskId: string;
  readonly #client: LegacyClient;
  readonly #elicitationId: () => string;
  readonly #isOutputWrapped: boolean;
  readonly #known = new Set<string>();
  #open = new Set<string>();
  #answers: string[] = [];
  #pages: string[] = [];

  constructor(
    taskId: string,
    client: LegacyClient,
    elicitationId: () => string,
    isOutputWrapped: boolean,
  ) {
    this.#taskId = taskId;
    this.#client = client;
    this.#elicitationId = elicitationId;
    this.#isOutputWrapped = isOutputWrapped;
  }

  begin(outbox: TaskWaitOutbox): void {
    outbox.push({ do: 'get' });
  }

  /** The server's answer to `tasks/get`, no error. */
  got(message: Message, outbox: TaskWaitOutbox): void {
    if (this.state !== 'getting') return;
    const answer = finalAnswer(message, this.#taskId, this.#isOutputWrapped);
    if (answer !== undefined) {
      for (const elicitationId of this.#pages) outbox.push({ do: 'visited', elicitationId });
      this.#finish(outbox);
      outbox.push({ do: 'finish', answer });
      return;
    }
    const { status, pollIntervalMs } = message.value as Members;
    if (status === 'input_required' && this.#ask(message, outbox)) return;
    this.state = TASK_WAIT_TRANSITIONS.getting.pause;
    outbox.push({ do: 'wait', ms: intervalOf(pollIntervalMs) });
  }

  /** The client answered the question of this name. */
  answered(key: string, message: Message, outbox: TaskWaitOutbox): void {
    if (this.state !== 'asking' || !this.#open.delete(key)) return;
    if (message.isError) {
      this.#fail('The client did not answer what the task asked for.', outbox);
      return;
    }
    this.#answers.push(`${JSON.stringify(key)}:${message.payload ?? '{}'}`);
    if (this.#open.size > 0) return;
    this.state = TASK_WAIT_TRANSITIONS.asking.update;
    outbox.push({ do: 'update', inputResponses: `{${this.#answers.join(',')}}` });
    this.#answers = [];
  }

  /** The server has the answers. */
  updated(outbox: TaskWaitOutbox): void {
    if (this.state !== 'updating') return;
    this.state = TASK_WAIT_TRANSITIONS.updating.pause;
    outbox.push({ do: 'wait', ms: ANSWERED_MS });
  }

  /** The time of the last `wait` is over. */
  waited(outbox: TaskWaitOutbox): void {
    if (this.state === 'asking') {
      this.#fail('The client did not answer in time.', outbox);
    } else if (this.state === 'pausing') {
      this.state = TASK_WAIT_TRANSITIONS.pausing.get;
      outbox.push({ do: 'get' });
    }
  }

  /** Nobody waits for the result any more, or none can come. */
  abandoned(outbox: TaskWaitOutbox): void {
    if (this.state !== 'finished') this.#finish(outbox);
  }

  /** @returns whether there is anything new to ask. */
  #ask(message: Message, outbox: TaskWaitOutbox): boolean {
    const { inputRequests } = message.value as Members;
    if (!isMembers(inputRequests) || Object.keys(inputRequests).length === 0) return false;
    const round = readRound(message, 'tools/call', this.#client);
    if ('fault' in round) {
      this.#fail(round.fault, outbox);
      return true;
    }
    const fresh = round.requests.filter(({ key }) => !this.#known.has(key));
    if (fresh.length === 0) return false;
    this.state = TASK_WAIT_TRANSITIONS.getting.ask;
    this.#open = new Set(fresh.map(({ key }) => key));
    outbox.push({ do: 'wait', ms: ASKING_MS_MAX });
    for (const request of fresh) {
      this.#known.add(request.key);
      outbox.push(this.#question(request));
    }
    return true;
  }

  #question({ key, method, params, isUrl }: InputRequest): TaskWaitDecision {
    const related = relatedToTask(params, this.#taskId);
    if (!isUrl) return { do: 'ask', key, method, params: related };
    const elicitationId = this.#elicitationId();
    this.#pages.push(elicitationId);
    return { do: 'ask', key, method, params: withElicitationId(related, elicitationId) };
  }

  #fail(text: string, outbox: TaskWaitOutbox): void {
    this.#finish(outbox);
    outbox.push({ do: 'fail', text });
  }

  #finish(outbox: TaskWaitOutbox): void {
    for (const key of this.#open) outbox.push({ do: 'withdraw', key });
    this.#open.clear();
    this.#answers = [];
    this.#pages = [];
    this.state = 'finished';
  }
}

function intervalOf(pollIntervalMs: unknown): number {
  if (typeof pollIntervalMs !== 'number') return INTERVAL_MS;
  return Math.min(INTERVAL_MS_MAX, Math.max(INTERVAL_MS_MIN, pollIntervalMs));
}
