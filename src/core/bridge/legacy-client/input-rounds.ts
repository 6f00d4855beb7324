/**
 * One request of a legacy client whose server wants more before it can answer: each round's
 * questions are asked, and the request is repeated with the answers, until it has a result.
 *
 * Rules: a round is checked as a whole before anything of it is asked. A refusal of the user is an
 * answer like any other; an error of the client is none. Each retry carries the answers of the last
 * round alone, and the state exactly as it came.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import { DEFAULT_LIMITS, type Limits } from '../../limits.ts';
import type { Message } from '../../protocol/message.ts';
import { readRound, withElicitationId, type InputRequest } from './input-request.ts';
import type { LegacyClient } from './legacy-client.ts';

export const ROUNDS_TRANSITIONS = {
  /** The request is with the server. */
  calling: { ask: 'asking', pause: 'pausing', finish: 'finished' },
  /** Questions are with the client. */
  asking: { retry: 'calling', finish: 'finished' },
  /** The server wants the request again, a little later. */
  pausing: { retry: 'calling', finish: 'finished' },
  finished: {},
} as const;

export type RoundsState = keyof typeof ROUNDS_TRANSITIONS;

export type RoundsDecision =
  /** Put this question to the client. */
  | { readonly do: 'ask'; readonly key: string; readonly method: string; readonly params?: string }
  /** The client need not answer this one any more. */
  | { readonly do: 'withdraw'; readonly key: string }
  /** Repeat the request with these members. */
  | { readonly do: 'retry'; readonly members: readonly string[] }
  /** Call `waited` or `expired` after this many milliseconds, unless the state changed. */
  | { readonly do: 'wait'; readonly ms: number }
  /** What the user did on this page is complete. */
  | { readonly do: 'visited'; readonly elicitationId: string }
  /** The request cannot be answered, and why. */
  | { readonly do: 'fail'; readonly text: string };

export type RoundsOutbox = RoundsDecision[];

/** The first pause of a round without questions; it doubles with each round. */
const PAUSE_MS = 250;

export type InputLimits = Pick<Limits, 'bridgedRoundsMax' | 'parkedMsMax'>;

export class InputRounds {
  state: RoundsState = 'calling';
  readonly #method: string;
  readonly #client: LegacyClient;
  /** An id for each page the user is sent to. */
  readonly #elicitationId: () => string;
  readonly #limits: InputLimits;
  #count = 0;
  #requestState: string | undefined;
  #open = new Set<string>();
  /** Answers by the server's names, as member texts. */
  #answers: string[] = [];
  #pages: string[] = [];

  /** @param limits - how often a request may come back with questions, and for how long. */
  constructor(
    method: string,
    client: LegacyClient,
    elicitationId: () => string,
    limits: InputLimits = DEFAULT_LIMITS,
  ) {
    this.#limits = limits;
    this.#method = method;
    this.#client = client;
    this.#elicitationId = elicitationId;
  }

  /** The server answered that it needs input. */
  required(message: Message, outbox: RoundsOutbox): void {
    if (this.state !== 'calling') return;
    this.#count += 1;
    const { bridgedRoundsMax, parkedMsMax } = this.#limits;
    if (this.#count > bridgedRoundsMax) {
      this.#fail(`The server asked for input more than ${bridgedRoundsMax} times.`, outbox);
      return;
    }
    const round = readRound(message, this.#method, this.#client);
    if ('fault' in round) {
      this.#fail(round.fault, outbox);
      return;
    }
    this.#requestState = round.requestState;
    this.#answers = [];
    if (round.requests.length === 0) {
      this.state = ROUNDS_TRANSITIONS.calling.pause;
      outbox.push({ do: 'wait', ms: PAUSE_MS * 2 ** (this.#count - 1) });
      return;
    }
    this.state = ROUNDS_TRANSITIONS.calling.ask;
    this.#open = new Set(round.requests.map(({ key }) => key));
    outbox.push({ do: 'wait', ms: parkedMsMax });
    for (const request of round.requests) outbox.push(this.#asked(request));
  }

  /** The client answered the question of this name. */
  answered(key: string, message: Message, outbox: RoundsOutbox): void {
    if (this.state !== 'asking' || !this.#open.delete(key)) return;
    if (message.isError) {
      const { message: said } = message.value as { readonly message?: unknown };
      const reason = typeof said === 'string' ? said : 'without a reason';
      this.#fail(`The client did not answer what the server asked for: ${reason}`, outbox);
      return;
    }
    this.#answers.push(`${JSON.stringify(key)}:${message.payload ?? '{}'}`);
    if (this.#open.size > 0) return;
    this.state = ROUNDS_TRANSITIONS.asking.retry;
    outbox.push({ do: 'retry', members: this.#members() });
  }

  /** The time of the last `wait` is over. */
  waited(outbox: RoundsOutbox): void {
    if (this.state === 'asking') {
      const minutes = this.#limits.parkedMsMax / 60_000;
      this.#fail(`The client did not answer within ${minutes} minutes.`, outbox);
    } else if (this.state === 'pausing') {
      this.state = ROUNDS_TRANSITIONS.pausing.retry;
      outbox.push({ do: 'retry', members: this.#members() });
    }
  }

  /** The server answered for good: the pages it sent the user to have served their purpose. */
  completed(outbox: RoundsOutbox): void {
    if (this.state === 'finished') return;
    for (const elicitationId of this.#pages) outbox.push({ do: 'visited', elicitationId });
    this.#finish(outbox);
  }

  /** Nobody waits for the answer any more, or none can come. */
  abandoned(outbox: RoundsOutbox): void {
    if (this.state !== 'finished') this.#finish(outbox);
  }

  #asked({ key, method, params, isUrl }: InputRequest): RoundsDecision {
    if (!isUrl || params === undefined) {
      return params === undefined ? { do: 'ask', key, method } : { do: 'ask', key, method, params };
    }
    const elicitationId = this.#elicitationId();
    this.#pages.push(elicitationId);
    return { do: 'ask', key, method, params: withElicitationId(params, elicitationId) };
  }

  #members(): readonly string[] {
    const members: string[] = [];
    if (this.#answers.length > 0) members.push(`"inputResponses":{${this.#answers.join(',')}}`);
    if (this.#requestState !== undefined) members.push(`"requestState":${this.#requestState}`);
    return members;
  }

  #fail(text: string, outbox: RoundsOutbox): void {
    this.#finish(outbox);
    outbox.push({ do: 'fail', text });
  }

  #finish(outbox: RoundsOutbox): void {
    for (const key of this.#open) outbox.push({ do: 'withdraw', key });
    this.#open.clear();
    this.#answers = [];
    this.#pages = [];
    this.state = 'finished';
  }
}
