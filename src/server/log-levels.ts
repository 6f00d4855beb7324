/**
 * Which log messages sessions want of their server. What several have in common is asked for the
 * lowest level of any, and each is sent no more than its own.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/utilities/logging
 */
import { LOG_LEVELS } from '../core/protocol/eras/stateless-2026.ts';
import { Message } from '../core/protocol/message.ts';
import { askBriefly, type AskedConversation } from './ask-briefly.ts';
import type { Instance } from './instance.ts';
import type { LegacyCallOwner, LegacyMember, LegacyOutcome } from './legacy-upstream.ts';

type Conversation = AskedConversation & Pick<Instance, 'request'>;

export class LogLevels {
  readonly #conversation: Conversation;
  readonly #members: ReadonlySet<LegacyMember>;
  readonly #isExclusive: boolean;

  /**
   * @param members - the sessions that are open now.
   * @param isExclusive - whether the server is one session's own.
   */
  constructor(
    conversation: Conversation,
    members: ReadonlySet<LegacyMember>,
    isExclusive: boolean,
  ) {
    this.#conversation = conversation;
    this.#members = members;
    this.#isExclusive = isExclusive;
  }

  set(owner: LegacyCallOwner, message: Message): LegacyOutcome {
    const level = (message.value as { level?: unknown } | undefined)?.level;
    if (typeof level !== 'string' || !LOG_LEVELS.includes(level)) {
      return this.#conversation.request(owner, message);
    }
    const { member } = owner;
    const before = member.logLevel;
    member.logLevel = level;
    const outcome = this.#conversation.request(owner, this.#worded(message));
    // One that goes nowhere changes nothing, with the next restart neither.
    if ('error' in outcome) member.logLevel = before;
    return outcome;
  }

  /** Asks for the level that those who asked for one need now. */
  restore(): void {
    const hasLevel = [...this.#members].some(({ logLevel }) => logLevel !== undefined);
    if (!hasLevel) return;
    askBriefly(this.#conversation, 'logging/setLevel', { level: this.#lowest() });
  }

  /** Whether a log message is for this session, as far as its level says. */
  isLoud(message: Message, member: LegacyMember | undefined): boolean {
    const minimum = member?.logLevel;
    if (this.#isExclusive || minimum === undefined) return true;
    const level = (message.value as { level?: unknown } | undefined)?.level;
    return LOG_LEVELS.indexOf(String(level)) >= LOG_LEVELS.indexOf(minimum);
  }

  #worded(message: Message): Message {
    if (this.#isExclusive) return message;
    const { id, method } = message;
    const params = `{"level":${JSON.stringify(this.#lowest())}}`;
    return Message.request(id ?? 'null', method ?? '', params);
  }

  #lowest(): string {
    const levels = [...this.#members].map(({ logLevel }) => LOG_LEVELS.indexOf(logLevel ?? ''));
    return LOG_LEVELS[Math.min(...levels.filter((level) => level >= 0))] ?? 'info';
  }
}
