/**
 * A `resources/subscribe` of a legacy client: no request upstream stands for it, it is answered
 * when a listen that covers it is in place.
 */
import type { Refusal } from '../../core/errors.ts';
import { Message } from '../../core/protocol/message.ts';
import type { CallState } from '../../core/sessions/pending.ts';
import type { UpstreamCall } from '../upstream-call.ts';
import type { LegacyCallOwner, LegacyOutcome } from '../legacy-upstream.ts';

export class SubscribeCall implements UpstreamCall {
  /** Upstream it has none. */
  readonly number = 0;
  readonly owner: LegacyCallOwner;
  readonly id: string;
  readonly method: string;
  readonly progressToken = undefined;
  readonly startedAt: number;
  state: CallState = 'waiting';
  progress: number = -Infinity;
  #isInFlight = false;
  #settled: { readonly refusal: Refusal | undefined } | undefined;

  constructor(owner: LegacyCallOwner, message: Message, now: number) {
    this.owner = owner;
    this.id = message.id ?? 'null';
    this.method = message.method ?? '';
    this.startedAt = now;
  }

  /** What there is to say at once: the call itself, while it waits. */
  outcome(): LegacyOutcome {
    if (this.#settled !== undefined) return this.#settled.refusal ?? { answer: '{}' };
    this.#isInFlight = true;
    return this;
  }

  /** Told by the listen; the same function for as long as the call lives. */
  readonly settle = (refusal: Refusal | undefined): void => {
    if (this.state !== 'waiting') return;
    this.#settled = { refusal };
    this.state = refusal === undefined ? 'answered' : 'refused';
    if (!this.#isInFlight) return;
    if (refusal === undefined) this.owner.answered(this, Message.result(this.id, '{}'));
    else this.owner.lost(this, { ...refusal, id: this.id });
  };

  /** Its client gave it up. */
  cancel(): void {
    if (this.state === 'waiting') this.state = 'cancelled';
  }
}
