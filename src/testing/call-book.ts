/**
 * A client's account of its requests: each ends once, as answered, refused, cancelled or lost with
 * a reason.
 */
import { canaryOf, progressTotalIn } from './canary.ts';
import type { Ledger } from './ledger.ts';

export type CallEnd = 'answered' | 'failed' | 'refused' | 'cancelled' | 'lost';

export interface SimCall {
  readonly number: number;
  /** The id's JSON token. */
  readonly id: string;
  readonly what: string;
  readonly secret: string;
  end: CallEnd | undefined;
  /** How many responses came, whatever the call had come to. */
  responses: number;
  isCancelled: boolean;
  /** Progress notifications that came. */
  progress: number;
  /** The response named only an id that several calls share, so it may have been another's. */
  isGuess: boolean;
}

export interface JsonRpcResponse {
  readonly result?: { readonly [key: string]: unknown };
  readonly error?: { readonly code: number; readonly message: string };
}

/** The engine's envelope puts the id before the payload. */
const ID = /"id":("(?:[^"\\]|\\.)*"|-?\d+|null)/;

export class CallBook {
  readonly #owner: string;
  readonly #ledger: Ledger;
  readonly #calls: SimCall[] = [];
  #number = 0;

  constructor(owner: string, ledger: Ledger) {
    this.#owner = owner;
    this.#ledger = ledger;
  }

  /** A text that is this client's own and nobody else's. */
  secret(): string {
    this.#number += 1;
    return canaryOf(this.#owner, this.#number);
  }

  open(id: string, what: string, secret: string): SimCall {
    const number = Number(/:(\d+)~$/.exec(secret)?.[1]);
    const call: SimCall = {
      number,
      id,
      what,
      secret,
      end: undefined,
      responses: 0,
      isCancelled: false,
      progress: 0,
      isGuess: false,
    };
    this.#calls.push(call);
    return call;
  }

  find(number: number): SimCall | undefined {
    return this.#calls.find((call) => call.number === number);
  }

  /** All progress comes, and before the answer. */
  checkProgress(call: SimCall, text: string): void {
    const total = progressTotalIn(text);
    if (total === undefined || total === call.progress) return;
    const what = `call ${call.number} was answered after ${call.progress} of ${total} progress`;
    this.#ledger.violate(this.#owner, what);
  }

  /** Every call ever made. */
  get all(): readonly SimCall[] {
    return this.#calls;
  }

  /** Calls without an end. */
  get waiting(): readonly SimCall[] {
    return this.#calls.filter((call) => call.end === undefined);
  }

  /**
   * A response arrived where the answers of `candidates` may come.
   * @returns the call it ends.
   */
  respond(
    response: JsonRpcResponse,
    text: string,
    candidates: readonly SimCall[],
  ): SimCall | undefined {
    const id = ID.exec(text)?.[1] ?? '';
    const call = this.#match(id, text, candidates);
    if (call === undefined) {
      this.#ledger.violate(this.#owner, `a response to nothing asked here: ${text.slice(0, 160)}`);
      return undefined;
    }
    call.responses += 1;
    if (call.responses > 1) this.#ledger.violate(this.#owner, `call ${call.number} answered twice`);
    if (call.end === undefined)
      this.end(call, response.error === undefined ? 'answered' : 'failed');
    if (response.error !== undefined) this.#ledger.count(`error ${response.error.code}`);
    return call;
  }

  end(call: SimCall, end: CallEnd, reason = ''): void {
    if (call.end !== undefined) return;
    call.end = end;
    this.#ledger.count(reason === '' ? end : `${end}: ${reason}`);
    this.#ledger.note(this.#owner, `call ${call.number} ${end} ${reason}`);
  }

  /** The conversation is over: what was not answered will not be. */
  endAll(end: CallEnd, reason: string, calls: readonly SimCall[] = this.waiting): void {
    for (const call of calls) this.end(call, end, reason);
  }

  /** The call whose secret a text holds: what was said in answers to questions is no call's. */
  #callOf(text: string): number | undefined {
    const numbers = Array.from(text.matchAll(new RegExp(`~c:${this.#owner}:(\\d+)~`, 'g')), (own) =>
      Number(own[1]),
    );
    return numbers.find((number) => this.find(number) !== undefined);
  }

  #match(id: string, text: string, candidates: readonly SimCall[]): SimCall | undefined {
    const own = this.#callOf(text);
    if (own === undefined) {
      const named = candidates.filter((call) => call.id === id && call.responses === 0);
      const guessed = named.find((call) => call.end === undefined) ?? named[0];
      if (guessed !== undefined) guessed.isGuess = true;
      return guessed;
    }
    const call = candidates.find((each) => each.number === own);
    if (call !== undefined && call.id !== id) {
      this.#ledger.violate(this.#owner, `call ${call.number} of id ${call.id} answered as ${id}`);
    }
    if (call?.isGuess === true) correctGuess(call, candidates);
    return call;
  }
}

/** A response without a secret was put down to this call, and was another's of the same id. */
function correctGuess(call: SimCall, candidates: readonly SimCall[]): void {
  const same = candidates.filter((each) => each.id === call.id && each.responses === 0);
  const other = same.find((each) => each.end === undefined) ?? same[0];
  if (other === undefined) return;
  Object.assign(other, { end: call.end, responses: 1, isGuess: true });
  Object.assign(call, { end: undefined, responses: 0, isGuess: false });
}
