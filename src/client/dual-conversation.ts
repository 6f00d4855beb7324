/**
 * A server spoken to in whichever era each message is of, as its sender chose it: a request that
 * claims the stateless revision goes out by itself, everything else belongs to the one session of
 * the handshake eras.
 */
import type { SendOutcome, UpstreamConnection, UpstreamEvents } from '../core/ports.ts';
import { claimedVersion } from '../core/protocol/eras/stateless-2026.ts';
import type { Message } from '../core/protocol/message.ts';
import type { ClientContext } from './client-context.ts';
import type { Conversation, ConversationEvents } from './conversation.ts';
import { failedCall } from './failed-call.ts';
import { LegacyConversation } from './legacy-conversation.ts';
import { ModernConversation, requestIdOf } from './modern-conversation.ts';

interface Leg {
  readonly connection: UpstreamConnection;
  /** Ids of requests that wait for their answer. */
  readonly waiting: Set<string>;
}

export class DualConversation implements Conversation {
  readonly #context: ClientContext;
  readonly #events: ConversationEvents;
  #modern: Leg | undefined;
  #legacy: Leg | undefined;
  #session: LegacyConversation | undefined;
  #isClosing = false;
  #isClosed = false;

  constructor(context: ClientContext, events: ConversationEvents) {
    this.#context = context;
    this.#events = events;
  }

  /** The id of the session, where the server gave one. */
  get sessionId(): string | undefined {
    return this.#session?.sessionId;
  }

  send(message: Message): SendOutcome {
    if (this.#isClosing) return 'closed';
    if (message.method === 'notifications/cancelled') return this.#cancel(message);
    const isModern = claimedVersion(message) !== undefined;
    const leg = isModern ? this.#modernLeg() : this.#legacyLeg();
    const isCall = message.kind === 'request' && message.id !== undefined;
    if (isCall) leg.waiting.add(message.id);
    const outcome = leg.connection.send(message);
    if (isCall && outcome !== 'sent') leg.waiting.delete(message.id);
    return outcome;
  }

  /** Ends the session and every call; `onClosed` follows. */
  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#modern?.connection.close();
    this.#legacy?.connection.close();
    if (this.#modern === undefined && this.#legacy === undefined) {
      queueMicrotask(() => this.#closed('closed by us'));
    }
  }

  /** Goes where its request went, unless that has its answer: then there is nothing to cancel. */
  #cancel(message: Message): SendOutcome {
    const id = message.token(message.spans.requestId) ?? requestIdOf(message);
    for (const leg of [this.#modern, this.#legacy]) {
      if (!leg?.waiting.has(id)) continue;
      const outcome = leg.connection.send(message);
      if (outcome === 'sent') leg.waiting.delete(id);
      return outcome;
    }
    return 'sent';
  }

  #modernLeg(): Leg {
    this.#modern ??= this.#open(
      (events) => new ModernConversation(this.#context, events),
      () => {
        // It kept no state: the next request opens it again.
        this.#modern = undefined;
      },
    );
    return this.#modern;
  }

  #legacyLeg(): Leg {
    this.#legacy ??= this.#open(
      (events) => {
        this.#session = new LegacyConversation(this.#context, events);
        return this.#session;
      },
      () => {
        this.#legacy = undefined;
        this.#session = undefined;
        // Who spoke on the session has to begin anew, and is told so by the end of everything.
        this.#isClosing = true;
        this.#modern?.connection.close();
      },
    );
    return this.#legacy;
  }

  #open(connect: (events: UpstreamEvents) => UpstreamConnection, forget: () => void): Leg {
    const waiting = new Set<string>();
    const connection = connect({
      onMessage: (message) => {
        if (message.kind === 'response' && message.id !== undefined) waiting.delete(message.id);
        this.#events.onMessage(message);
      },
      onOversized: (id) => {
        if (id === undefined || !waiting.delete(id)) return;
        this.#events.onMessage(failedCall(id, { error: 'UPSTREAM_MESSAGE_TOO_LARGE' }));
      },
      onCloseStream: () => {},
      onClosed: (cause, detail) => {
        forget();
        for (const id of waiting) {
          const said = cause === 'closed' ? 'The connection was closed.' : `No answer: ${detail}.`;
          this.#events.onMessage(failedCall(id, { error: 'UPSTREAM_UNAVAILABLE', detail: said }));
        }
        waiting.clear();
        const isLast = this.#modern === undefined && this.#legacy === undefined;
        if (this.#isClosing && isLast) this.#closed(detail);
      },
    });
    return { connection, waiting };
  }

  #closed(detail: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.onClosed(detail);
  }
}
