/**
 * Calls in flight of one session, counted together with those of its principal's other sessions: a
 * server that several share has no place for more than so many.
 */
import type { Principal } from '../core/ports.ts';
import type { Instance } from './instance.ts';
import type { UpstreamCall } from './upstream-call.ts';

/** Of each principal, by its key, at one endpoint. */
export type CallCounts = Map<string, number>;

export class OwnCalls extends Set<UpstreamCall> {
  readonly #counts: CallCounts;
  readonly #key: string;

  constructor(counts: CallCounts, { key }: Principal) {
    super();
    this.#counts = counts;
    this.#key = key;
  }

  override add(call: UpstreamCall): this {
    if (!this.has(call)) this.#count(1);
    return super.add(call);
  }

  override delete(call: UpstreamCall): boolean {
    const isThere = super.delete(call);
    if (isThere) this.#count(-1);
    return isThere;
  }

  override clear(): void {
    this.#count(-this.size);
    super.clear();
  }

  /**
   * Whether its principal has as many as there is room for more: it leaves that to the others, so
   * that whoever comes finds some.
   */
  areShareOf(conversation: Instance | undefined): boolean {
    if (conversation === undefined || conversation.ports.caller !== undefined) return false;
    const count = this.#counts.get(this.#key) ?? 0;
    return count > 0 && count >= conversation.pending.room;
  }

  #count(change: number): void {
    const count = (this.#counts.get(this.#key) ?? 0) + change;
    if (count > 0) this.#counts.set(this.#key, count);
    else this.#counts.delete(this.#key);
  }
}
