/**
 * Resources that sessions subscribed at the server they have in common. What one of them gives up
 * is kept while another needs it, and what the last one leaves behind is given up for it.
 */
import { coversUri } from '../core/sessions/subscription.ts';
import type { Message } from '../core/protocol/message.ts';
import { askBriefly, type AskedConversation } from './ask-briefly.ts';
import type { Instance } from './instance.ts';
import type { LegacyCallOwner, LegacyMember, LegacyOutcome } from './legacy-upstream.ts';

type Conversation = AskedConversation & Pick<Instance, 'request'>;

export class ResourceSubscriptions {
  readonly #conversation: Conversation;
  readonly #members: ReadonlySet<LegacyMember>;
  readonly #max: number;

  /**
   * @param members - the sessions that are open now.
   * @param max - URIs of one session.
   */
  constructor(conversation: Conversation, members: ReadonlySet<LegacyMember>, max: number) {
    this.#conversation = conversation;
    this.#members = members;
    this.#max = max;
  }

  subscribe(owner: LegacyCallOwner, message: Message): LegacyOutcome {
    const { member } = owner;
    if (member.subscribed.size >= this.#max) {
      return { error: 'TOO_MANY_REQUESTS', id: message.id, detail: 'Too many subscriptions.' };
    }
    const outcome = this.#conversation.request(owner, message);
    if (!('error' in outcome)) member.subscribed.add(uriOf(message));
    return outcome;
  }

  unsubscribe(owner: LegacyCallOwner, message: Message): LegacyOutcome {
    const uri = uriOf(message);
    owner.member.subscribed.delete(uri);
    return this.#isSubscribed(uri) ? { answer: '{}' } : this.#conversation.request(owner, message);
  }

  /** Whoever subscribed the resource, or one that it is in, is told. */
  updated(message: Message): void {
    const uri = uriOf(message);
    for (const each of this.#members) {
      if (coversUri(each.subscribed, uri)) each.unrelated(message);
    }
  }

  /** What only this session had subscribed is given up: the server would keep it while it lives. */
  takeBack({ subscribed }: LegacyMember): void {
    for (const uri of subscribed) {
      if (this.#isSubscribed(uri)) continue;
      askBriefly(this.#conversation, 'resources/unsubscribe', { uri });
    }
  }

  /** After a restart. */
  restore(): void {
    const uris = new Set([...this.#members].flatMap(({ subscribed }) => [...subscribed]));
    for (const uri of uris) askBriefly(this.#conversation, 'resources/subscribe', { uri });
  }

  #isSubscribed(uri: string): boolean {
    for (const each of this.#members) if (each.subscribed.has(uri)) return true;
    return false;
  }
}

function uriOf(message: Message): string {
  const uri = (message.value as { uri?: unknown } | undefined)?.uri;
  return typeof uri === 'string' ? uri : '';
}
