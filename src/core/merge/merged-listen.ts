/**
 * One client's listen over those of several servers.
 *
 * Rules: it is acknowledged once, when every server asked has answered or the wait is over; what a
 * server tells before that is told right after it. Changes of lists are always honoured: servers
 * come and go. A resource is honoured if a server that was asked in time honours it. A listen that
 * was lost is opened again, and everything of its server reported as changed.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { type Filter, isEmptyFilter, wants } from '../sessions/subscription.ts';
import { type Change, changeMethod, changesOf } from './change.ts';

export const PART_TRANSITIONS = {
  /** Sent; the server has not acknowledged it. */
  asked: { acknowledge: 'listening', end: 'ended' },
  listening: { end: 'ended' },
  ended: { ask: 'asked' },
} as const;

export type PartState = keyof typeof PART_TRANSITIONS;

interface Part {
  state: PartState;
  readonly filter: Filter;
  honoured: Filter | undefined;
  /** Whether changes may have been missed since the server was heard last. */
  isOwed: boolean;
}

export type ListenDecision =
  | { readonly do: 'listen'; readonly server: string; readonly filter: Filter }
  | { readonly do: 'unlisten'; readonly server: string }
  /** Call `again` for this server a little later. */
  | { readonly do: 'reopen-later'; readonly server: string }
  | { readonly do: 'acknowledge'; readonly honoured: Filter }
  | { readonly do: 'tell'; readonly change: Change };

export class MergedListen {
  readonly #filter: Filter;
  readonly #parts = new Map<string, Part>();
  readonly #uris = new Set<string>();
  #isAcknowledged = false;
  /** Told before the acknowledgment, by what they say: the same twice is once. */
  readonly #early = new Map<string, Change>();

  constructor(filter: Filter) {
    this.#filter = filter;
  }

  /** The servers concerned, each with its share of the filter, which may be empty. */
  begin(shares: ReadonlyMap<string, Filter>, outbox: ListenDecision[]): void {
    for (const [server, share] of shares) this.#ask(server, share, false, outbox);
    this.#settle(outbox);
  }

  /**
   * A server can be asked that could not before. What its share covers is reported as changed once
   * its listen is in place, so that nothing falls between the two.
   */
  joined(server: string, share: Filter, outbox: ListenDecision[]): void {
    const part = this.#parts.get(server);
    if (part === undefined || part.state === 'ended') this.#ask(server, share, true, outbox);
    else if (part.state === 'listening') {
      for (const change of changesOf(share)) this.changed(change, outbox);
    }
  }

  /** A server is no more. */
  left(server: string, outbox: ListenDecision[]): void {
    const part = this.#parts.get(server);
    if (part === undefined) return;
    this.#parts.delete(server);
    if (part.state !== 'ended') outbox.push({ do: 'unlisten', server });
    this.#settle(outbox);
  }

  acknowledged(server: string, honoured: Filter, outbox: ListenDecision[]): void {
    const part = this.#parts.get(server);
    if (part?.state !== 'asked') return;
    part.state = PART_TRANSITIONS.asked.acknowledge;
    part.honoured = honoured;
    if (!this.#isAcknowledged) for (const uri of honoured.uris) this.#uris.add(uri);
    this.#pay(part, outbox);
    this.#settle(outbox);
  }

  /**
   * A server's listen is over, by its end or by a failure.
   * @param isFinal - whether another one would end alike.
   */
  ended(server: string, isFinal: boolean, outbox: ListenDecision[]): void {
    const part = this.#parts.get(server);
    if (part === undefined || part.state === 'ended') return;
    part.state = PART_TRANSITIONS.asked.end;
    const isOver = part.honoured !== undefined && isEmptyFilter(part.honoured);
    if (isFinal) this.#pay(part, outbox);
    if (!isFinal && !isOver) outbox.push({ do: 'reopen-later', server });
    this.#settle(outbox);
  }

  /** The time after a lost listen is over. */
  again(server: string, outbox: ListenDecision[]): void {
    const part = this.#parts.get(server);
    if (part?.state !== 'ended') return;
    part.state = PART_TRANSITIONS.ended.ask;
    part.honoured = undefined;
    part.isOwed = true;
    outbox.push({ do: 'listen', server, filter: part.filter });
  }

  /** The wait for acknowledgments is over. */
  waited(outbox: ListenDecision[]): void {
    this.#acknowledge(outbox);
  }

  /** A change of a server, or of which servers there are. */
  changed(change: Change, outbox: ListenDecision[]): void {
    const { kind, uri } = change;
    if (!wants({ ...this.#filter, uris: this.#uris }, changeMethod(kind), uri)) return;
    if (this.#isAcknowledged) outbox.push({ do: 'tell', change });
    else this.#early.set(`${kind} ${uri ?? ''}`, change);
  }

  /** Nobody listens any more. */
  stop(outbox: ListenDecision[]): void {
    for (const [server, { state }] of this.#parts) {
      if (state !== 'ended') outbox.push({ do: 'unlisten', server });
    }
    this.#parts.clear();
  }

  #ask(server: string, filter: Filter, isOwed: boolean, outbox: ListenDecision[]): void {
    if (isEmptyFilter(filter)) return;
    this.#parts.set(server, { state: 'asked', filter, honoured: undefined, isOwed });
    outbox.push({ do: 'listen', server, filter });
  }

  #pay(part: Part, outbox: ListenDecision[]): void {
    if (part.isOwed) for (const change of changesOf(part.filter)) this.changed(change, outbox);
    part.isOwed = false;
  }

  #settle(outbox: ListenDecision[]): void {
    for (const { state, isOwed } of this.#parts.values()) {
      if (state === 'asked' && !isOwed) return;
    }
    this.#acknowledge(outbox);
  }

  #acknowledge(outbox: ListenDecision[]): void {
    if (this.#isAcknowledged) return;
    this.#isAcknowledged = true;
    // Who has not answered yet has told nothing that could have been passed on.
    for (const part of this.#parts.values()) part.isOwed ||= part.state === 'asked';
    outbox.push({ do: 'acknowledge', honoured: { ...this.#filter, uris: this.#uris } });
    for (const change of this.#early.values()) outbox.push({ do: 'tell', change });
    this.#early.clear();
  }
}
