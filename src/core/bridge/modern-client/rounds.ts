/**
 * One call upstream that may ask its client something, told in rounds: the client's request is
 * ended with the questions, and its retry joins the same call again with the answers.
 *
 * Rules: questions that come close together go out together; a question is answered once; nothing
 * of the call is told after its result, and the result never before what came earlier. What comes
 * while no client is joined waits, within a bound. Every way out leaves no question open upstream.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import type { ErrorCode, Refusal } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import type { Message } from '../../protocol/message.ts';
import type { QuestionMethod } from './client-capabilities.ts';
import { inputRequestOf, isAnswer, type InputRequest } from './input-request.ts';

export const ROUNDS_TRANSITIONS = {
  /** A client is joined; upstream works. */
  running: { ask: 'asking', end: 'ended' },
  /** A client is joined; further questions are waited for, for a moment. */
  asking: { park: 'parked', resolve: 'running', end: 'ended' },
  /** No client is joined: it went to find the answers. */
  parked: { join: 'running', settle: 'settled', end: 'ended' },
  /** Upstream is done, and nobody was there to hear it. */
  settled: { end: 'ended' },
  ended: {},
} as const;

export type RoundsState = keyof typeof ROUNDS_TRANSITIONS;

/** How upstream ended the call. */
export type CallEnd = Message | Refusal;

export type RoundsDecision =
  | { readonly do: 'answer'; readonly upstreamId: string; readonly result: string }
  | { readonly do: 'refuse'; readonly upstreamId: string; readonly error: ErrorCode }
  | { readonly do: 'deliver'; readonly message: Message }
  /** End the client's request with these questions, as JSON text of `inputRequests`. */
  | {
      readonly do: 'ask';
      readonly inputRequests: string;
      readonly round: number;
      readonly expiresAt: number;
    }
  | { readonly do: 'finish'; readonly end: CallEnd }
  /** Nobody will come back for it: upstream is told to stop. */
  | { readonly do: 'abandon' };

export type RoundsLimits = Pick<
  Limits,
  'bridgedRoundsMax' | 'parkedMsMax' | 'parkedNoticesMax' | 'askWindowMs'
>;

export class Rounds {
  state: RoundsState = 'running';
  /** The round that was last asked; a retry of an earlier one is stale. */
  round: number;
  readonly #limits: RoundsLimits;
  readonly #questions = new Map<string, InputRequest>();
  readonly #keys = new Set<string>();
  readonly #notices: Message[] = [];
  /** Answers the client sent before it was asked. */
  #offered: Answers;
  #end: CallEnd | undefined;
  #deadline = Infinity;
  #asked = 0;

  /** @param round - rounds that were spent on this request before the call upstream was made. */
  constructor(limits: RoundsLimits, offered: Answers, round = 0) {
    this.#limits = limits;
    this.#offered = offered;
    this.round = round;
  }

  /** When `tick` is due. */
  get nextDeadline(): number {
    return this.#deadline;
  }

  get isJoined(): boolean {
    return this.state === 'running' || this.state === 'asking';
  }

  /** Upstream asks. */
  asked(
    upstreamId: string,
    method: QuestionMethod,
    params: unknown,
    now: number,
    outbox: RoundsDecision[],
  ): void {
    if (this.state === 'settled' || this.state === 'ended') {
      outbox.push({ do: 'refuse', upstreamId, error: 'NO_ORIGINATING_REQUEST' });
      return;
    }
    this.#asked += 1;
    const question = inputRequestOf(method, params, this.#asked, (key) => this.#keys.has(key));
    this.#keys.add(question.key);
    const offered = this.#offered.get(question.key);
    if (offered !== undefined && isAnswer(method, offered)) {
      outbox.push({ do: 'answer', upstreamId, result: JSON.stringify(offered) });
      return;
    }
    if (this.round >= this.#limits.bridgedRoundsMax && this.state !== 'parked') {
      outbox.push({ do: 'refuse', upstreamId, error: 'TOO_MANY_ROUNDS' });
      return;
    }
    this.#questions.set(upstreamId, question);
    if (this.state !== 'running') return;
    this.state = ROUNDS_TRANSITIONS.running.ask;
    this.#deadline = now + this.#limits.askWindowMs;
  }

  /** Upstream takes a question back. */
  withdrawn(upstreamId: string): void {
    if (!this.#questions.delete(upstreamId)) return;
    if (this.state === 'asking' && this.#questions.size === 0) this.#resume();
  }

  /** Whether a question of this id is open. */
  isOpen(upstreamId: string): boolean {
    return this.#questions.has(upstreamId);
  }

  /** Upstream tells something about the call. */
  noticed(message: Message, outbox: RoundsDecision[]): void {
    if (this.isJoined) outbox.push({ do: 'deliver', message });
    else if (this.state === 'parked') this.#keep(message);
  }

  /** Upstream answered the call, or was lost. */
  settled(end: CallEnd, outbox: RoundsDecision[]): void {
    if (this.state === 'parked') {
      this.state = ROUNDS_TRANSITIONS.parked.settle;
      this.#end = end;
      this.#refuseAll('NO_ORIGINATING_REQUEST', outbox);
      return;
    }
    if (!this.isJoined) return;
    this.#finish('NO_ORIGINATING_REQUEST', outbox);
    outbox.push({ do: 'finish', end });
  }

  /**
   * A retry joins the call.
   * @returns false when it is not the retry that is waited for.
   */
  joined(round: number, answers: Answers, now: number, outbox: RoundsDecision[]): boolean {
    const isAwaited = this.state === 'parked' || this.state === 'settled';
    if (!isAwaited || round !== this.round) return false;
    for (const message of this.#notices.splice(0)) outbox.push({ do: 'deliver', message });
    if (this.#end !== undefined) {
      const end = this.#end;
      this.#finish('NO_ORIGINATING_REQUEST', outbox);
      outbox.push({ do: 'finish', end });
      return true;
    }
    this.state = ROUNDS_TRANSITIONS.parked.join;
    this.#deadline = Infinity;
    this.#offered = answers;
    for (const [upstreamId, { key, method }] of this.#questions) {
      const answer = answers.get(key);
      if (answer === undefined || !isAnswer(method, answer)) continue;
      this.#questions.delete(upstreamId);
      outbox.push({ do: 'answer', upstreamId, result: JSON.stringify(answer) });
    }
    if (this.#questions.size > 0) this.#askAgain(now, outbox);
    return true;
  }

  /** The joined client went away: nobody hears the answer, so nobody needs it. */
  left(outbox: RoundsDecision[]): void {
    if (!this.isJoined) return;
    this.#finish('CLIENT_GONE', outbox);
    outbox.push({ do: 'abandon' });
  }

  /** Whatever is due. @param hasRoom - whether one more call may be parked. */
  tick(now: number, hasRoom: boolean, outbox: RoundsDecision[]): void {
    if (now < this.#deadline) return;
    if (this.state === 'asking') {
      if (hasRoom) {
        this.#park(now, outbox);
        return;
      }
      this.#refuseAll('TOO_MANY_REQUESTS', outbox);
      this.#resume();
      return;
    }
    const isRunningUpstream = this.state === 'parked';
    this.#finish('CLIENT_GONE', outbox);
    if (isRunningUpstream) outbox.push({ do: 'abandon' });
  }

  #askAgain(now: number, outbox: RoundsDecision[]): void {
    if (this.round >= this.#limits.bridgedRoundsMax) {
      this.#refuseAll('TOO_MANY_ROUNDS', outbox);
      return;
    }
    this.state = ROUNDS_TRANSITIONS.running.ask;
    this.#deadline = now + this.#limits.askWindowMs;
  }

  #park(now: number, outbox: RoundsDecision[]): void {
    this.state = ROUNDS_TRANSITIONS.asking.park;
    this.round += 1;
    this.#offered = NO_ANSWERS;
    this.#deadline = now + this.#limits.parkedMsMax;
    const entries = [...this.#questions.values()].map(
      ({ key, text }) => `${JSON.stringify(key)}:${text}`,
    );
    const inputRequests = `{${entries.join(',')}}`;
    outbox.push({ do: 'ask', inputRequests, round: this.round, expiresAt: this.#deadline });
  }

  #resume(): void {
    this.state = ROUNDS_TRANSITIONS.asking.resolve;
    this.#deadline = Infinity;
  }

  #finish(error: ErrorCode, outbox: RoundsDecision[]): void {
    this.state = 'ended';
    this.#deadline = Infinity;
    this.#notices.length = 0;
    this.#refuseAll(error, outbox);
  }

  #refuseAll(error: ErrorCode, outbox: RoundsDecision[]): void {
    for (const upstreamId of this.#questions.keys()) {
      outbox.push({ do: 'refuse', upstreamId, error });
    }
    this.#questions.clear();
  }

  /** Progress is worth least: a later report says all that an earlier one said. */
  #keep(message: Message): void {
    const { parkedNoticesMax } = this.#limits;
    if (this.#notices.length >= parkedNoticesMax) {
      const isProgress = (each: Message): boolean => each.method === 'notifications/progress';
      const oldest = this.#notices.findIndex(isProgress);
      this.#notices.splice(Math.max(0, oldest), 1);
    }
    this.#notices.push(message);
  }
}

/** A client's answers by key. */
export type Answers = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

export const NO_ANSWERS: Answers = new Map();
