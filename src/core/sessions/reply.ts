/**
 * The reply to one POST of the 2025 revisions: plain JSON when the answers are quick and alone, an
 * event stream when they are slow or have company.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server
 */
import type { Refusal } from '../errors.ts';
import type { Attachment } from './outbox.ts';
import type { Stream } from './stream.ts';

export const REPLY_TRANSITIONS = {
  undecided: { stream: 'streaming', answered: 'ended', leave: 'unreachable' },
  streaming: { answered: 'ended' },
  /** The client left before it was given an event id, so it cannot come back for the answer. */
  unreachable: { answered: 'ended' },
  ended: {},
} as const;

export type ReplyState = keyof typeof REPLY_TRANSITIONS;

/** What the client's Accept header allows. */
export interface Accepts {
  readonly json: boolean;
  readonly eventStream: boolean;
}

export class Reply {
  readonly to: Attachment;
  readonly accepts: Accepts;
  readonly isBatch: boolean;
  state: ReplyState = 'undecided';
  /** Requests of the POST that have not ended. */
  remaining: number;
  /** Answers held while undecided. */
  readonly answers: { readonly id: string; readonly data: string }[] = [];
  stream: Stream | undefined;
  /** What its one answer refuses with, for as long as its status can say so. */
  refusal: Refusal | undefined;

  constructor(to: Attachment, accepts: Accepts, remaining: number, isBatch: boolean) {
    this.to = to;
    this.accepts = accepts;
    this.remaining = remaining;
    this.isBatch = isBatch;
  }
}
