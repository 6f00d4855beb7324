/**
 * Requests in flight at one upstream, under numbers of ours. A call ends exactly once: answered,
 * cancelled, refused or lost. An answer finds its owner here and nowhere else; there is no path
 * that broadcasts one.
 */
import { NumberTable } from '../number-table.ts';

export const CALL_TRANSITIONS = {
  waiting: { answer: 'answered', cancel: 'cancelled', refuse: 'refused', lose: 'lost' },
  answered: {},
  cancelled: {},
  refused: {},
  lost: {},
} as const;

/** A request that stays open for as long as its client listens. */
export const LISTEN = 'subscriptions/listen';

export type CallState = keyof typeof CALL_TRANSITIONS;

export interface Call<Owner> {
  readonly number: number;
  readonly owner: Owner;
  /** The client's id, as the token it came as. */
  readonly id: string;
  readonly method: string;
  /** The client's progress token, as the token it came as. */
  readonly progressToken: string | undefined;
  readonly startedAt: number;
  state: CallState;
  /** The last progress value relayed: the next one must be larger. */
  progress: number;
}

export class Pending<Owner> {
  readonly #calls = new NumberTable<Call<Owner>>();
  readonly #max: number;
  #next = 1;
  #listenCount = 0;
  /** Numbers of questions of ours, which cause nothing that is anybody's. */
  readonly #aside = new Set<number>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** The same without listen streams, which nobody waits for. */
  get callCount(): number {
    return this.#calls.size - this.#listenCount;
  }

  /** How many more there may be. */
  get room(): number {
    return this.#max - this.#calls.size;
  }

  /** Undefined when the bound is met. */
  begin(
    owner: Owner,
    id: string,
    method: string,
    progressToken: string | undefined,
    now: number,
  ): Call<Owner> | undefined {
    if (this.room <= 0) return undefined;
    const number = this.#next;
    this.#next += 1;
    const call: Call<Owner> = {
      number,
      owner,
      id,
      method,
      progressToken,
      startedAt: now,
      state: 'waiting',
      progress: -Infinity,
    };
    this.#calls.add(call);
    if (method === LISTEN) this.#listenCount += 1;
    return call;
  }

  /** It is never taken for what caused a message. */
  setAside(call: Call<Owner>): void {
    this.#aside.add(call.number);
  }

  /** The call an upstream token (`"7"` is not `7`) names, while it waits. */
  find(token: string | undefined): Call<Owner> | undefined {
    if (token === undefined) return undefined;
    const number = Number(token);
    return String(number) === token ? this.#calls.find(number) : undefined;
  }

  /** Ends a call; false if it had ended before. */
  end(call: Call<Owner>, input: keyof (typeof CALL_TRANSITIONS)['waiting']): boolean {
    if (call.state !== 'waiting') return false;
    call.state = CALL_TRANSITIONS.waiting[input];
    this.#calls.delete(call.number);
    if (call.method === LISTEN) this.#listenCount -= 1;
    if (this.#aside.size > 0) this.#aside.delete(call.number);
    return true;
  }

  /**
   * The one call in flight, if there is exactly one; a listen stream is no call that could have
   * caused anything.
   */
  get sole(): Call<Owner> | undefined {
    let sole: Call<Owner> | undefined;
    const isOneMore = (call: Call<Owner>): boolean => {
      if (call.method === LISTEN || this.#aside.has(call.number)) return false;
      if (sole !== undefined) return true;
      sole = call;
      return false;
    };
    return this.#calls.some(isOneMore) ? undefined : sole;
  }

  /** Calls begun before `time`, oldest first; listen streams may be as old as they like. */
  startedBefore(time: number): readonly Call<Owner>[] {
    return this.#calls.where(({ startedAt, method }) => startedAt < time && method !== LISTEN);
  }

  /** All calls in flight, oldest first; a copy, so that they may be ended while walking. */
  all(): readonly Call<Owner>[] {
    return this.#calls.where(() => true);
  }
}
