/**
 * Resources that sessions subscribed at the server they have in common. What one of them gives up
 * is kept while another needs it, and what the last one leaves behind is given up for it.
 */
import type { Limits } from '../core/limits.ts';
import type { Principal } from '../core/ports.ts';
import { areTooMany, coversUri, type SubscriptionBounds } from '../core/sessions/subscription.ts';
import type { Message } from '../core/protocol/message.ts';
import { AskLines } from './ask-lines.ts';
import { askBriefly, type AskedConversation } from './ask-briefly.ts';
import type { Instance } from './instance.ts';
import type { LegacyCallOwner, LegacyMember, LegacyOutcome } from './legacy-upstream.ts';
import type { UpstreamCall } from './upstream-call.ts';

type Conversation = AskedConversation & Pick<Instance, 'request' | 'state'>;

export class ResourceSubscriptions {
  readonly #conversation: Conversation;
  readonly #members: ReadonlySet<LegacyMember>;
  readonly #bounds: SubscriptionBounds;
  readonly #lines: AskLines;
  /** Of each session, by URI: the call that is to say whether it is subscribed. */
  readonly #asked = new WeakMap<LegacyMember, Map<string, UpstreamCall>>();

  /** @param members - the sessions that are open now. */
  constructor(
    conversation: Conversation,
    members: ReadonlySet<LegacyMember>,
    bounds: SubscriptionBounds & Pick<Limits, 'pendingPerOwnerMax'>,
  ) {
    this.#conversation = conversation;
    this.#members = members;
    this.#bounds = bounds;
    this.#lines = new AskLines(bounds.pendingPerOwnerMax);
  }

  subscribe(owner: LegacyCallOwner, message: Message): LegacyOutcome {
    const { member } = owner;
    const uri = uriOf(message);
    if (areTooMany(new Set(member.subscribed).add(uri), this.#bounds)) {
      return { error: 'TOO_MANY_REQUESTS', id: message.id, detail: 'Too many subscriptions.' };
    }
    const outcome = this.#conversation.request(owner, message);
    if ('error' in outcome) return outcome;
    const asked = this.#askedBy(member);
    if (!member.subscribed.has(uri) || asked.has(uri)) asked.set(uri, outcome);
    member.subscribed.add(uri);
    return outcome;
  }

  /**
   * One that was asked for is granted, or it is none: its session hears nothing of it, and no
   * restart asks for it.
   * @param answer - undefined: nobody knows whether the server keeps it.
   */
  ended(call: UpstreamCall, answer: Message | undefined): void {
    const { member } = call.owner as Partial<LegacyCallOwner>;
    if (member === undefined) return;
    const asked = this.#askedBy(member);
    for (const [uri, each] of asked) {
      if (each !== call) continue;
      asked.delete(uri);
      if (answer?.isError === false) return;
      member.subscribed.delete(uri);
      const isKept = this.#isSubscribed(uri) || this.#conversation.state !== 'ready';
      if (answer !== undefined || isKept) return;
      this.#giveBack(member, uri);
      return;
    }
  }

  unsubscribe(owner: LegacyCallOwner, message: Message): LegacyOutcome {
    const uri = uriOf(message);
    owner.member.subscribed.delete(uri);
    this.#askedBy(owner.member).delete(uri);
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
  takeBack(member: LegacyMember): void {
    for (const uri of member.subscribed) if (!this.#isSubscribed(uri)) this.#giveBack(member, uri);
  }

  /** After a restart. */
  restore(): void {
    const isKnown = new Set<string>();
    for (const { principal, subscribed } of this.#members) {
      for (const uri of subscribed) {
        if (isKnown.has(uri)) continue;
        isKnown.add(uri);
        this.#ask(principal, 'resources/subscribe', uri, () => this.#isSubscribed(uri));
      }
    }
  }

  #giveBack({ principal }: LegacyMember, uri: string): void {
    this.#ask(principal, 'resources/unsubscribe', uri, () => !this.#isSubscribed(uri));
  }

  /** @param isDue - whether it is still so when its turn comes. */
  #ask({ key }: Principal, method: string, uri: string, isDue: () => boolean): void {
    this.#lines.add(key, `${method} ${uri}`, (done) => {
      if (isDue()) askBriefly(this.#conversation, method, { uri }, done);
      else done();
    });
  }

  #askedBy(member: LegacyMember): Map<string, UpstreamCall> {
    const known = this.#asked.get(member);
    if (known !== undefined) return known;
    const asked = new Map<string, UpstreamCall>();
    this.#asked.set(member, asked);
    return asked;
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
