/** The calls of one POST of a 2024 or 2025 client: what comes for them goes to its session, with its reply. */
import type { Refusal } from '../core/errors.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Reply } from '../core/sessions/reply.ts';
import type { UpstreamCall } from './instance.ts';
import type { LegacyCallOwner } from './legacy-instance.ts';
import type { LegacySession } from './legacy-session.ts';

export class LegacyPost implements LegacyCallOwner {
  readonly member: LegacySession;
  /** Undefined in 2024, where answers travel on the session's stream. */
  readonly reply: Reply | undefined;

  constructor(member: LegacySession, reply: Reply | undefined) {
    this.member = member;
    this.reply = reply;
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
