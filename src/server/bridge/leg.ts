/**
 * One 2026 request of a client, as a stretch of a call upstream: the call may outlive it, and a
 * retry is the next stretch.
 */
import type { Message } from '../../core/protocol/message.ts';
import type { Call, CallState } from '../../core/sessions/pending.ts';
import type { CallOwner } from '../upstream-call.ts';

/** Whoever works for a leg. */
export interface LegWork {
  /** The client of the leg gave it up. */
  left(reason: string): void;
}

export class Leg implements Call<CallOwner> {
  readonly number = 0;
  readonly owner: CallOwner;
  readonly id: string;
  readonly method: string;
  readonly progressToken: string | undefined;
  readonly startedAt: number;
  state: CallState = 'waiting';
  progress: number = -Infinity;
  work: LegWork | undefined;

  constructor(owner: CallOwner, message: Message, now: number) {
    this.owner = owner;
    this.id = message.id ?? 'null';
    this.method = message.method ?? '';
    this.progressToken = message.token(message.spans.progressToken);
    this.startedAt = now;
  }
}
