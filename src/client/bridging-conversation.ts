/**
 * A server spoken to directly, and over a bridge only where it has no era in common with its
 * client: a handshake that the server refuses is repeated over the bridge, and where that comes to
 * an agreement, everything goes that way from then on. Else what the server said stands.
 */
import type { SendOutcome } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import { LEGACY_VERSIONS, MODERN_VERSIONS } from '../core/protocol/versions.ts';
import type { SendMeter } from './client-context.ts';
import type { Conversation, ConversationEvents } from './conversation.ts';
import { HeldMessages } from './held-messages.ts';

export const BRIDGING_TRANSITIONS = {
  /** No handshake is under way: whatever is said goes to the server. */
  open: { ask: 'asking', close: 'closing' },
  /** The server has the handshake; everything else waits. */
  asking: { agree: 'direct', refuse: 'crossing', decline: 'open', close: 'closing' },
  /** The bridge has it, since the server refused it. */
  crossing: { agree: 'bridged', refuse: 'open', close: 'closing' },
  direct: { close: 'closing' },
  bridged: { close: 'closing' },
  closing: {},
} as const;

export type BridgingState = keyof typeof BRIDGING_TRANSITIONS;

type Connect = (events: ConversationEvents) => Conversation;

const HANDSHAKES: ReadonlySet<string> = new Set(['initialize', 'server/discover']);

export class BridgingConversation implements Conversation {
  readonly #events: ConversationEvents;
  readonly #connectBridge: Connect;
  readonly #held: HeldMessages;
  readonly #meter: SendMeter;
  /** Conversations that are not closed yet. */
  readonly #living = new Set<Conversation>();
  readonly #direct: Conversation;
  #bridge: Conversation | undefined;
  #state: BridgingState = 'open';
  #handshake: Message | undefined;
  /** The server's own answer to it. */
  #refusal: Message | undefined;
  /** Why it ends. */
  #detail = 'closed by us';

  /**
   * @param direct - opens the conversation with the server.
   * @param bridge - opens one that carries any era to the same server.
   * @param meter - counts what waits for a handshake.
   */
  constructor(direct: Connect, bridge: Connect, meter: SendMeter, events: ConversationEvents) {
    this.#events = events;
    this.#connectBridge = bridge;
    this.#meter = meter;
    this.#held = new HeldMessages(meter);
    this.#direct = this.#open(direct, (message) => this.#fromServer(message));
  }

  get sessionId(): string | undefined {
    return this.#state === 'bridged' ? undefined : this.#direct.sessionId;
  }

  send(message: Message): SendOutcome {
    switch (this.#state) {
      case 'closing':
        return 'closed';
      case 'bridged':
        return this.#bridge?.send(message) ?? 'closed';
      case 'asking':
      case 'crossing':
        if (this.#meter.isFull) return 'full';
        this.#held.push(message);
        return 'sent';
      case 'open':
        if (message.kind === 'request' && HANDSHAKES.has(message.method ?? '')) {
          return this.#ask(message);
        }
        return this.#direct.send(message);
      default:
        return this.#direct.send(message);
    }
  }

  close(): void {
    if (this.#state === 'closing') return;
    this.#state = BRIDGING_TRANSITIONS[this.#state].close;
    this.#held.takeAll();
    const living = [...this.#living];
    for (const each of living) each.close();
    if (living.length === 0) queueMicrotask(() => this.#events.onClosed(this.#detail));
  }

  #ask(handshake: Message): SendOutcome {
    this.#state = BRIDGING_TRANSITIONS.open.ask;
    this.#handshake = handshake;
    const outcome = this.#direct.send(handshake);
    if (outcome !== 'sent') this.#state = 'open';
    return outcome;
  }

  #fromServer(message: Message): void {
    if (this.#state === 'bridged') return;
    if (this.#state !== 'asking' || !this.#isAnswer(message)) {
      this.#events.onMessage(message);
    } else if (message.isError && isOfTheirEra(message, this.#handshake?.method)) {
      this.#state = BRIDGING_TRANSITIONS.asking.decline;
      this.#events.onMessage(message);
      this.#flush();
    } else if (message.isError) {
      this.#refusal = message;
      this.#cross();
    } else {
      this.#state = BRIDGING_TRANSITIONS.asking.agree;
      this.#events.onMessage(message);
      this.#flush();
    }
  }

  #cross(): void {
    this.#state = BRIDGING_TRANSITIONS.asking.refuse;
    const handshake = this.#handshake as Message;
    this.#bridge = this.#open(this.#connectBridge, (message) => this.#fromBridge(message));
    if (this.#bridge.send(handshake) !== 'sent') this.#stayDirect();
  }

  #fromBridge(message: Message): void {
    if (this.#state === 'bridged') {
      this.#events.onMessage(message);
    } else if (this.#state === 'crossing' && this.#isAnswer(message)) {
      if (message.isError) {
        this.#stayDirect();
        return;
      }
      this.#state = BRIDGING_TRANSITIONS.crossing.agree;
      this.#direct.close();
      this.#events.onMessage(message);
      this.#flush();
    }
  }

  /** The bridge came no further, so it was no matter of eras. */
  #stayDirect(): void {
    this.#state = BRIDGING_TRANSITIONS.crossing.refuse;
    const refusal = this.#refusal;
    const isGone = !this.#living.has(this.#direct);
    this.#bridge?.close();
    if (refusal !== undefined) this.#events.onMessage(refusal);
    if (isGone) this.#end('the server refused the handshake');
    else this.#flush();
  }

  #isAnswer({ kind, id }: Message): boolean {
    return kind === 'response' && id === this.#handshake?.id;
  }

  #flush(): void {
    for (const message of this.#held.takeAll()) this.send(message);
  }

  #open(connect: Connect, onMessage: (message: Message) => void): Conversation {
    const conversation = connect({
      onMessage,
      onClosed: (detail) => {
        this.#living.delete(conversation);
        this.#closed(conversation, detail);
      },
    });
    this.#living.add(conversation);
    return conversation;
  }

  #closed(conversation: Conversation, detail: string): void {
    const isUsed =
      this.#state === 'bridged'
        ? conversation === this.#bridge
        : this.#state !== 'crossing' && conversation === this.#direct;
    if (this.#state === 'closing') this.#finish();
    else if (isUsed) this.#end(detail);
    else if (this.#state === 'crossing' && conversation === this.#bridge) this.#stayDirect();
  }

  #end(detail: string): void {
    this.#state = 'closing';
    this.#detail = detail;
    this.#held.takeAll();
    for (const each of this.#living) each.close();
    this.#finish();
  }

  /** The last conversation to close says that all is over. */
  #finish(): void {
    if (this.#living.size === 0) this.#events.onClosed(this.#detail);
  }
}

const UNSUPPORTED_VERSION = -32022;

/**
 * Whether the refusal names a revision of the handshake's own era: then the client has only to ask
 * again, and needs no bridge.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
function isOfTheirEra(refusal: Message, handshake: string | undefined): boolean {
  const error = refusal.value as { code?: unknown; data?: { supported?: unknown } } | undefined;
  const supported: unknown = error?.data?.supported;
  if (error?.code !== UNSUPPORTED_VERSION || !Array.isArray(supported)) return false;
  const era = handshake === 'server/discover' ? MODERN_VERSIONS : LEGACY_VERSIONS;
  return supported.some((version) => era.includes(String(version)));
}
