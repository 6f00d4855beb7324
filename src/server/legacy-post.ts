/**
 * One request of a POST of a 2024 or 2025 client: what comes for it goes to its session, with the
 * reply that it shares with the others of its batch.
 */
import type { Refusal } from '../core/errors.ts';
import type { Grant } from '../core/grant.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Reply } from '../core/sessions/reply.ts';
import type { UpstreamCall } from './upstream-call.ts';
import type { LegacyCallOwner, LegacyMember } from './legacy-upstream.ts';
import type { WarrantedOwner } from './record-call.ts';
import type { Undecided, UndecidedReply } from './undecided.ts';
import type { Warrant } from './warrant.ts';

/** A session, as its POSTs see it. */
export interface PostingSession extends LegacyMember {
  answered(post: LegacyPost, call: UpstreamCall, message: Message): void;
  lost(post: LegacyPost, call: UpstreamCall, refusal: Refusal): void;
  related(post: LegacyPost, message: Message): void;
  closeStream(post: LegacyPost): void;
  /** The reply has been undecided long enough. */
  decide(post: LegacyPost): void;
}

export class LegacyPost implements LegacyCallOwner, UndecidedReply, WarrantedOwner {
  readonly member: PostingSession;
  /** Undefined in 2024, where answers travel on the session's stream. */
  readonly reply: Reply | undefined;
  /** Of the credential it came with, which may be revoked while others of the session are not. */
  readonly grant: Grant;

  #warrant: Warrant | undefined;
  #undecided: Undecided | undefined;

  constructor(member: PostingSession, reply: Reply | undefined, grant: Grant, warrant?: Warrant) {
    this.member = member;
    this.reply = reply;
    this.grant = grant;
    this.#warrant = warrant;
  }

  /** Its own: a client may give two requests of a batch the same id. */
  warrantOf(): Warrant | undefined {
    return this.#warrant;
  }

  /**
   * An answer was given. What allowed the request goes with it: of a batch, others may be waited
   * for long, and would keep all that came with the request.
   */
  settled(): void {
    this.#warrant?.ended('ok');
    this.#warrant = undefined;
  }

  undecided(): Undecided {
    this.#undecided = { reply: this };
    return this.#undecided;
  }

  decide(): void {
    this.member.decide(this);
  }

  decided(): void {
    if (this.#undecided !== undefined) this.#undecided.reply = undefined;
  }

  /** A client that takes plain JSON alone cannot be sent anything before the answer. */
  get canBeAsked(): boolean {
    return this.reply === undefined || this.reply.accepts.eventStream;
  }

  answered(call: UpstreamCall, message: Message): void {
    this.member.answered(this, call, message);
  }

  lost(call: UpstreamCall, refusal: Refusal): void {
    this.member.lost(this, call, refusal);
  }

  related(_call: UpstreamCall, message: Message): void {
    this.member.related(this, message);
  }

  closeStream(): void {
    this.member.closeStream(this);
  }
}
